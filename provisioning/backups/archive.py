"""The archive: a tar of files with a manifest. Written whole or not at all; a flipped bit is found and named. Pure.

Its name carries the moment and the beginning of its own SHA-256: ``mgmtplane-20261126T071500Z-0123456789abcdef.tar``.
``manifest.json`` has size and SHA-256 of every file, ``manifest.sha256`` that of the manifest: so a copy under another
name can be checked too, all but the padding of the tar.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

FORMAT = 1
MANIFEST, DIGEST = "manifest.json", "manifest.sha256"
NAME = re.compile(r"mgmtplane-(?P<at>\d{8}T\d{6}Z)-(?P<digest>[0-9a-f]{16})\.tar")
DRAFT = ".mgmtplane-draft-"
BLOCK = 1 << 20
#: a draft of another machine or container, whose processes are not seen from here, is left alone for so long
LEFT_AFTER = timedelta(days=1)
#: where something was to be written: never what reading an archive fails of
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
#: an archive that is named after a moment further away than this was made while the clock was ahead
AHEAD = timedelta(hours=1)

#: drafts of this process that are being worked on: its threads make archives at the same time
_ours: set[str] = set()


class CannotBackUp(Exception):
    """Why nothing was made or restored; a sentence for people, with the way out."""


class Damaged(CannotBackUp):
    """The archive is not what it was; ``problems`` has a line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The archive is damaged; take another. " + " ".join(problems))


@dataclass(frozen=True)
class Member:
    size: int
    sha256: str


@contextlib.contextmanager
def workshop(destination: Path) -> Iterator[Path]:
    """A folder of its owner's alone inside *destination*, gone afterwards; what killed runs left goes first."""
    try:
        destination.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in destination.glob(f"{DRAFT}*"):
            if not _in_use(left):
                _remove(left)
        folder = destination / f"{DRAFT}{_here()}-{os.getpid()}-{secrets.token_hex(4)}"
        _ours.add(folder.name)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise _refused(destination, error) from None
    try:
        yield folder
    except OSError as error:
        raise _refused(destination, error) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _ours.discard(folder.name)


def write(folder: Path, facts: Mapping[str, Any], *, at: datetime, destination: Path) -> Path:
    """Make the archive of everything in *folder*, a ``workshop``; the path of the archive. *facts* go into its manifest."""
    members = {
        str(path.relative_to(folder)): _measured(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    manifest = {
        "format": FORMAT,
        **facts,
        "files": {name: [one.size, one.sha256] for name, one in members.items()},
    }
    text = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    draft = folder.with_name(f"{folder.name}.tar")
    try:
        digest = _write_tar(draft, folder, members, text, at)
        final = destination / f"mgmtplane-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:16]}.tar"
        draft.rename(final)
        _sync(destination)
    except OSError as error:
        raise _refused(destination, error) from None
    finally:
        draft.unlink(missing_ok=True)
    return final


def _write_tar(
    draft: Path, folder: Path, members: Mapping[str, Member], manifest: bytes, at: datetime
) -> str:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
            digest = f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()
            for name, content in ((MANIFEST, manifest), (DIGEST, digest)):
                tar.addfile(_entry(name, len(content), at), io.BytesIO(content))
            for name, one in members.items():
                with (folder / name).open("rb") as stream:
                    tar.addfile(_entry(name, one.size, at), stream)
        raw.flush()
        os.fsync(raw.fileno())
    return _measured(draft).sha256


def _entry(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(at.timestamp())
    return entry


# --- reading ---


def read_manifest(path: Path) -> dict[str, Any]:
    """What the archive says of itself, without looking at its files. Raises CannotBackUp."""
    with _opened(path) as tar:
        return _manifest(tar, path)


@contextlib.contextmanager
def file_of(path: Path, name: str) -> Iterator[IO[bytes]]:
    """One file of the archive. Raises OSError where its reader finds no room for it."""
    with _opened(path) as tar:
        stream = tar.extractfile(name)
        if stream is None:
            raise Damaged([f"{name}: it is no file."])
        yield stream


def take_out(path: Path, into: Path) -> dict[str, Any]:
    """Write every file of the archive below *into*, each compared with the manifest; the manifest. Raises Damaged."""
    if problems := _misnamed(path):
        raise Damaged(problems)
    with _opened(path) as tar:
        manifest = _manifest(tar, path)
        problems = _compared(tar, manifest, into)
    if problems:
        raise Damaged(problems)
    return manifest


def check(path: Path) -> list[str]:
    """Everything that is wrong with the archive, a line each; empty: it is as it was made."""
    problems = []
    try:
        problems += _misnamed(path)
        with _opened(path) as tar:
            problems += _compared(tar, _manifest(tar, path), None)
    except Damaged as damaged:
        problems += damaged.problems
    except CannotBackUp as error:
        problems.append(str(error))
    except OSError as error:
        problems.append(f"{path} cannot be read ({error.strerror}).")
    return problems


def _misnamed(path: Path) -> list[str]:
    named = NAME.fullmatch(path.name)
    try:
        if named and not _measured(path).sha256.startswith(named["digest"]):
            return [f"{path.name}: its SHA-256 is not the one in its name."]
    except OSError as error:
        raise CannotBackUp(f"{path} cannot be read ({error.strerror}); name another archive.") from None
    return []


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except tarfile.TarError as error:
        raise Damaged([f"{path.name}: it is no readable tar ({error})."]) from None
    except OSError as error:
        if error.errno in NO_ROOM:  # what is taken out has no place; whoever made that place says so
            raise
        raise CannotBackUp(
            f"{path} cannot be read ({error.strerror or error}); name another archive."
        ) from None
    except (EOFError, ValueError, UnicodeDecodeError, KeyError) as error:
        raise Damaged([f"{path.name}: it cannot be read ({error})."]) from None


def _manifest(tar: tarfile.TarFile, path: Path) -> dict[str, Any]:
    try:
        text, digest = (_content(tar, name) for name in (MANIFEST, DIGEST))
    except KeyError:
        raise CannotBackUp(f"{path} is no backup of this application: it has no {MANIFEST}.") from None
    if digest != f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode():
        raise Damaged([f"{MANIFEST}: it is not what {DIGEST} says."])
    found: dict[str, Any] = json.loads(text)
    if found.get("format") != FORMAT:
        raise CannotBackUp(
            f"{path} has the format {found.get('format')}; this version reads {FORMAT}. Use the version that made it."
        )
    return found


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    return stream.read() if stream is not None else b""


def _compared(tar: tarfile.TarFile, manifest: Mapping[str, Any], into: Path | None) -> list[str]:
    """What is wrong with the files; each that is right is written below *into*, if given."""
    expected = {name: Member(*one) for name, one in manifest["files"].items()}
    problems, seen = [], set()
    for entry in tar:
        if entry.name in (MANIFEST, DIGEST):
            continue
        if not _stays_below(entry.name):
            problems.append(f"{entry.name!r}: it would lie outside; nobody of ours wrote this.")
            continue
        if entry.name not in expected or not entry.isfile() or entry.name in seen:
            problems.append(f"{entry.name!r}: the manifest knows no such file.")
            continue
        seen.add(entry.name)
        problems += _copied(tar, entry, expected[entry.name], into)
    problems += [f"{name}: it is missing." for name in expected if name not in seen]
    return problems


def _stays_below(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _copied(tar: tarfile.TarFile, entry: tarfile.TarInfo, expected: Member, into: Path | None) -> list[str]:
    stream = tar.extractfile(entry)
    if stream is None:
        return [f"{entry.name}: it is no file."]
    digest, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        copy = stack.enter_context(_created(into / entry.name)) if into is not None else None
        while block := stream.read(BLOCK):
            digest.update(block)
            size += len(block)
            if copy is not None:
                copy.write(block)
    if size != expected.size:
        return [f"{entry.name}: it has {size} bytes instead of {expected.size}."]
    if digest.hexdigest() != expected.sha256:
        return [f"{entry.name}: its SHA-256 is not the manifest's."]
    return []


def _created(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _measured(path: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            size += len(block)
    return Member(size, digest.hexdigest())


# --- many archives ---


def archives(folder: Path) -> list[Path]:
    """The archives in *folder*, newest first; none where it is not there. Raises CannotBackUp."""
    try:
        found = [path for path in folder.iterdir() if is_name(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CannotBackUp(
            f"{folder} cannot be read ({error.strerror}); mount it, give its owner the right, or see BACKUP_DIR."
        ) from None
    return sorted(found, key=lambda path: path.name, reverse=True)


def newest(folder: Path) -> Path | None:
    """The newest archive in *folder*, without those of the future."""
    return next((path for path in archives(folder) if not is_of_the_future(path)), None)


def is_of_the_future(path: Path) -> bool:
    """Whether the clock was ahead when it was made, or is behind now."""
    return made_at(path) > datetime.now(UTC) + AHEAD


def is_name(name: str) -> bool:
    """Whether an archive may be named so; of no month 99."""
    try:
        made_at(Path(name))
    except ValueError:
        return False
    return True


def made_at(path: Path) -> datetime:
    named = NAME.fullmatch(path.name)
    if named is None:
        raise ValueError(f"{path.name} is no archive's name")
    return datetime.strptime(named["at"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def forget_old(folder: Path, keep: int, made: Path) -> list[Path]:
    """Delete all but the newest *keep* archives; those that went. *made* is the newest, whatever its name says: a clock
    that is behind gives it an old one."""
    others = [path for path in archives(folder) if path.name != made.name]
    gone = others[max(keep, 1) - 1 :]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def misdated(made: Path, names: Iterable[str]) -> str:
    """What to say where one of *names* is of a later moment than *made*, which was just made; empty: none is."""
    later = max((name for name in names if is_name(name)), default="")
    if later <= made.name or made_at(Path(later)) <= made_at(made):
        return ""
    return (
        f"By their names {later} is newer than {made.name}, which was just made: the clock of this machine is behind, or it "
        "was ahead. Set it right; until then “the newest” may be an older one."
    )


def _in_use(left: Path) -> bool:
    """Whether somebody who lives makes this draft, or may make it on another machine."""
    name = left.name.removeprefix(DRAFT).partition(".")[0]
    where, _, process = name.partition("-")
    if where != _here():
        with contextlib.suppress(FileNotFoundError):
            return time.time() - left.lstat().st_mtime < LEFT_AFTER.total_seconds()
        return True
    pid = process.partition("-")[0]
    if pid == str(os.getpid()):
        return f"{DRAFT}{name}" in _ours
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


@cache
def _here() -> str:
    """One machine since it was started, and the processes that are seen in it: a container numbers its own."""
    try:
        seen = f"{Path('/proc/sys/kernel/random/boot_id').read_text()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        seen = socket.gethostname()
    return hashlib.sha256(seen.encode()).hexdigest()[:12]


def _remove(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(destination: Path, error: OSError) -> CannotBackUp:
    place = error.filename or destination
    return CannotBackUp(f"{place} cannot be written ({error.strerror}); make room, or give another place.")
