"""Files for other software: each is there whole or not at all, and nobody else's is deleted."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

#: Which files of a directory were written by an earlier export; only these are ever deleted.
MANIFEST = ".mgmtplane-files"


class CannotWrite(Exception):
    """Why nothing was written; a sentence for people."""


def write_file(path: Path, content: bytes) -> None:
    """Replace *path* in one step. What is no regular file (a pipe, /dev/stdout) is written to instead.

    Raises CannotWrite.
    """
    with _explained(path):
        target = path.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        if not target.parent.is_dir():
            raise CannotWrite(f"{path.parent} is no directory; create it, or give another --output.")
        with _drafts() as drafts:
            _draft(target, content, drafts)
            _publish(drafts)


def write_directory(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Bring *folder* to *files* (relative path → content); return what was deleted: an earlier run's files.

    All are written beside their places before the first is moved. Files that no export wrote stay, unless one
    of *files* has their name. Raises CannotWrite.
    """
    for name in (*files, MANIFEST):
        _check_inside(name)
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _earlier(folder)
        with _drafts() as drafts:
            for name, content in sorted(files.items()):
                _draft(folder / name, content, drafts)
            # Before anything moves the manifest names old and new: a run that dies leaves nothing nameless.
            write_file(folder / MANIFEST, _manifest({*earlier, *files}))
            _publish(drafts)
        stale = sorted(earlier - set(files))
        for name in stale:
            _remove(folder, name)
        write_file(folder / MANIFEST, _manifest(set(files)))
    return stale


def _check_inside(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise CannotWrite(f"“{name}” would lie outside the directory; rename what it is named after.")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise CannotWrite(f"{place} cannot be written ({error.strerror}); give another --output.") from error


@contextlib.contextmanager
def _drafts() -> Iterator[dict[Path, Path]]:
    """Draft → its place; drafts that never got there are removed."""
    drafts: dict[Path, Path] = {}
    try:
        yield drafts
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _draft(target: Path, content: bytes, drafts: dict[Path, Path]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".mgmtplane-{secrets.token_hex(8)}")
    drafts[draft] = target
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if target.is_file():
        draft.chmod(stat.S_IMODE(target.stat().st_mode))


def _publish(drafts: Mapping[Path, Path]) -> None:
    for draft, target in drafts.items():
        draft.replace(target)


def _manifest(names: set[str]) -> bytes:
    return "".join(f"{name}\n" for name in sorted(names)).encode()


def _earlier(folder: Path) -> set[str]:
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return set()
    return {line for line in lines if line and ".." not in PurePosixPath(line).parts and line[0] != "/"}


def _remove(folder: Path, name: str) -> None:
    """Delete the file and the directories that it leaves empty."""
    path = folder / name
    path.unlink(missing_ok=True)
    for parent in path.relative_to(folder).parents:
        try:
            (folder / parent).rmdir()
        except OSError:
            return
