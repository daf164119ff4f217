"""What a retired host leaves is withheld for a while; here it becomes free again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from inventory import ledger
from inventory.changes import change
from inventory.copying import copies
from inventory.models import Identity, Site


def release_expired(now: datetime | None = None) -> int:
    """End every quarantine whose time has passed, one change a site; return how many identities are free."""
    now = now or timezone.now()
    passed = Identity.objects.filter(site=OuterRef("pk"), state="quarantined", until__lte=now)
    due = copies.live(Site.objects.filter(Exists(passed)))
    return sum(_release(site, now) for site in due)


def free(identities: Sequence[Identity], *, by: Any, why: str, source: str) -> int:
    """End the quarantine of *identities* before its time, one change a site; return how many are free now."""
    wanted = [row.pk for row in identities]
    done, batch = 0, uuid.uuid4()
    for site in Site.objects.filter(identities__in=wanted).distinct():
        with change(site, by=by, why=why, source=source, batch=batch) as the_change:
            rows = list(site.identities.filter(pk__in=wanted, state=Identity.State.QUARANTINED))
            if rows:
                the_change.record_for(site.pk)
                done += ledger.release(site, rows, timezone.now())
    return done


def _release(site: Site, now: datetime) -> int:
    with change(
        site, by="housekeeping", why="The quarantine has passed.", source="housekeeping"
    ) as the_change:
        count = ledger.release_expired(site, now)
        if count:  # somebody may have been faster
            the_change.record_for(site.pk)
    return count
