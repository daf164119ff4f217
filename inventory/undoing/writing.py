"""Writes a plan through the open door, in bulk: what goes, what is put back, what is there again."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from inventory import ledger
from inventory.changes import SiteChange
from inventory.models import Alias, Change, Declared, Identity, Site
from inventory.packed import from_text
from inventory.undoing.gathering import instance_of, introduce, models
from inventory.undoing.plan import Edit, Plan, Refusal, Touched
from inventory.undoing.standing import MANY, uniques

#: rows of one model, ready to be written
Rows = dict[tuple[Any, int], Any]


def write(plan: Plan, the_change: SiteChange) -> None:
    """Write *plan*, which concerns one site that the change names."""
    deleted = _instances(plan.deleted, "now")
    created = _instances(plan.created, "before")
    edited = _edited(plan.edits)
    _introduce(deleted, deleted)
    _introduce(edited, {**created, **edited})
    for model in reversed(models().values()):
        the_change.take_away([row for (of, _), row in deleted.items() if of is model])
    _make_room(the_change, plan.edits, edited)
    for model in models().values():
        _update(the_change, model, plan.edits, edited)
    _introduce(created, {**edited, **created})
    for model in models().values():
        rows = [row for (of, _), row in created.items() if of is model]
        if model is Alias:
            for row in rows:
                row.clean()
        the_change.create(rows)


def _instances(rows: Iterable[Touched], when: str) -> Rows:
    found: Rows = {}
    for row in rows:
        model = models()[row.noun.name]
        found[model, row.pk] = instance_of(model, row.pk, getattr(row, when))
    return found


def _edited(edits: Iterable[Edit]) -> Rows:
    by_model: dict[Any, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_model[models()[edit.row.noun.name]].append(edit)
    found: Rows = {}
    for model, mine in by_model.items():
        rows = model._base_manager.in_bulk([edit.row.pk for edit in mine])
        for edit in mine:
            row = found[model, edit.row.pk] = rows[edit.row.pk]
            for name, (_, then) in edit.columns.items():
                setattr(row, name, from_text(then) if name in edit.row.noun.json else then)
    return found


def _introduce(rows: Rows, known: Rows) -> None:
    """Rows ask their relatives which site they belong to; here each has them at hand."""
    by_model: dict[Any, list[Any]] = defaultdict(list)
    for (model, _), row in rows.items():
        by_model[model].append(row)
    for model in models().values():  # what others stand on first, so that they have theirs
        if by_model[model]:
            introduce(model, by_model[model], known)


def _make_room(the_change: SiteChange, edits: Iterable[Edit], rows: Rows) -> None:
    """Two rows may swap what must be unique: for a moment neither has it. History never sees that."""
    by_model: dict[Any, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_model[models()[edit.row.noun.name]].append(edit)
    for model, mine in by_model.items():
        for columns, _, _ in uniques(model):
            moving = [edit for edit in mine if edit.columns.keys() & set(columns)]
            wanted = {_then(edit, columns, rows[model, edit.row.pk]) for edit in moving}
            column = next((name for edit in moving for name in columns if name in edit.columns), "")
            for edit in moving:
                if column in edit.columns and _now(edit, columns) in wanted:
                    the_change.set_aside(model, edit.row.pk, column)


def _then(edit: Edit, columns: list[str], row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in columns)


def _now(edit: Edit, columns: list[str]) -> tuple[Any, ...]:
    return tuple((edit.row.now or {}).get(name) for name in columns)


def _update(the_change: SiteChange, model: type[Declared], edits: Iterable[Edit], rows: Rows) -> None:
    by_fields: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for edit in edits:
        if edit.row.noun.name == model._meta.model_name:
            fields = tuple(sorted(model._meta.get_field(name).name for name in edit.columns))
            by_fields[fields].append(rows[model, edit.row.pk])
    for fields, mine in by_fields.items():
        the_change.update(mine, fields)


def give_back(plan: Plan, site_id: int, given_up: datetime) -> None:
    """What a deleted host left in quarantine is its own again; not what a later host of the same name left."""
    hosts = {(row.before or {})["name"]: row.pk for row in plan.created if row.noun.name == "host"}
    if not hosts:
        return
    ledger.give_back(site_id, hosts, given_up)


def end_quarantines(site: Site, touched: set[int], started: datetime, undone: Sequence[Change]) -> None:
    """A quarantine that one of the *undone* changes began keeps nobody from getting back what was theirs."""
    wanted = _contested(site.pk, touched, started)
    holders = [one for one in _holders(site.pk, wanted).values() if one.state == "quarantined" and one.until]
    if not holders:
        return
    first = min(one.at for one in undone)
    at = list(Change.objects.filter(site=site, at__gte=first).order_by("at", "pk").values_list("at", "pk"))
    mine = {one.pk for one in undone}
    ended = []
    for one in holders:
        began = one.until - timedelta(days=settings.QUARANTINE_DAYS)  # type: ignore[operator]
        place = bisect_right(at, began, key=lambda row: row[0])
        if place and at[place - 1][1] in mine:
            ended.append(one)
    if ended:
        ledger.release(site, ended, timezone.now())


def _contested(site_id: int, touched: set[int], started: datetime) -> list[Identity]:
    new = Identity.objects.filter(site=site_id, state="disputed", since__gte=started)
    return [row for row in new if row.host_id in touched]


def _holders(site_id: int, rows: list[Identity]) -> dict[tuple[str, str], Identity]:
    """Who keeps the values of *rows* from them; one query for many, else for these alone."""
    holders = Identity.objects.filter(site=site_id, state__in=("held", "quarantined"))
    if len(rows) <= MANY:
        holders = holders.filter(value__in=[row.value for row in rows])
    return {(one.kind, one.value): one for one in holders}


def contested(site_id: int, touched: set[int], started: datetime) -> list[Refusal]:
    """What the ledger could not give back, because somebody outside of this change has it by now."""
    rows = _contested(site_id, touched, started)
    by_key, found = _holders(site_id, rows), []
    for row in rows:
        holder = by_key.get((row.kind, row.value))
        if holder is None or (holder.host_id in touched and holder.since >= started):
            continue
        if holder.state == "quarantined":
            until = f" until {holder.until:%Y-%m-%d}" if holder.until else ""
            said = f"{row.value} was {holder.host_name}'s and is in quarantine{until}; free it first"
        else:
            said = f"{row.value} belongs to {holder.host_name} by now; change it there first"
        found.append(Refusal(f"{said}: {row.host_name} cannot have it back."))
    return found
