"""What ``manage.py`` runs: Django's commands, with a database that does not answer told in a sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from mgmtplane.databases.sqlite3 import GONE

#: How SQLite and PostgreSQL say that a table is missing.
NO_TABLE = re.compile(r'no such (?:table|column)|(?:relation|column) "?[\w.]+"? does not exist')


def run(argv: Sequence[str]) -> None:
    """Run the command named in *argv*. Exits with status 1 and a sentence when the database fails it.

    With ``--traceback`` the error is raised as it is.
    """
    try:
        execute_from_command_line(list(argv))
    except DatabaseError as error:
        if "--traceback" in argv:
            raise
        sys.exit(f"{' '.join(argv[:2])}: {sentence(error)}")
    except ValidationError as error:
        if type(error).__name__ != "ReadOnly" or "--traceback" in argv:
            raise
        sys.exit(f"{' '.join(argv[:2])}: {' '.join(error.messages)}")


def is_unprepared(error: DatabaseError) -> bool:
    """Whether there is no database yet, or none for this version: a command has nothing of its own to say of that, and
    lets ``run`` say it."""
    said = _said(error)
    return said == GONE or bool(NO_TABLE.search(said))


def sentence(error: DatabaseError) -> str:
    """What the database says, and the way out."""
    said = _said(error)
    if NO_TABLE.search(said):
        return (
            f"the database is not prepared for this version ({said}). Run manage.py migrate, or make up; if it should "
            "be, look whether DATA_DIR or DATABASE_URL names the right one."
        )
    if said == GONE:
        return (
            f"there is no database ({said}). If there should be one, mount its disk or put the file back; DATA_DIR or "
            "DATABASE_URL says where it lies. Run manage.py migrate, or make up, to begin a new one."
        )
    return (
        f"the database failed ({said}). See that it runs, has room and may be written to, and that nobody holds it; "
        "then run the command again."
    )


def _said(error: DatabaseError) -> str:
    return str(error).strip().partition("\n")[0]
