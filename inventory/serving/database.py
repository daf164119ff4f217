"""How the database fares: reached quickly or not at all, whether it takes changes, and what its errors mean."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connection

from mgmtplane.databases.sqlite3 import GONE

#: seconds that a request waits for a SQLite file that somebody holds alone; readers beside a writer never wait
PATIENCE = 2.0

#: seconds that a server which takes connections has to answer a reader's query: longer than a zone serial waits
ANSWER = 25.0

#: seconds for which it is told that changes are not taken; readers write something down once a minute
REMEMBER = 90.0

#: on a full disk a small change may be taken between two that are not: it is over once none was refused for so many seconds
STEADY = 3.0

#: primary codes of https://www.sqlite.org/rescode.html, SQLSTATEs of https://www.postgresql.org/docs/current/errcodes-appendix.html
READ_ONLY, FULL = "read-only", "full"
OF_SQLITE = {8: READ_ONLY, 13: FULL}
OF_POSTGRESQL = {"25006": READ_ONLY, "53100": FULL}
NO_ROOM = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}

_held_back = False
_ailing = ""
_ailing_since = float("-inf")
_taken = float("-inf")


class ReadOnlyFile(OperationalError):
    """The database is a file that may not be written."""


def ailment(error: BaseException) -> str:
    """``read-only`` or ``full`` where *error* says that; else empty."""
    if isinstance(error, OSError):
        return NO_ROOM.get(error.errno or 0, "")
    if isinstance(error, ReadOnlyFile):
        return READ_ONLY
    cause: Any = error.__cause__
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return OF_SQLITE.get(code & 0xFF, "")
    return OF_POSTGRESQL.get(getattr(cause, "sqlstate", None) or "", "")


def is_away(error: BaseException) -> bool:
    """Whether the database, and not what was asked of it, is the reason."""
    return isinstance(error, OperationalError | InterfaceError) or bool(
        isinstance(error, DatabaseError) and ailment(error)
    )


def note_refusal(error: BaseException) -> None:
    """A change was refused; readers are told for a while, where the reason stays until somebody acts."""
    global _ailing, _ailing_since
    if what := ailment(error):
        _ailing, _ailing_since = what, time.monotonic()


def note_taken() -> None:
    """A change was taken."""
    global _taken
    _taken = time.monotonic()


def ailing() -> str:
    """``read-only`` or ``full`` where a change was refused for that just now; else empty."""
    now = time.monotonic()
    over = _taken > _ailing_since and now > _ailing_since + STEADY
    return "" if over or now > _ailing_since + REMEMBER else _ailing


def reach(*, thoroughly: bool = False) -> None:
    """Raise DatabaseError unless the database can be read now, within PATIENCE; no query that is counted.

    *thoroughly*, a table of a server that somebody holds alone is away as well.
    """
    if _held_back:
        raise OperationalError(GONE)
    if connection.in_atomic_block:
        return
    if connection.vendor == "sqlite":
        own: Any = connection
        if not own.is_in_memory_db():
            _require_there_and_writable(Path(connection.settings_dict["NAME"]))
        _reach_file()
        return
    _reach_server()
    if thoroughly:
        with impatient(), connection.cursor() as cursor, contextlib.suppress(ProgrammingError):
            cursor.execute("SELECT 1 FROM inventory_site LIMIT 1")  # before the first migration there is none


def _reach_server() -> None:
    """A kept connection that was closed is made anew; of one that is silent it is raised."""
    own: Any = connection
    with own.wrap_database_errors:
        if not own.answers():
            own.close()
            with own.in_time(ANSWER):
                own.ensure_connection()
            own.answers()
    own.health_check_done = True  # Django's own would ask once more


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """A reader waits PATIENCE for a table of a server that somebody holds alone, and ANSWER for each query.

    No query that is counted.
    """
    own: Any = connection
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    own.close_if_health_check_failed()
    own.ensure_connection()
    held = own.connection
    with own.wrap_database_errors, own.in_time(ANSWER):
        held.execute(f"SET lock_timeout = '{int(PATIENCE * 1000)}ms'")
    try:
        with connection.execute_wrapper(_in_time):
            yield
    finally:
        if own.connection is held and not held.closed:
            with own.wrap_database_errors, own.in_time(ANSWER):
                held.execute("RESET lock_timeout")


@contextlib.contextmanager
def unless_frozen() -> Iterator[None]:
    """What waits in here for a server that is found frozen meets a closed connection; a query may take its time."""
    own: Any = connection
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with own.in_time(math.inf):
        yield


def _in_time(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    own: Any = connection
    with own.in_time(ANSWER):
        return execute(sql, params, many, context)


def _require_there_and_writable(path: Path) -> None:
    """Raise where it is not: such a file is not opened.

    One that is gone, with the disk that it was on, would be made anew, and empty. Of one that may not be written: while
    one connection of a process is open, each further one shares its memory of the log, read-only as it was opened; that
    the file can be written again would not be noticed under load.
    """
    if not path.exists():
        raise OperationalError(GONE)
    if not os.access(path, os.W_OK):
        raise ReadOnlyFile("the file of the database is read-only")


def _reach_file() -> None:
    own: Any = connection  # past the log of queries: this is none
    declared = own.settings_dict
    patience = declared["OPTIONS"].get("timeout", 5.0)
    if own.connection is None:
        own.settings_dict = {**declared, "OPTIONS": {**declared["OPTIONS"], "timeout": PATIENCE}}
        try:
            own.ensure_connection()
        finally:
            own.settings_dict = declared
    with own.wrap_database_errors:
        try:
            own.connection.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
            found = own.connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
        finally:
            own.connection.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")
    if found is None and has_served():
        raise OperationalError("the file of the database is empty, and was not before")


def has_served() -> bool:
    """Whether files went out of a database before: they are still mirrored."""
    return any((Path(settings.DATA_DIR) / "mirror").glob("*/*.json"))


def lost() -> Path | None:
    """The SQLite file that is gone or empty although files went out of it before; None where there is no such thing."""
    own: Any = connection
    if own.vendor != "sqlite" or own.is_in_memory_db():
        return None
    path = Path(own.settings_dict["NAME"])
    try:
        is_there = path.stat().st_size > 0
    except FileNotFoundError:
        is_there = False
    except OSError:
        return None  # SQLite says why it cannot be opened
    return None if is_there or not has_served() else path


def hold_back() -> None:
    """From now on the database is away for this process, also where its file is there: somebody puts it back just now."""
    global _held_back
    _held_back = True


def is_read_only() -> bool:
    """Whether the server says that it takes no changes; a file that does is not reached."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone()[0] == "on")


def forget() -> None:
    """What this process remembers, for tests."""
    global _ailing, _held_back
    _ailing, _held_back = "", False
