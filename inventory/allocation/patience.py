"""Who loses a race looks again, a few times and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection

from inventory.allocation.choosing import Refused

T = TypeVar("T")

ATTEMPTS = 5

#: Seconds before the second attempt; each later one waits twice as long.
PAUSE = 0.02

#: Seconds after which nobody begins again.
PATIENCE = 60

#: PostgreSQL's codes for “begin again”: serialization_failure and deadlock_detected.
SERIALISATION = ("40001", "40P01")


def patiently(act: Callable[[], T]) -> T:
    """Run *act*, which opens the door itself, again when somebody else was faster. Raises Refused in the end."""
    if connection.in_atomic_block:  # somebody else's transaction: it is theirs to begin again
        return act()
    began = time.monotonic()
    for attempt in range(ATTEMPTS):
        try:
            return act()
        except (ValidationError, OperationalError) as error:
            if not _is_a_lost_race(error):
                raise
            lost = error
        if time.monotonic() - began > PATIENCE:
            break
        time.sleep(PAUSE * 2**attempt)
    if isinstance(lost, ValidationError):  # the constraint has a sentence of its own
        raise lost
    raise Refused(
        "Others changed the same site at the same moment, again and again; nothing was handed out. Try again."
    ) from lost


def _is_a_lost_race(error: Exception) -> bool:
    """A constraint of the database that refused, a deadlock, a lock that did not come."""
    if isinstance(error, ValidationError):
        return isinstance(error.__cause__, IntegrityError)
    code = getattr(error.__cause__, "sqlstate", None)
    return code in SERIALISATION or "locked" in str(error)
