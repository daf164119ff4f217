"""A SQLite database copied and put back, each in one step, and who has it open."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from .journal import Refused, sync


def copy(database: Path, to: Path) -> None:
    """A whole copy of *database* at *to*, or none. Raises Refused."""
    draft = to.with_name(f".{to.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        if shutil.disk_usage(to.parent).free < 3 * database.stat().st_size:
            raise Refused(
                f"{to.parent} has no room for copies of the database; three times its size are needed."
            )
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with _opened(database) as source, _opened(draft) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
        _require_whole(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(to)
        sync(to.parent)
    except (OSError, sqlite3.Error) as error:
        raise Refused(
            f"{database} cannot be copied to {to} ({error}); make room, and look at the file."
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def put_back(kept: Path, database: Path) -> None:
    """Make *database* what *kept* is, in one transaction of SQLite's: killed on the way, it is what it was before."""
    try:
        _require_whole(kept)
        with _opened(kept) as source, _opened(database) as target:
            source.backup(target)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (OSError, sqlite3.Error) as error:
        raise Refused(
            f"{kept} cannot be put back into {database} ({error}); give the command again."
        ) from None


def require_unused(file: Path | None, others: Sequence[str]) -> None:
    """Raise Refused where the SQLite *file* is open elsewhere, or *others* are connected to PostgreSQL."""
    if others:
        raise Refused(
            f"Others are connected to the database: {'; '.join(others)}. Stop them, on other machines too, then give "
            "the command again."
        )
    if file is not None and (found := who_has_open(file)):
        numbers = ", ".join(map(str, found))
        raise Refused(
            f"The database is open in process {numbers}. Stop it first, then give the command again."
        )


def who_has_open(database: Path) -> list[int]:
    """Processes other than this one that have the file open, as far as this user may see. Linux alone."""
    file = database.resolve()
    wanted = {str(file), f"{file}-wal"}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            opened = {str(link.readlink()) for link in (process / "fd").iterdir()}
            if opened & wanted and process.name != str(os.getpid()):
                found.append(int(process.name))
    return sorted(found)


def _require_whole(path: Path) -> None:
    with _opened(path) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise Refused(f"{path} is damaged ({said}); restore a backup instead.")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=20)
    try:
        yield connection
    finally:
        connection.close()
