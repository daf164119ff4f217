"""Files and directories under their final names when they are whole, on disks and on sticks. Knows no database.

A stick's file system (FAT) has no modes and no owners: what cannot be set there is let be.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from inventory.recovery import kit
from provisioning.backups.archive import CannotBackUp

#: which directory of an earlier run is about to go
OLD = ".mgmtplane-old-"
#: what the file with the sum of an archive is called after it
SUM_OF_ARCHIVE = ".sha256"
#: of <fcntl.h> and <linux/fs.h>
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def require_ours(there: Path, slug: str) -> None:
    """Refuse where the names of a kit in *there* belong to something that is none. Raises CannotBackUp, OSError."""
    for path, is_kit in ((there / slug, _is_kit), (there / f"{slug}.tar.gz", _is_archive_of_kit)):
        if os.path.lexists(path) and (path.is_symlink() or not is_kit(path)):
            raise CannotBackUp(
                f"{path} is there already and is no recovery kit, so it is not replaced; move it away, or name "
                "another place."
            )


def _is_kit(path: Path) -> bool:
    if not path.is_dir():
        return False
    return all((path / name).is_file() for name in (kit.SUMS, "check.py")) or not any(path.iterdir())


def _is_archive_of_kit(path: Path) -> bool:
    """By the sum beside it, or where that was lost, by its first file: the rest may be damaged."""
    if not path.is_file():
        return False
    if path.with_name(f"{path.name}{SUM_OF_ARCHIVE}").is_file():
        return True
    try:
        with tarfile.open(path) as tar:
            first = tar.next()
    except (OSError, EOFError, tarfile.TarError):
        return False
    return first is not None and first.name.partition("/")[2] in ("README.txt", kit.SUMS)


def exchange(folder: Path, final: Path) -> None:
    """*folder* becomes *final*: in one step where the file system can, else the old one is whole beside the new meanwhile.

    What has that name and is no kit stays. Raises CannotBackUp.
    """
    require_ours(final.parent, final.name)
    old = final.with_name(f"{OLD}{final.name}")
    if old.exists() and not final.exists():  # killed between the two renames
        old.rename(final)
    shutil.rmtree(old, ignore_errors=True)
    mode(folder, 0o700)
    if final.exists() and _exchanged(folder, final):
        sync(final.parent)
        shutil.rmtree(folder, ignore_errors=True)
        return
    if final.exists():
        final.rename(old)
    folder.rename(final)
    sync(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Each has the other's name, at once: renameat2(2), RENAME_EXCHANGE. False, and nothing done, where there is no such."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def replace_with_sum(draft: Path, final: Path) -> None:
    """*draft* becomes *final*, with its sum beside it. In between there is none: never one of something else."""
    beside = final.with_name(f"{final.name}{SUM_OF_ARCHIVE}")
    new = draft.with_name(f"{draft.name}{SUM_OF_ARCHIVE}")
    try:
        new.write_bytes(kit.sums({final.name: digest(draft)}))
        mode(new, 0o600)
        sync(new)
        beside.unlink(missing_ok=True)
        draft.replace(final)
        new.replace(beside)
        sync(final.parent)
    finally:
        new.unlink(missing_ok=True)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def mode(path: Path, wanted: int) -> None:
    with contextlib.suppress(PermissionError, NotImplementedError):
        path.chmod(wanted)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
