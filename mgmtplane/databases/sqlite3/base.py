"""A file that is gone, with the disk that it was on, is no new and empty database.

SQLite makes a file that it does not find, and removes the log of an empty one: what lay in that log alone would be lost
when the file comes back. ``make`` makes one, for those who begin a database.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db.backends.sqlite3 import base

from mgmtplane.databases.sqlite3 import EMPTY, GONE


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """As Django's; raises OperationalError where there is no file, or an empty one beside a log."""
        if self.is_in_memory_db():
            return super().get_new_connection(conn_params)
        path = Path(conn_params["database"])
        require(path)
        # https://www.sqlite.org/uri.html: “rw” opens and does not make
        return super().get_new_connection(
            {**conn_params, "database": f"file:{quote(os.fsencode(path))}?mode=rw"}
        )


def require(path: Path) -> None:
    """Raise OperationalError unless *path* can be opened without losing anything."""
    try:
        empty = path.stat().st_size == 0
    except FileNotFoundError:
        raise sqlite3.OperationalError(GONE) from None
    except OSError:
        return  # SQLite says why it cannot be opened
    if empty and _has_log(path):
        raise sqlite3.OperationalError(EMPTY)


def make(path: Path) -> None:
    """Make *path* where there is none: empty, and its owner's alone. Its log and index take over its mode.

    Raises OperationalError where that cannot be, or where its log is there without it.
    """
    if not path.exists() and _has_log(path):
        raise sqlite3.OperationalError(
            f"{GONE}, and its log is there: put the file back beside {path}-wal, or remove that"
        )
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise sqlite3.OperationalError(f"{path} cannot be made: {error.strerror}") from None


def _has_log(path: Path) -> bool:
    log = Path(f"{path.resolve()}-wal")
    return log.exists() and log.stat().st_size > 0
