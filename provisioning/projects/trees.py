"""A directory as code: a digest of what lies in it, and copies that are exactly that."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.projects.confining import readable
from provisioning.projects.faults import ProjectError
from provisioning.projects.limits import Limits

#: what programs leave beside the code, and repositories keep beside it
LEFT_OUT = (
    ".git", ".hg", ".svn", "__pycache__", "*.pyc", ".venv", "venv", ".tox", "node_modules", ".cache", ".*_cache",
    ".ansible", "*.retry",
)  # fmt: skip
CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """*kind* is ``f``, ``d`` or ``l``; *path* from the top, with slashes."""

    kind: str
    path: str
    mode: int


def digest(root: Path, limits: Limits, *, modes: bool = True) -> str:
    """``tree:<sha256>`` over names, contents and, with *modes*, permissions below *root*. Raises ProjectError."""
    return _walked(root, None, limits, modes=modes)


def signature(root: Path, limits: Limits) -> str:
    """Another one where anything below *root* was changed, by sizes and moments; no content is read."""
    whole = hashlib.sha256()
    for number, entry in enumerate(_entries(root)):
        if number >= limits.files:
            raise too_large(root, f"more than {limits.files} files")
        try:
            status = os.lstat(root / entry.path)
        except OSError:  # it vanished meanwhile, and the digest will say so
            continue
        moved = (entry, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        whole.update(repr(moved).encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def copy(root: Path, into: Path, limits: Limits) -> str:
    """Copy what lies below *root* into the new folder *into*; the digest of what was written there."""
    into.mkdir(mode=0o700)
    return _walked(root, into, limits)


def files(
    root: Path, limits: Limits, wanted: Callable[[str], bool], largest: int
) -> Iterator[tuple[str, bytes]]:
    """Path and content of the plain files below *root* that are *wanted* by their path; larger ones are left out."""
    for number, entry in enumerate(_entries(root)):
        if number >= limits.files:
            raise too_large(root, f"more than {limits.files} files")
        path = root / entry.path
        if entry.kind == "f" and wanted(entry.path):
            try:
                if path.stat().st_size <= largest:
                    yield entry.path, path.read_bytes()
            except OSError:  # it may vanish meanwhile, or be somebody else's
                continue


def _walked(root: Path, into: Path | None, limits: Limits, *, modes: bool = True) -> str:
    """Each line of the digest: kind, mode, path, and the content's own digest or where the link leads."""
    whole = hashlib.sha256(b"mgmtplane tree 1\0")
    room = limits.bytes
    for number, entry in enumerate(_entries(root)):
        if number >= limits.files:
            raise too_large(root, f"more than {limits.files} files")
        source, target = root / entry.path, into / entry.path if into else None
        try:
            content, size = _taken(source, entry, target, room)
        except FileNotFoundError:
            raise ProjectError(
                f"{readable(str(source))} vanished while it was read.", "Run this again.", retryable=True
            ) from None
        except OSError as error:
            where = (
                target if error.filename and target and os.fspath(error.filename) == str(target) else source
            )
            raise ProjectError(f"{readable(str(where))} cannot be used: {error.strerror}.") from None
        room -= size
        if room < 0:
            raise too_large(root, f"more than {limits.bytes >> 20} MiB")
        line = (
            f"{entry.kind} {entry.mode if modes else 0:o} ".encode()
            + os.fsencode(entry.path)
            + b"\0"
            + content
            + b"\0"
        )
        whole.update(line)
    return f"tree:{whole.hexdigest()}"


def _taken(source: Path, entry: Entry, target: Path | None, room: int) -> tuple[bytes, int]:
    """The line's end for one entry, and its size; written to *target* on the way, if there is one."""
    if entry.kind == "d":
        if target:
            target.mkdir(mode=0o700)
        return b"", 0
    if entry.kind == "l":
        leads = source.readlink()
        if target:
            target.symlink_to(leads)
        return os.fsencode(leads), 0
    return _read(source, target, entry.mode, room)


def _read(source: Path, target: Path | None, mode: int, room: int) -> tuple[bytes, int]:
    content, size = hashlib.sha256(), 0
    # what was a file a moment ago may be a link to somebody's key by now
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600) if target else -1
    try:
        while size <= room and (chunk := os.read(descriptor, CHUNK)):
            content.update(chunk)
            size += len(chunk)
            rest = memoryview(chunk)
            while target and rest:
                rest = rest[os.write(writing, rest) :]
        if target:
            os.fchmod(writing, mode)
    finally:
        os.close(descriptor)
        if target:
            os.close(writing)
    return content.hexdigest().encode(), size


def _entries(root: Path, below: str = "") -> Iterator[Entry]:
    try:
        found = sorted(os.scandir(root / below), key=lambda one: one.name)
    except FileNotFoundError:
        raise ProjectError(f"The directory {readable(str(root / below))} is gone.", "Put it back.") from None
    except OSError as error:
        raise ProjectError(
            f"{readable(str(root / below))} cannot be read: {error.strerror}.",
            "Give it to the user that this application runs as.",
        ) from None
    for one in found:
        if any(fnmatch.fnmatchcase(one.name, pattern) for pattern in LEFT_OUT):
            continue
        path = f"{below}/{one.name}" if below else one.name
        if one.is_symlink():
            yield Entry("l", path, 0)
        elif one.is_dir(follow_symlinks=False):
            yield Entry("d", path, 0)
            yield from _entries(root, path)
        else:
            mode = one.stat(follow_symlinks=False).st_mode
            if not stat.S_ISREG(mode):
                raise ProjectError(
                    f"{readable(str(root / path))} is neither file, folder nor link.", "Remove it."
                )
            yield Entry("f", path, stat.S_IMODE(mode) & 0o777)


def too_large(root: Path, what: str) -> ProjectError:
    return ProjectError(
        f"{readable(str(root))} has {what}: that is no project.",
        "Name the folder of the playbooks itself, or raise PROJECT_MAX_MEGABYTES.",
    )
