"""How old the newest kit of each site is, here and at its places; and asking for another when it is time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min, Q

from inventory.copying import copies
from inventory.models import Change, KitPlace, Site
from provisioning import requests
from provisioning.clockwork import powered
from provisioning.engine.moments import DatabaseTime, database_now
from provisioning.kits.states import HERE
from provisioning.models import Job, KitState

log = logging.getLogger(__name__)

#: a kit that is missing for so many intervals is stale
LATE = 3
#: a site that never rests gets its kit after so many pauses
LONGEST = 8
#: seconds between two looks of one process
LOOK_EVERY = 60.0
#: seconds before one that failed is asked for again
RETRY_AFTER = 3600.0

_looked = float("-inf")


@dataclass(frozen=True)
class Newest:
    """The newest kit of a site at one place (empty: KIT_DIR), seconds old; None where there is none.

    *powered* is the same in powered-on time, by which it is judged: nobody could build one while the lab was off. Of a
    kit that was never built, it is that of the site.
    """

    site: str
    place: str
    age: float | None
    #: revisions of the site since
    behind: int
    fault: str = ""
    powered: float = 0.0

    @property
    def stale(self) -> str:
        """What is wrong with it, for people; empty: nothing."""
        where = f" at {self.place}" if self.place else ""
        if self.age is None and self.place:
            return f"The recovery kit of {self.site} never arrived{where}."
        if self.age is None:
            late = 0 < settings.KIT_EVERY_HOURS * 3600 < self.powered
            return (
                f"No recovery kit of {self.site} was ever built; ask for the job build_kit." if late else ""
            )
        limit = LATE * settings.KIT_EVERY_HOURS * 3600
        if limit and self.powered > limit:
            behind = f", {self.behind} revisions behind" if self.behind else ""
            old = timedelta(seconds=int(self.powered))
            return f"The recovery kit of {self.site}{where} is {old} of powered-on time old{behind}."
        return (
            f"The newest recovery kit of {self.site} did not arrive{where}: {self.fault}"
            if self.fault
            else ""
        )


def newest(sites: Q | None = None) -> list[Newest]:
    """Every site's kit where it is built and at each enabled place."""
    rows = KitState.objects.filter(sites or Q()).select_related("site")
    places = set(
        KitPlace.objects.filter(sites or Q(), enabled=True).values_list("site__slug", "name").order_by()
    )
    now, found = database_now(), dict[tuple[str, str], Newest]()
    powered_on = powered.ages(row.arrived for row in rows if row.arrived)
    for row in rows:
        key = (row.site.slug, row.place)
        if row.place == HERE or key in places:
            age = max(0.0, (now - row.arrived).total_seconds()) if row.arrived else None
            behind = row.site.revision - (row.revision or 0)
            on = powered_on[row.arrived] if row.arrived else 0.0
            found[key] = Newest(row.site.slug, row.place, age, behind, row.fault, on)
    for site, place in places - found.keys():
        found[site, place] = Newest(site, place, None, 0)
    for one in _never_built(sites):
        found[one.site, HERE] = one
    return [found[key] for key in sorted(found)]


def _never_built(sites: Q | None) -> Iterator[Newest]:
    """The sites that have no kit here, as old as their oldest change."""
    built = KitState.objects.filter(place=HERE, arrived__isnull=False).values("site")
    without = list(Site.objects.exclude(pk__in=built).values_list("pk", flat=True).order_by())
    if not without:
        return
    changes = Change.objects.filter(sites or Q(), site__in=without).order_by().values("site__slug")
    first = dict(changes.annotate(first=Min("at")).values_list("site__slug", "first"))
    powered_on = powered.ages(first.values())
    for slug, at in first.items():
        yield Newest(slug, HERE, None, 0, powered=powered_on[at])


def silence() -> str:
    """What is wrong, for ``/readyz``, which anybody reads: no site and no place is named. Empty: nothing."""
    if not settings.KIT_EVERY_HOURS:
        return ""
    ours = copies.live(Site.objects.all()).values("pk")  # of the others none is asked for here
    stale = [one for one in newest(Q(site__in=ours)) if one.stale]
    if not stale:
        return ""
    return f"{len(stale)} recovery kits are old or did not arrive where they belong; look at the jobs of kind build_kit"


def ask_when_due() -> None:
    """Part of each sweep: ask for a kit where the site has moved and rests again, or the newest is too old."""
    global _looked
    if not settings.KIT_EVERY_HOURS or time.monotonic() < _looked + LOOK_EVERY:
        return
    _looked = time.monotonic()
    for site, why in due():
        lately = Job.objects.filter(kind="build_kit", site=site, created__gt=DatabaseTime(-RETRY_AFTER))
        if lately.exclude(state="succeeded").exists():
            continue
        try:
            requests.request("build_kit", site=site, by="clock", why=why)
        except requests.Refused as reason:
            log.info("kit of %s: %s", site, reason)


def due() -> Iterator[tuple[Site, str]]:
    """The sites whose kit is to be built now, and why."""
    now = database_now()
    states = {row.site_id: row for row in KitState.objects.filter(place=HERE)}
    pause = timedelta(minutes=settings.KIT_AFTER_CHANGE_MINUTES)
    for site in copies.live(Site.objects.order_by("slug")):
        state = states.get(site.pk)
        at = state.arrived if state else None
        moved = at is None or state is None or site.revision != state.revision
        if moved and pause and _rests(site, state, now, pause):
            yield site, "The site was changed."
        elif at is None and not pause:
            yield site, "There is no kit yet."
        elif at and now - at > timedelta(hours=settings.KIT_EVERY_HOURS):
            yield site, "The newest kit is too old."


def _rests(site: Site, state: KitState | None, now: datetime, pause: timedelta) -> bool:
    """Whether the newest change is long enough ago, or the oldest that no kit has is too long ago."""
    known = (state.revision or 0) if state else 0
    moments = Change.objects.filter(site=site, revision__gt=known).aggregate(first=Min("at"), last=Max("at"))
    first, last = moments["first"], moments["last"]
    return last is None or now - last >= pause or now - first >= LONGEST * pause
