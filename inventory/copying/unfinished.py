"""A restore that has put the rows into the database and is not over: said in the database itself, with the rows.

It is a line among Django's applied migrations, the one table that is there in every version: so it can be written in the
transaction of the rows of whatever version, and the migrations that follow can ask for it. Nothing but a restore writes
it, and it takes it away when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection as default
from django.db.migrations.recorder import MigrationRecorder

APP = "restoring"
#: Django's column has 255
LONGEST = 200
SAME, ANOTHER = "same", "another"


@dataclass(frozen=True)
class Restoring:
    """*digest* is of what is in the archive; *same_copy*: it is put back in its own place, and goes on being written."""

    digest: str
    same_copy: bool
    #: the name of the archive
    archive: str

    def __str__(self) -> str:
        return f"{self.digest[:32]} {SAME if self.same_copy else ANOTHER} {self.archive}"[:LONGEST]


def begin(what: Restoring) -> None:
    """In the transaction that puts the rows back."""
    MigrationRecorder(default).record_applied(APP, str(what))


def current(connection: Any = None) -> Restoring | None:
    """What is being restored into this database."""
    recorder = MigrationRecorder(connection or default)
    if not recorder.has_table():
        return None
    said = recorder.migration_qs.filter(app=APP).values_list("name", flat=True).first()
    if said is None:
        return None
    digest, copy, archive = said.split(" ", 2)
    return Restoring(digest, copy == SAME, archive)


def end() -> None:
    MigrationRecorder(default).migration_qs.filter(app=APP).delete()
