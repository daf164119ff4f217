"""The scratch place of a drill: a folder of its own in ``DATA_DIR/drills``, on PostgreSQL a database of its own as well.

A place belongs to whoever holds its lock: the process that made it, and the processes that it started there. What nobody
holds is the rest of a drill that was killed, and goes with the next one or with housekeeping: first the database whose
name lies in the folder, then the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import DatabaseError, connection

from mgmtplane.parsers import Wrong, database_url
from provisioning.backups import archive
from provisioning.backups.archive import CannotBackUp

FOLDER, DOOR, LOCK, DATABASE = "drills", "door", "lock", "database"
NAME = re.compile(r"mgmtplane_drill_[0-9a-f]{12}")

NOT_OUR_KIND = (
    "This PostgreSQL role may make no database, so the backup was restored into SQLite. ALTER ROLE … CREATEDB lets a "
    "drill restore into PostgreSQL."
)


@dataclass(frozen=True)
class Scratch:
    folder: Path
    #: of ``DATABASE_URL`` in there
    url: str
    #: ``sqlite`` or ``postgresql``
    vendor: str
    #: descriptor of the lock, for the processes that are started there
    lock: int
    warnings: tuple[str, ...] = ()


@contextlib.contextmanager
def place() -> Iterator[Scratch]:
    """A place of our own, gone afterwards; what killed drills left goes first. Raises CannotBackUp."""
    sweep()
    try:
        with _door():
            folder, lock = _made()
    except OSError as error:
        raise _no_room(error) from None
    try:
        yield _furnished(folder, lock)
    except OSError as error:
        if error.errno not in archive.NO_ROOM:
            raise
        raise _no_room(error) from None
    finally:
        _remove(folder)
        os.close(lock)


def _no_room(error: OSError) -> CannotBackUp:
    return CannotBackUp(
        f"{error.filename or _root()} cannot be written ({error.strerror}); make room in DATA_DIR."
    )


def sweep() -> int:
    """Remove every place that nobody holds; how many."""
    if not _root().is_dir():
        return 0
    removed = 0
    with _door():
        for folder in sorted(path for path in _root().iterdir() if path.is_dir()):
            with _held(folder) as ours:
                removed += ours and _remove(folder)
    return removed


def _root() -> Path:
    return Path(settings.DATA_DIR) / FOLDER


@contextlib.contextmanager
def _door() -> Iterator[None]:
    """While a place is made, and while what is left is looked at: a new one has no lock for a moment."""
    _root().mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(_root() / DOOR, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _made() -> tuple[Path, int]:
    folder = _root() / secrets.token_hex(6)
    folder.mkdir(mode=0o700)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether the place is nobody else's; it is ours then."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> bool:
    """The database first: without the folder nobody would know its name. It stays where the database does not answer."""
    named = folder / DATABASE
    if named.exists() and NAME.fullmatch(name := named.read_text().strip()):
        try:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except DatabaseError:
            return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


# --- the database ---


def _furnished(folder: Path, lock: int) -> Scratch:
    if connection.vendor == "postgresql":
        name = f"mgmtplane_drill_{folder.name}"
        url = _url(name)
        if url and _may_create():
            (folder / DATABASE).write_text(name)
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
            return Scratch(folder, url, "postgresql", lock)
        return Scratch(folder, sqlite_in(folder), "sqlite", lock, (NOT_OUR_KIND,))
    return Scratch(folder, sqlite_in(folder), "sqlite", lock)


def sqlite_in(folder: Path) -> str:
    return f"sqlite:///{quote(str(folder))}/scratch.sqlite3"


def _may_create() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        row = cursor.fetchone()
    return bool(row and row[0])


def _url(name: str) -> str:
    """The URL of another database of our server; empty where it cannot be written as one."""
    ours = connection.settings_dict
    user = quote(str(ours["USER"]), safe="")
    password = f":{quote(str(ours['PASSWORD']), safe='')}" if ours["PASSWORD"] else ""
    port = f":{ours['PORT']}" if ours["PORT"] else ""
    options = {key: value for key, value in ours.get("OPTIONS", {}).items() if isinstance(value, str)}
    asked = f"?{urlencode(options)}" if options else ""
    url = f"postgresql://{user}{password}@{quote(str(ours['HOST']), safe='')}{port}/{name}{asked}"
    try:
        read = database_url(url)
    except Wrong:
        return ""
    same = all(str(read[key] or "") == str(ours[key] or "") for key in ("USER", "PASSWORD", "HOST", "PORT"))
    return url if same and read["NAME"] == name else ""
