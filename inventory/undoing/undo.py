"""Preview and do: one function for the browser, the command and whoever comes next."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from inventory import reading
from inventory.acts.effects import SMALL, Effect, effects
from inventory.changes import SiteChange, change
from inventory.findings import Finding
from inventory.models import Change, Host, Site
from inventory.permissions import may
from inventory.rows.sites import read_site
from inventory.rules import judge
from inventory.snapshot import Snapshot
from inventory.undoing import ports, standing, writing
from inventory.undoing.gathering import FOUNDED, gather
from inventory.undoing.plan import Plan, Refusal, plan_of
from inventory.undoing.readers import Reader, readers_since
from inventory.versions import digest

NOTHING_LEFT = "Nothing of it is left to undo."
NO_SITE = "The site is gone, and its rows with it; declare it from its document."
MOVED = "The site changed since you looked at this: see what undoing means now."
WHY_MISSING = "Say why; nothing was undone."
#: So many rows are tried, and a site of so many hosts is read and judged, behind the site's lock while somebody looks.
TRIED_ROWS, JUDGED_HOSTS = 500, 1_000
#: what the browser and the command call it in history
SOURCE = "undo"


class Refused(Exception):
    """Why nothing was undone; all reasons."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(one.sentence for one in refusals))
        self.refusals = list(refusals)


class Moved(Exception):
    """What would be done is no longer what was shown."""


@dataclass
class Preview:
    """What undoing *changes*, all of one site, would do."""

    site: Site
    changes: list[Change]
    plan: Plan
    readers: list[Reader] = field(default_factory=list)
    #: whether the database was asked, in a transaction that was thrown away
    tried: bool = False
    #: whether the findings were compared
    judged: bool = False
    new_findings: tuple[Finding, ...] = ()
    settled_findings: tuple[Finding, ...] = ()
    effects: tuple[Effect, ...] = ()
    #: whether the exports were rendered, which takes a while at a large site
    rendered: bool = False

    @property
    def refusals(self) -> list[Refusal]:
        return self.plan.refusals

    @property
    def is_possible(self) -> bool:
        return not (self.plan.refusals or self.plan.is_empty)

    @property
    def fingerprint(self) -> str:
        """The same as long as undoing means the same."""
        return fingerprint(self.plan)


def fingerprint(plan: Plan) -> str:
    told = [f"+{row.key}{sorted((row.before or {}).items(), key=str)}" for row in plan.created]
    told += [f"-{row.key}" for row in plan.deleted]
    told += [f"~{edit.row.key}{sorted(edit.columns.items(), key=str)}" for edit in plan.edits]
    return digest("\n".join(told))


# --- which changes ---


def of_one(one: Change) -> list[Change]:
    return [one]


def of_request(one: Change) -> list[Change]:
    """All changes of the request that made *one*, at this site and others, oldest first."""
    if one.batch is None:
        return [one]
    return list(Change.objects.filter(batch=one.batch).order_by("revision", "pk"))


def since(site: Site, revision: int) -> list[Change]:
    """Everything after *revision*, oldest first."""
    return list(Change.objects.filter(site=site, revision__gt=revision).order_by("revision"))


def revision_at(site: Site, moment: datetime) -> int:
    """The revision that the site had at *moment*; 0 when there was no site yet."""
    rows = Change.objects.filter(site=site, at__lt=moment).order_by("-revision")
    return rows.values_list("revision", flat=True).first() or 0


# --- what it means ---


def planned(site: Site, changes: Sequence[Change]) -> Plan:
    """The plan at this moment, with everything that stands in its way."""
    rows = gather(changes)
    founded = [row for row in rows if row.noun.name == "site" and (row.before is None or row.after is None)]
    if founded:
        return Plan(refusals=[Refusal(FOUNDED)])
    plan = plan_of(rows)
    ports.let_go(plan, site)
    plan.refusals += standing.refusals(plan, site)
    return plan


def preview(
    site: Site, changes: Sequence[Change], *, tried: bool | None = None, render: bool | None = None
) -> Preview:
    """What undoing *changes* would do.

    *tried*: whether to try it in a transaction that is thrown away, and to judge the site as it was in there. Others
    who write wait for that; None: as far as it takes no time, by the rows and the hosts. *render*: whether to compare
    the exports of the site that was judged; None: where it is small.
    """
    mine = [one for one in changes if one.site_id == site.pk]
    if not mine:
        return Preview(site, [], Plan(refusals=[Refusal(NO_SITE)]))
    found = Preview(site, mine, planned(site, mine))
    found.readers = readers_since(site.pk, min(one.revision for one in mine))
    found.tried = found.is_possible and (found.plan.size <= TRIED_ROWS if tried is None else tried)
    if not found.tried:
        return found
    judged = tried or Host.objects.filter(site=site).count() <= JUDGED_HOSTS
    before = reading.load(site.slug) if judged else None
    after = _tried(found, look=judged)
    if before is not None and after is not None:
        _judge(found, before, after, render)
    return found


def _judge(found: Preview, before: Snapshot, after: Snapshot, render: bool | None) -> None:
    found.judged = True
    today = timezone.localdate()
    old, new = set(judge(before, today)), judge(after, today)
    found.new_findings = tuple(one for one in new if one not in old)
    found.settled_findings = tuple(sorted(old - set(new), key=lambda one: (one.id, one.subject)))
    found.rendered = len(after.hosts) <= SMALL if render is None else render
    if found.rendered:
        found.effects = effects(before, after)


class _Tried(Exception):
    """Carries what was seen out of the transaction that is thrown away."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        super().__init__()
        self.snapshot = snapshot


def _tried(found: Preview, *, look: bool) -> Snapshot | None:
    """The site as it would be, if one is to *look*; what the database refuses comes to the refusals."""
    try:
        with change(Site.objects.get(pk=found.site.pk), source=SOURCE, trial=True) as the_change:
            _write(found.plan, found.site, the_change, found.changes)
            raise _Tried(read_site(found.site.pk) if look else None)
    except _Tried as tried:
        return tried.snapshot
    except Refused as refused:
        found.plan.refusals += refused.refusals
    except ValidationError as refusal:
        found.plan.refusals += [Refusal(message) for message in refusal.messages]
    return None


def _write(plan: Plan, site: Site, the_change: SiteChange, undone: Sequence[Change]) -> None:
    """Write *plan*, which undoes *undone*; the ledger has to agree."""
    started = timezone.now()
    writing.write(plan, the_change)
    writing.give_back(plan, site.pk, max(one.at for one in undone))
    the_change.settle()
    touched = the_change.touched_hosts[site.pk]
    writing.end_quarantines(site, touched, started, undone)
    refused = writing.contested(site.pk, touched, started)
    if refused:
        raise Refused(refused)


# --- who may ---


def lacking(user: Any, plan: Plan, site: Site) -> list[str]:
    """The permissions that *user* would need at *site* and has not."""
    wanted = {("add", row.noun.name) for row in plan.created}
    wanted |= {("delete", row.noun.name) for row in plan.deleted}
    wanted |= {("change", edit.row.noun.name) for edit in plan.edits}
    return [
        f"inventory.{verb}_{noun}"
        for verb, noun in sorted(wanted)
        if not may(user, f"inventory.{verb}_{noun}", site)
    ]


# --- doing it ---


def undo(
    changes: Collection[Change],
    *,
    by: Any,
    why: str,
    expected: dict[int, str] | None = None,
    user: Any = None,
) -> list[Change]:
    """Undo *changes* as one new change for each of their sites, all or nothing; return the new ones.

    *expected*: site id → fingerprint of what was shown; raises Moved when it means something else by now. *user*: whose
    permissions are asked for; None: nobody's, for who has a shell. Raises Refused.
    """
    if not why.strip():
        raise Refused([Refusal(WHY_MISSING)])
    sites = list(Site.objects.filter(pk__in={one.site_id for one in changes}))
    if not sites or any(one.site_id is None for one in changes):
        raise Refused([Refusal(NO_SITE)])
    said = why_of(changes, why)
    try:
        with change(*sites, by=by, why=said, source=SOURCE, batch=uuid.uuid4()) as the_change:
            mine = {site.pk: [one for one in changes if one.site_id == site.pk] for site in sites}
            plans = {site.pk: planned(site, mine[site.pk]) for site in sites}
            _refuse(plans.values())
            for site in sites:
                plan = plans[site.pk]
                if expected is not None and expected.get(site.pk) != fingerprint(plan):
                    raise Moved(MOVED)
                if user is not None and (missing := lacking(user, plan, site)):
                    raise Refused([Refusal(f"You lack {name} at {site}.") for name in missing])
                _write(plan, site, the_change, mine[site.pk])
    except ValidationError as refusal:
        raise Refused([Refusal(message) for message in refusal.messages]) from refusal
    return list(the_change.records.values())


def _refuse(plans: Collection[Plan]) -> None:
    found = [one for plan in plans for one in plan.refusals]
    if not found and all(plan.is_empty for plan in plans):
        found = [Refusal(NOTHING_LEFT)]
    if found:
        raise Refused(found)


def why_of(changes: Collection[Change], why: str) -> str:
    """The reason as history keeps it: which revisions, and what the person said."""
    revisions = sorted({one.revision for one in changes})
    if len(revisions) == 1:
        return f"Undo of revision {revisions[0]}: {why.strip()}"
    return f"Undo of revisions {revisions[0]} to {revisions[-1]}: {why.strip()}"
