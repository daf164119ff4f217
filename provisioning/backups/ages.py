"""How old the newest backup is, and what to say of it; and asking for another when it is time."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from inventory.copying import copies
from inventory.models import Site
from provisioning import requests
from provisioning.backups import archive
from provisioning.clockwork import powered
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job

log = logging.getLogger(__name__)

#: a backup that is missing for so many intervals is told as missing
LATE = 3
#: seconds between two looks of one process at the folder
LOOK_EVERY = 60.0

#: seconds before one that failed is asked for again
RETRY_AFTER = 3600.0

_looked = float("-inf")


def newest() -> datetime | None:
    """When the newest archive in BACKUP_DIR was made; None as well where that cannot be read."""
    try:
        found = archive.newest(settings.BACKUP_DIR)
    except archive.CannotBackUp:
        return None
    return archive.made_at(found) if found else None


def age_seconds() -> float | None:
    at = newest()
    return max(0.0, (datetime.now(UTC) - at).total_seconds()) if at else None


def powered_age() -> float | None:
    """The same in powered-on time: seconds in which workers were heard since."""
    at = newest()
    return powered.age(at) if at else None


def silence() -> str:
    """What is wrong with the newest backup, for ``/readyz`` and the first page; empty: nothing.

    In powered-on time: who switches a lab on after weeks is not told what nobody could have done.
    """
    if not settings.BACKUP_EVERY_HOURS or not copies.is_live(None):  # none is asked for there
        return ""
    try:
        found = archive.archives(settings.BACKUP_DIR)
    except archive.CannotBackUp:
        return "BACKUP_DIR cannot be read, so how old the newest backup is nobody knows; mount it, or see its rights"
    return "; ".join(one for one in (_lateness(), _future(found)) if one)


def _future(found: list[Path]) -> str:
    count = sum(archive.is_of_the_future(path) for path in found)
    if not count:
        return ""
    return (
        f"{count} archives in BACKUP_DIR are of the future and do not count: the clock was ahead, or is behind; set it "
        "right, and remove those that were never of that day"
    )


def _lateness() -> str:
    age = powered_age()
    if age is None:
        return "there is no backup of this application yet; manage.py backup create makes one"
    if age > LATE * settings.BACKUP_EVERY_HOURS * 3600:
        return (
            f"the newest backup of this application is {timedelta(seconds=int(age))} of powered-on time old; look at its "
            "jobs"
        )
    return ""


def ask_when_due() -> None:
    """Part of each sweep: ask for a backup where the newest is older than BACKUP_EVERY_HOURS."""
    global _looked
    if not settings.BACKUP_EVERY_HOURS or time.monotonic() < _looked + LOOK_EVERY:
        return
    _looked = time.monotonic()
    age = age_seconds()
    if age is not None and age < settings.BACKUP_EVERY_HOURS * 3600:
        return
    lately = Job.objects.filter(kind="backup_application", created__gt=DatabaseTime(-RETRY_AFTER))
    if lately.exists() or not Site.objects.exists():  # nothing is declared: nothing to lose
        return
    if not copies.is_live(
        None
    ):  # where backups of several copies lie together, the live one's would go for it
        return
    try:
        requests.request("backup_application", by="clock", why="The newest backup is too old.")
    except requests.Refused as reason:
        log.info("backup: %s", reason)
