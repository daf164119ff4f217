"""Keeps the ledger of identities true to the rows. Called by the door before it commits; by nobody else.

A claim is what a host that is not retired says of itself: its MACs, addresses and names. The first to claim a value
holds it. A person's second claim is refused; an import's is stored as disputed. A claim given up goes into
quarantine, unless a disputant was waiting for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from inventory.models import Identity, Segment, Site
from inventory.rows.hosts import host_facts
from inventory.snapshot import SegmentFacts, claims_of

Key = tuple[str, str]  # kind, value

#: What keeps others from a value.
BLOCKING = frozenset({"held", "quarantined"})

#: From here on one query for the whole site is cheaper than asking for the touched hosts alone.
MANY = 500
#: rows in one statement, and how many different values are written with a statement each
BATCH, FEW = 500, 20


class Contested(ValidationError):
    """Somebody else has, or lately had, what a host is to get; each message begins with the value."""


@dataclass
class _Pending:
    """What settling will write."""

    new: list[Identity] = field(default_factory=list)
    moved: list[Identity] = field(default_factory=list)
    renamed: list[Identity] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def settle(site: Site, touched: set[int], *, strict: bool, remembered: Collection[Key] = frozenset()) -> None:
    """Bring the ledger to what the *touched* hosts now claim; what a site document *remembered* stays withheld.

    Raises Contested naming every contested value when *strict*; nothing is written then.
    """
    if not touched:
        return
    claims, names = _claims(site, touched)
    rows = _rows(site, touched, claims)
    now = timezone.now()
    pending = _Pending()
    _rename(rows, names, pending)
    by_key: dict[Key, list[Identity]] = defaultdict(list)
    for row in rows:
        by_key[row.kind, row.value].append(row)
    for key, claimed in by_key.items():
        if (
            key not in remembered
        ):  # housekeeping ends a quarantine that had passed when the document was written
            _release(key, claimed, touched, claims, now, pending)
    for key, claimants in claims.items():
        for host_id in sorted(claimants, key=lambda pk: names[pk]):
            _claim(site, key, host_id, names[host_id], by_key[key], now, pending, strict=strict)
    if pending.refused:
        raise Contested(sorted(pending.refused))
    _write(pending)


def _claims(site: Site, touched: set[int]) -> tuple[dict[Key, set[int]], dict[int, str]]:
    ids = None if len(touched) > MANY else sorted(touched)
    segments = {
        pk: SegmentFacts(name, suffix=suffix)
        for pk, name, suffix in Segment.objects.filter(site=site).values_list("pk", "name", "suffix")
    }
    facts = host_facts(site.pk, {pk: segment.name for pk, segment in segments.items()}, ids)
    by_name = {segment.name: segment for segment in segments.values()}
    names: dict[int, str] = {}
    claims: dict[Key, set[int]] = defaultdict(set)
    for pk, (host, _) in facts.items():
        if pk not in touched:
            continue
        names[pk] = host.name
        if not host.is_retired:
            for kind, value, _ in claims_of([host], by_name):
                claims[kind, value].add(pk)
    return claims, names


def _rows(site: Site, touched: set[int], claims: dict[Key, set[int]]) -> list[Identity]:
    """The active rows of the touched hosts, and everybody's for the values they claim or give up."""
    active = Identity.objects.active().filter(site=site)
    if len(touched) > MANY:
        return list(active)
    # Deleting a host leaves its rows behind without one: they are given up as well.
    mine = list(active.filter(Q(host__in=touched) | Q(host=None, state__in=["held", "disputed"])))
    values = {value for _, value in claims} | {row.value for row in mine}
    return list(active.filter(value__in=values))


def _rename(rows: Sequence[Identity], names: Mapping[int, str], pending: _Pending) -> None:
    """A host keeps its claims under the name that it has now: refusals send people to it."""
    for row in rows:
        name = names.get(row.host_id or 0, row.host_name)
        if row.host_name != name:
            row.host_name = name
            pending.renamed.append(row)


def _release(
    key: Key,
    claimed: list[Identity],
    touched: set[int],
    claims: dict[Key, set[int]],
    now: datetime,
    pending: _Pending,
) -> None:
    """Give up what touched hosts no longer claim; a waiting disputant takes over."""
    for row in list(claimed):
        gone = row.host_id in touched and row.host_id not in claims.get(key, ())
        orphaned = row.host_id is None and row.state != "quarantined"
        expired = row.state == "quarantined" and row.until is not None and row.until <= now
        if expired or (row.state == "disputed" and (gone or orphaned)):
            _move(row, "released", now, pending)
            claimed.remove(row)
    holder = next((row for row in claimed if row.state in BLOCKING), None)
    waiting = sorted((row for row in claimed if row.state == "disputed"), key=_order_of_claims)
    if holder is None and waiting:  # a quarantine has passed
        _hold(waiting[0], pending)
    if holder is None or not _is_given_up(holder, touched, claims.get(key, ())):
        return
    handed_over = bool(claims.get(key, set()) - {holder.host_id})
    if handed_over and not waiting:  # a service or an interface moves to another host in one change
        _move(holder, "released", now, pending)
        claimed.remove(holder)
    elif waiting:
        _move(holder, "released", now, pending)
        claimed.remove(holder)
        _hold(waiting[0], pending)
    else:
        _move(holder, "quarantined", now, pending)
        holder.until = now + timedelta(days=settings.QUARANTINE_DAYS)


def _is_given_up(holder: Identity, touched: set[int], claimants: Collection[int]) -> bool:
    if holder.state != "held":
        return False
    return holder.host_id is None or (holder.host_id in touched and holder.host_id not in claimants)


def _order_of_claims(row: Identity) -> tuple[datetime, str]:
    return row.since, row.host_name


def _hold(row: Identity, pending: _Pending) -> None:
    """It waited for this."""
    row.state = "held"
    pending.moved.append(row)


def _move(row: Identity, state: str, now: datetime, pending: _Pending) -> None:
    row.state, row.until = state, now if state == "released" else row.until
    pending.moved.append(row)


def _claim(
    site: Site,
    key: Key,
    host_id: int,
    name: str,
    claimed: list[Identity],
    now: datetime,
    pending: _Pending,
    *,
    strict: bool,
) -> None:
    kind, value = key
    own = next((row for row in claimed if row.host_id == host_id), None)
    if own is not None and own.state != "quarantined":
        return
    other = next((row for row in claimed if row is not own and (own or row.state in BLOCKING)), None)
    if other is not None and strict:
        pending.refused.append(_refusal(value, name, other))
        return
    if own is not None:  # back from quarantine to the host that gave it up
        own.state, own.until, own.since = "held", None, now
        pending.moved.append(own)
        return
    row = Identity(
        site=site,
        kind=kind,
        value=value,
        state="disputed" if other else "held",
        host_id=host_id,
        host_name=name,
        since=now,
    )
    claimed.append(row)
    pending.new.append(row)


def _refusal(value: str, name: str, holder: Identity) -> str:
    if holder.state == "quarantined":
        until = f" until {holder.until:%Y-%m-%d}" if holder.until else ""
        return f"{value} was {holder.host_name}'s and is in quarantine{until}; give {name} another, or free it first."
    return f"{value} belongs to {holder.host_name}; give {name} another, or change it there first."


def _write(pending: _Pending) -> None:
    """Releases first: the partial unique constraint looks at every statement."""
    from inventory.door import bulk_allowed

    moved = {row.pk: row for row in pending.moved}.values()
    with bulk_allowed():
        for state in ("released", "quarantined", "disputed", "held"):
            rows = [row for row in moved if row.state == state]
            _set(rows, ["state", "until"])
            _set(rows, ["since"])
        _set(list({row.pk: row for row in pending.renamed}.values()), ["host_name"])
        Identity.objects.bulk_create(pending.new, batch_size=1000)


def _set(rows: Sequence[Identity], columns: list[str]) -> None:
    """Write *columns* of *rows*. Most rows of one change get the same: that is a statement for each batch of them."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in rows:
        groups[tuple(getattr(row, name) for name in columns)].append(row.pk)
    if len(groups) > FEW:
        Identity.objects.bulk_update(rows, columns, batch_size=BATCH)
        return
    for values, keys in groups.items():
        for start in range(0, len(keys), BATCH):
            found = Identity.objects.filter(pk__in=keys[start : start + BATCH])
            found.update(**dict(zip(columns, values, strict=True)))


def remember(moved: Sequence[Identity], new: Sequence[Identity]) -> None:
    """Write what a site document remembers. The caller holds the door, which settles the ledger afterwards as ever."""
    _write(_Pending(new=list(new), moved=list(moved), renamed=list(moved)))


def give_back(site_id: int, hosts: Mapping[str, int], given_up: datetime) -> None:
    """What deleted hosts left in quarantine is theirs again now that they are back: name → id.

    Not what a later host of the same name left, which claimed it after *given_up*. The caller holds the door.
    """
    from inventory.door import bulk_allowed

    left = Identity.objects.filter(site=site_id, host=None, state="quarantined", since__lte=given_up)
    rows = [row for row in left if row.host_name in hosts]
    for row in rows:
        row.host_id = hosts[row.host_name]
    with bulk_allowed():
        Identity.objects.bulk_update(rows, ["host"], batch_size=500)


def release_expired(site: Site, now: datetime) -> int:
    """End every quarantine whose time has passed; return how many. The caller holds the door of *site*."""
    rows = list(Identity.objects.filter(site=site, state="quarantined", until__lte=now))
    _set_free(site, rows, pending := _Pending())
    _write(pending)
    return len(rows)


def release(site: Site, rows: Sequence[Identity], now: datetime) -> int:
    """Set *rows*, which are in quarantine, free at once. The caller holds the door of *site*."""
    for row in rows:
        row.until = now
    _set_free(site, rows, pending := _Pending())
    _write(pending)
    return len(rows)


def _set_free(site: Site, rows: Sequence[Identity], pending: _Pending) -> None:
    """Release *rows*; whoever claimed their values meanwhile, and waited longest, holds them now."""
    waiting: dict[Key, list[Identity]] = defaultdict(list)
    for row in Identity.objects.filter(site=site, state="disputed"):
        waiting[row.kind, row.value].append(row)
    for row in rows:
        row.state = "released"
        pending.moved.append(row)
        if claimed := waiting[row.kind, row.value]:
            _hold(min(claimed, key=_order_of_claims), pending)
