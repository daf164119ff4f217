"""Drift as rows: opened once, closed by the survey that sees them gone, decided about by people. The only writer of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, DateTimeField, Value, When
from django.utils import timezone

from inventory import reading
from inventory.models import Site
from inventory.snapshot import HostFacts, Snapshot
from provisioning import states
from provisioning.engine.moments import database_now
from provisioning.machines.preflight import World
from provisioning.models import DriftDecision, DriftFinding, Job, Observation
from provisioning.models.drift import ACCEPTED, IGNORED, LOST, SEEN, UNKNOWN
from provisioning.models.observations import INTERFACES, NAME
from provisioning.observed import gathered, surveys
from provisioning.surveying.drifting import Drift, Drifts, Expected, drift
from provisioning.surveying.expecting import expected_of, owners_of

#: what of a row follows the newest survey
_OBSERVED = ("wanted", "found", "elsewhere", "vmid", "host_name")
_DECIDED = ("decision", "ignored_until", "decided", "decided_by", "decided_why")


class Refused(ValueError):
    """A decision that cannot be taken; the message says why, and the way out."""


# --- what surveys say ---


@dataclass
class _Verdict:
    """The open rows of a site against what was found."""

    opened: list[DriftFinding] = field(default_factory=list)
    #: still so, and otherwise than it was
    changed: list[DriftFinding] = field(default_factory=list)
    #: what had been decided about some of them, and holds no longer
    fallen: list[DriftDecision] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


def judge(site: Site, *, but: int | None = None) -> None:
    """Bring the rows of *site* to what its newest surveys say of the declaration of now. A fixed number of queries.

    A machine that an active job is at stays as it was, but for the job *but*, which is done with it.
    """
    snapshot = reading.load(site.slug)
    world, expected = surveys.world_of(snapshot, site), expected_of(snapshot)
    with transaction.atomic():
        standing = DriftFinding.objects.select_for_update().filter(site=site, closed=None)
        rows = list(standing.exclude(kind__in=gathered.KINDS))
        busy = _busy(site, but)
        found = _found(snapshot, world, expected, rows, busy)
        verdict = _compare(site, snapshot, world, expected, rows, found, busy)
        _write(verdict, _taken(world), snapshot.revision)
    judge_gathered(site)


def judge_gathered(site: Site, hosts: Collection[str] | None = None) -> None:
    """Bring what runs have gathered of *hosts* (None: of all) to rows, against the declaration of now."""
    snapshot = reading.load(site.slug)
    seen: dict[str, dict[str, Observation]] = {}
    rows = Observation.objects.filter(site=site, kind__in=(INTERFACES, NAME))
    for row in rows if hosts is None else rows.filter(host_name__in=hosts):
        seen.setdefault(row.host_name, {})[row.kind] = row
    with transaction.atomic():
        standing = DriftFinding.objects.select_for_update().filter(
            site=site, closed=None, kind__in=gathered.KINDS
        )
        before = {
            row.key: row for row in (standing if hosts is None else standing.filter(host_name__in=hosts))
        }
        for host, observed in seen.items():
            facts = snapshot.host_by_name.get(host)
            if facts is not None and not facts.is_retired:
                _gathered(site, facts, observed, before, snapshot.revision)
        # what is not so any more, and what is not declared any more
        over = [row.pk for row in before.values()]
        DriftFinding.objects.filter(pk__in=over).update(closed=database_now(), revision=snapshot.revision)


def _gathered(
    site: Site,
    host: HostFacts,
    observed: Mapping[str, Observation],
    before: dict[Any, DriftFinding],
    revision: int,
) -> None:
    """Open, or bring up to date, what contradicts of one host, and take that out of *before*."""
    name, cards = observed.get(NAME), observed.get(INTERFACES)
    found = gathered.contradictions(
        host,
        interfaces=cards.value if cards else None,
        name=str(name.value.get("hostname") or "") if name else None,
    )
    for one in found:
        at = (name if one.kind == gathered.NAME else cards or name).at  # type: ignore[union-attr]
        drifted = Drift(one.kind, "", host.vmid or 0, host.name, one.field, one.wanted, one.found)
        row = before.pop((one.kind, "", host.name, one.field), None)
        if row is None:
            row = DriftFinding(
                site=site, kind=one.kind, hypervisor="", subject=host.name, field=one.field, opened=at
            )
        else:
            DriftDecision.objects.bulk_create(_fallen(row, drifted))
        _updated(row, drifted)
        row.last_seen, row.revision, row.sight = at, revision, SEEN
        row.save()


def _found(
    snapshot: Snapshot,
    world: World,
    expected: tuple[Expected, ...],
    rows: list[DriftFinding],
    busy: frozenset[str],
) -> Drifts:
    return drift(
        [one for one in expected if one.hypervisor not in world.lost],
        world.surveys,
        owners=owners_of(snapshot),
        whereabouts={row.host_name: row.elsewhere for row in rows if row.elsewhere},
        busy=busy,
    )


def _busy(site: Site, but: int | None) -> frozenset[str]:
    """The hosts whose machines an active job is at."""
    prefix = f"{site.slug}/"
    keys = (
        Job.objects.filter(state__in=states.ACTIVE, machine_key__startswith=prefix)
        .exclude(pk=but or 0)
        .values_list("machine_key", flat=True)
    )
    return frozenset(key.removeprefix(prefix) for key in keys)


def _compare(
    site: Site,
    snapshot: Snapshot,
    world: World,
    expected: tuple[Expected, ...],
    rows: list[DriftFinding],
    drifts: Drifts,
    busy: frozenset[str],
) -> _Verdict:
    found, verdict, taken = {one.key: one for one in drifts.found}, _Verdict(), _taken(world)
    places = {(one.host, one.hypervisor) for one in expected}
    for row in rows:
        one = found.pop(row.key, None)
        if one is not None:
            verdict.seen.append(row.pk)
            if any(getattr(row, name) != value for name, value in _observed(one).items()):
                verdict.fallen += _fallen(row, one)
                verdict.changed.append(_updated(row, one))
        elif row.host_name and (row.host_name, row.hypervisor) not in places:
            verdict.gone.append(row.pk)  # it is not declared there any more, whatever is there
        elif row.hypervisor in world.lost:
            verdict.lost.append(row.pk)
        elif row.hypervisor in drifts.unknown or row.host_name in drifts.undecided:
            verdict.unknown.append(row.pk)
        elif row.host_name not in busy:
            verdict.gone.append(row.pk)
    verdict.opened = [
        DriftFinding(
            site=site,
            kind=one.kind,
            hypervisor=one.hypervisor,
            subject=one.subject,
            field=one.field,
            opened=taken[one.hypervisor],
            last_seen=taken[one.hypervisor],
            revision=snapshot.revision,
            **_observed(one),
        )
        for one in found.values()
    ]
    return verdict


def _observed(one: Drift) -> dict[str, Any]:
    return {
        "wanted": one.wanted,
        "found": one.found,
        "elsewhere": one.elsewhere,
        "vmid": one.vmid,
        "host_name": one.host,
    }


def _fallen(row: DriftFinding, one: Drift) -> list[DriftDecision]:
    """What was decided was about what was found then."""
    if not row.decision or (row.found, row.wanted) == (one.found, one.wanted):
        return []
    before, after = (f"{each.found or 'not there'} instead of {each.wanted or 'none'}" for each in (row, one))
    row.decision, row.ignored_until, row.decided, row.decided_by, row.decided_why = "", None, None, "", ""
    return [DriftDecision(finding=row, at=timezone.now(), verb="changed", why=f"{before} became {after}")]


def _updated(row: DriftFinding, one: Drift) -> DriftFinding:
    for name, value in _observed(one).items():
        setattr(row, name, value)
    return row


def _taken(world: World) -> dict[str, datetime]:
    return {
        name: datetime.fromisoformat(survey.taken)
        for name, survey in world.surveys.items()
        if survey is not None
    }


def _write(verdict: _Verdict, taken: Mapping[str, datetime], revision: int) -> None:
    rows, now = DriftFinding.objects, database_now()
    if verdict.changed:
        rows.bulk_update(verdict.changed, [*_OBSERVED, *_DECIDED])
        DriftDecision.objects.bulk_create(verdict.fallen)
    if verdict.seen:
        moments = [When(hypervisor=name, then=Value(moment)) for name, moment in taken.items()]
        last = Case(*moments, output_field=DateTimeField())
        rows.filter(pk__in=verdict.seen).update(sight=SEEN, last_seen=last, revision=revision)
    rows.filter(pk__in=verdict.unknown).update(sight=UNKNOWN)
    rows.filter(pk__in=verdict.lost).update(sight=LOST)
    rows.filter(pk__in=verdict.gone).update(sight=SEEN, closed=now, revision=revision)
    rows.bulk_create(verdict.opened, ignore_conflicts=True)  # another survey may have opened them just now


# --- what people decide ---


def accept(rows: Iterable[DriftFinding], *, by: Any, why: str) -> int:
    """Undeclared guests are known from now on, until they change; how many. Raises Refused."""
    chosen = list(rows)
    if others := [str(row) for row in chosen if row.kind != "undeclared"]:
        raise Refused(
            f"Only what nobody declares is accepted as known; {_some(others)} is declared. "
            "Take what was found as declared, repair it, or ignore it until a day."
        )
    return _decide(chosen, "accept", by, why, decision=ACCEPTED, until=None)


def ignore(rows: Iterable[DriftFinding], *, until: date, by: Any, why: str) -> int:
    """They are left alone up to *until*, included, and come back by themselves; how many. Raises Refused."""
    if until < timezone.localdate():
        raise Refused(f"{until} is over; say a day to come.")
    return _decide(list(rows), "ignore", by, why, decision=IGNORED, until=until)


def withdraw(rows: Iterable[DriftFinding], *, by: Any, why: str) -> int:
    """What was decided about them does not hold any more; how many. Raises Refused."""
    return _decide([row for row in rows if row.decision], "withdraw", by, why, decision="", until=None)


def note(row: DriftFinding, verb: str, *, by: Any, why: str) -> None:
    """Keep with *row* what was done about it elsewhere."""
    DriftDecision.objects.create(finding=row, at=database_now(), by=_name(by), verb=verb, why=why)


def _decide(
    rows: list[DriftFinding], verb: str, by: Any, why: str, *, decision: str, until: date | None
) -> int:
    if not why.strip():
        raise Refused("Say why; nothing was decided.")
    if closed := [str(row) for row in rows if row.closed]:
        raise Refused(f"{_some(closed)} is closed: there is nothing to decide about. Look at the list again.")
    now, name = database_now(), _name(by)
    with transaction.atomic():
        held = DriftFinding.objects.select_for_update().filter(pk__in=[row.pk for row in rows], closed=None)
        pks = list(held.values_list("pk", flat=True))
        held.filter(pk__in=pks).update(
            decision=decision,
            ignored_until=until,
            decided=now,
            decided_by=name,
            decided_why=why.strip(),
        )
        DriftDecision.objects.bulk_create(
            [
                DriftDecision(finding_id=pk, at=now, by=name, verb=verb, until=until, why=why.strip())
                for pk in pks
            ]
        )
    return len(pks)


def _name(by: Any) -> str:
    return by.get_username() if isinstance(by, AbstractBaseUser) else str(by or "")


def _some(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
