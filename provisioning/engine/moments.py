"""The database's own clock, as an expression: leases and heartbeats of many machines compare on one clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Func


class DatabaseTime(Func):
    """The moment at which the database comes to it, moved by *seconds*; the start of a transaction does not matter."""

    template = "%(function)s()"
    arity = 0

    def __init__(self, seconds: float = 0.0, **extra: Any) -> None:
        super().__init__(output_field=DateTimeField(), **extra)
        self.seconds = float(seconds)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:
        """Written as Django stores a moment, so that texts compare as moments do."""
        return "(strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s) || '000')", [f"{self.seconds:+.3f} seconds"]

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        return "(clock_timestamp() + %s * interval '1 second')", [self.seconds]


def database_now() -> datetime:
    """The database's moment, asked for."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found


#: goes on while the machine is suspended, which the other clock of its kind does not
_AWAKE = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Seconds of this machine, to be subtracted from each other; nobody sets it."""
    return time.clock_gettime(_AWAKE)
