"""What a retired host leaves is withheld for a while; here it becomes free again."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from inventory import ledger
from inventory.changes import change
from inventory.models import Site


def release_expired(now: datetime | None = None) -> int:
    """End every quarantine whose time has passed, one change a site; return how many identities are free."""
    now = now or timezone.now()
    due = Site.objects.filter(identities__state="quarantined", identities__until__lte=now).distinct()
    return sum(_release(site, now) for site in due)


def _release(site: Site, now: datetime) -> int:
    with change(
        site, by="housekeeping", why="The quarantine has passed.", source="housekeeping"
    ) as the_change:
        count = ledger.release_expired(site, now)
        if count:  # somebody may have been faster
            the_change.record_for(site.pk)
    return count
