"""An Ansible tree that arrives as one file (tar, tar.gz, zip): unpacked where nothing can escape, and its root found."""

from __future__ import annotations

import functools
import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from inventory.importers.tree.files import HOSTS_NAMES

#: A tree is text. What is larger, or has more files, is something else.
MOST_BYTES = 64 << 20
MOST_FILES = 20_000
#: Directories within directories are gone through one inside the other.
DEEPEST = 50
LONGEST_NAME = 1_000

#: Never a part of an inventory.
_SKIPPED = frozenset({".git", "__MACOSX", "__pycache__", ".venv", "node_modules"})


class BadArchive(ValueError):
    """The file is no archive of a tree; the message says why and what to do."""


def unpack(content: bytes, into: Path) -> Path:
    """Write the plain files of the archive below the empty directory *into*; return the tree's root there.

    Links, devices and everything that points outside are refused by name. Raises BadArchive.
    """
    total = count = 0
    for name, size, stream in _members(content):
        path = _inside(name)
        if path is None or _SKIPPED & set(path.parts):
            continue
        if size > MOST_BYTES:  # said before anything of it is unpacked
            raise _too_much()
        with _reading():
            data = stream().read(MOST_BYTES + 1)  # an archive may say what it likes
        total, count = total + len(data), count + 1
        if total > MOST_BYTES or count > MOST_FILES:
            raise _too_much()
        target = into / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        except OSError as error:
            raise BadArchive(f"“{_shown(name)}” cannot be unpacked ({error.strerror}); rename it.") from None
    return _root(into)


def _too_much() -> BadArchive:
    return BadArchive(
        f"The archive holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB; archive the inventory "
        "directory alone, or import it in a shell with manage.py import_ansible."
    )


#: (name, size as the archive says, what opens it) of a plain file
Member = tuple[str, int, Callable[[], IO[bytes]]]


def _members(content: bytes) -> Iterator[Member]:
    """Every plain file; nothing of one is unpacked before it is asked for."""
    with _reading():
        is_zip = zipfile.is_zipfile(io.BytesIO(content))
        members = _zipped(content) if is_zip else _tarred(content)
        while True:
            try:
                yield next(members)
            except StopIteration:
                return


@contextmanager
def _reading() -> Iterator[None]:
    """What the readers of archives raise for a broken one, as one sentence."""
    try:
        yield
    except BadArchive:
        raise
    except _BROKEN:
        raise BadArchive(
            "This is no readable archive. Make one with: tar czf tree.tar.gz -C path/to/inventory ."
        ) from None


_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    LookupError, OverflowError,
)  # fmt: skip


def _zipped(content: bytes) -> Iterator[Member]:
    """Stored or deflated: other methods may ask for gigabytes of memory before they give a byte."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise _link(entry.filename)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadArchive(
                    f"“{_shown(entry.filename)}” is packed in a way that is not read; zip it plainly."
                )
            yield entry.filename, entry.file_size, functools.partial(archive.open, entry)


def _tarred(content: bytes) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(_uncompressed(content)), mode="r:") as archive:
        for member in archive:
            if member.issym() or member.islnk():
                raise _link(member.name)
            if member.isdev():
                raise BadArchive(f"“{_shown(member.name)}” is a device or a pipe, and no file; leave it out.")
            if member.isfile():
                yield member.name, member.size, functools.partial(_opened, archive, member)


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    return archive.extractfile(member) or io.BytesIO()


def _uncompressed(content: bytes) -> bytes:
    """A tar, packed by gzip or not at all. tarfile would read headers of any size, and unpack whatever it passes over."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    with gzip.open(io.BytesIO(content)) as stream:
        found = stream.read(2 * MOST_BYTES + 1)
    if len(found) > 2 * MOST_BYTES:  # the headers, and what is skipped
        raise _too_much()
    return found


def _link(name: str) -> BadArchive:
    return BadArchive(
        f"“{_shown(name)}” is a link; archive what it points at instead: tar czhf tree.tar.gz …"
    )


def _inside(name: str) -> PurePosixPath | None:
    """*name* as a path below the tree; None for the tree itself. Raises BadArchive for one that leaves it."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or ":" in (path.parts or ("",))[0]:
        raise BadArchive(f"“{_shown(name)}” points outside the archive; make it with relative paths.")
    if len(path.parts) > DEEPEST:
        raise BadArchive(
            f"“{_shown(name)}” lies below more than {DEEPEST} directories; this is no inventory."
        )
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadArchive(f"The name “{_shown(name)}” is too long, or not printable text in UTF-8; rename it.")
    return path if path.parts else None


def _shown(name: str) -> str:
    """*name* as a page can show it."""
    shown = name if len(name) <= 100 else f"{name[:100]}…"
    return shown.encode("utf-8", "backslashreplace").decode()


def _root(into: Path) -> Path:
    """The directory nearest to the top that has a hosts file."""
    found = [path.parent for name in HOSTS_NAMES for path in into.rglob(name) if path.is_file()]
    if not found:
        raise BadArchive(
            f"No hosts file was found in the archive; one of {', '.join(HOSTS_NAMES[:4])} must be in it."
        )
    return min(found, key=lambda path: (len(path.parts), str(path)))
