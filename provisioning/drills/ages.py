"""How long ago the last drill was, and what to say of it; and asking for another when it is time."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings

from provisioning import requests, states
from provisioning.backups import ages
from provisioning.clockwork import powered
from provisioning.engine.moments import DatabaseTime, database_now
from provisioning.models import Job

log = logging.getLogger(__name__)

KIND = "drill_backup"
#: one that is missing for so many intervals is told as missing
LATE = 3
#: seconds between two looks of one process
LOOK_EVERY = 60.0
#: seconds before one that failed is asked for again
RETRY_AFTER = 86_400.0

_looked = float("-inf")


def last_good() -> datetime | None:
    """When the last drill that succeeded ended."""
    rows = Job.objects.filter(kind=KIND, state=states.SUCCEEDED, finished__isnull=False)
    return rows.order_by("-finished").values_list("finished", flat=True).first()


def age_seconds() -> float | None:
    at = last_good()
    return max(0.0, (database_now() - at).total_seconds()) if at else None


def powered_age() -> float | None:
    """The same in powered-on time: seconds in which workers were heard since."""
    at = last_good()
    return powered.age(at) if at else None


def silence() -> str:
    """What is wrong with drills, for ``/readyz`` and the first page; empty: nothing. In powered-on time."""
    hours = settings.BACKUP_DRILL_EVERY_HOURS
    if not hours:
        return ""
    newest = Job.objects.filter(kind=KIND, state__in=states.FINISHED).exclude(state=states.CANCELLED)
    found = newest.order_by("-finished", "-pk").values_list("state", flat=True).first()
    if found is not None and found != states.SUCCEEDED:
        return "the last drill of the backup failed: it may not come back as it was; look at its job"
    age = powered_age()
    if (powered.known() if age is None else age) <= LATE * hours * 3600:
        return ""  # a new installation is not at fault
    if age is None:
        return "the backup of this application was never drilled; manage.py job drill_backup does it"
    return f"the last drill of the backup is {timedelta(seconds=int(age))} of powered-on time ago; look at its jobs"


def ask_when_due() -> None:
    """Part of each sweep: ask for a drill where the last is BACKUP_DRILL_EVERY_HOURS ago and there is a backup to drill."""
    global _looked
    if not settings.BACKUP_DRILL_EVERY_HOURS or time.monotonic() < _looked + LOOK_EVERY:
        return
    _looked = time.monotonic()
    age = age_seconds()
    if age is not None and age < settings.BACKUP_DRILL_EVERY_HOURS * 3600:
        return
    lately = Job.objects.filter(kind=KIND, created__gt=DatabaseTime(-RETRY_AFTER))
    if lately.exists() or ages.newest() is None:
        return
    try:
        requests.request(KIND, by="clock", why="The last drill is too long ago.")
    except requests.Refused as reason:
        log.info("drill: %s", reason)
