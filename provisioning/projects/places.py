"""Where projects lie in the data directory, and who is at one: one writer, or any number of readers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.projects.faults import ProjectError

PROJECTS = "projects"
#: no name of a site begins so
WORK = ".work"
#: what a folder may be called as it is; other names are given by their digest
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
LOOK_EVERY = 0.2


@dataclass(frozen=True)
class Place:
    """The folder of one project: its mirror, the SSH host keys that somebody accepted, the lock."""

    folder: Path

    @property
    def mirror(self) -> Path:
        return self.folder / "mirror.git"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"


def place_of(data_dir: Path, site: str, name: str) -> Place:
    return Place(data_dir / PROJECTS / folder_name(site) / folder_name(name))


def folder_name(name: str) -> str:
    """*name* as the name of a folder, a different one for each name."""
    if _PLAIN.fullmatch(name):
        return name
    return "_" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def make_folder(path: Path) -> None:
    """*path* with everything above it, for this user alone. Raises ProjectError."""
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"The folder {path} cannot be made: {error.strerror}.",
            "See that the data directory has room and belongs to the user that this application runs as.",
            retryable=True,
        ) from None


@contextmanager
def working_folder(data_dir: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; what a killed worker leaves, housekeeping removes."""
    top = data_dir / PROJECTS / WORK
    make_folder(top)
    folder = Path(tempfile.mkdtemp(dir=top))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(
    path: Path, *, seconds: float, check: Callable[[], None], what: str, shared: bool = False
) -> Iterator[int]:
    """Hold the lock in the file *path*, also against other processes; the open descriptor, for children to hold too.

    A worker that is killed leaves its children, and with them the lock, until they end. Raises ProjectError (may pass)
    after *seconds*.
    """
    until = time.monotonic() + seconds
    while (descriptor := _taken(path, shared)) is None:
        check()
        if time.monotonic() > until:
            raise ProjectError(
                f"Somebody else is at {what}, for more than {seconds:.0f} s.",
                "Wait until the other job is done, then run this again.",
                retryable=True,
            )
        time.sleep(LOOK_EVERY)
    try:
        os.utime(descriptor)  # what nobody was at for long is removed
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(path: Path, shared: bool) -> int | None:
    """The descriptor of the locked file *path*; None where somebody else has it, or has just removed it."""
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProjectError(
            f"The lock {path} cannot be made: {error.strerror}.",
            "See that the data directory has room and belongs to the user that this application runs as.",
            retryable=True,
        ) from None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
