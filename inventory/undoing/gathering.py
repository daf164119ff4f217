"""What history says of the rows that some changes wrote, as values; a fixed number of queries for each noun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import CharField, Count, Min, OuterRef, Subquery, Value
from django.utils.text import capfirst

from inventory.models import Authority, Change, Declared, Site
from inventory.models.fields import OrderedJSONField
from inventory.packed import from_text, to_text
from inventory.undoing.plan import Later, Noun, Touched, Values

#: a Site's own columns that the door and publication move; they only go forward
NEVER_BACK = frozenset({"id", "revision", "zone_serials", "uid", "epoch", "live_copy"})
INTERNAL = frozenset({"written", "sealed"})
#: to a statement; SQLite takes 32766
MOST_PARAMETERS = 30_000
FOREVER = "{row} was declared; a declaration of authority is never taken back: declare anew what holds now."
FOUNDED = "The site itself was founded or deleted by this; delete the site, or declare it from its document."


@cache
def models() -> dict[str, type[Declared]]:
    """noun → model, what others stand on first."""
    order = (
        "site",
        "role",
        "segment",
        "group",
        "host",
        "hypervisor",
        "virtualmachine",
        "interface",
        "service",
        "alias",
    )
    found = {
        str(model._meta.model_name): model
        for model in apps.get_models()
        if issubclass(model, Declared) and not model._meta.proxy and hasattr(model, "history")
    }
    return {name: found[name] for name in [*order, *(one for one in found if one not in order)]}


@cache
def columns_of(model: type[Declared]) -> dict[str, Any]:
    """attname → field of what is put back."""
    skipped = NEVER_BACK if model is Site else frozenset({"id"})
    return {field.attname: field for field in model._meta.concrete_fields if field.name not in skipped}


@cache
def noun_of(model: type[Declared]) -> Noun:
    columns = columns_of(model)
    return Noun(
        str(model._meta.model_name),
        str(model._meta.verbose_name),
        frozenset(name for name, one in columns.items() if isinstance(one, OrderedJSONField)),
        INTERNAL & columns.keys(),
        FOREVER if model is Authority else "",
        {name: str(one.verbose_name) for name, one in columns.items()},
    )


def values_of(row: Any, model: type[Declared]) -> dict[str, Any]:
    """The columns of a row, or of a history row of *model*."""
    json = noun_of(model).json
    return {
        name: to_text(getattr(row, name)) if name in json else getattr(row, name)
        for name in columns_of(model)
    }


def instance_of(model: type[Declared], pk: int, values: Values) -> Any:
    json = noun_of(model).json
    return model(
        **{model._meta.pk.attname: pk},
        **{name: from_text(value) if name in json else value for name, value in values.items()},
    )


def gather(changes: Collection[Change], *, most: int | None = None) -> list[Touched]:
    """Every row that *changes*, all of one site, wrote; no more than *most* of each noun."""
    ids, known = [one.pk for one in changes], {}  # type: tuple[list[int], dict[tuple[Any, int], Any]]
    return [row for model in models().values() for row in _of_model(model, ids, known, most)]


def _of_model(
    model: type[Declared], changes: list[int], known: dict[tuple[Any, int], Any], most: int | None
) -> Iterable[Touched]:
    history: Any = model.history.model.objects
    entries = history.filter(change__in=changes)
    if most is not None:
        first = entries.order_by("id").values_list("id", flat=True).distinct()[:most]
        if not (chosen := list(first)):
            return []
        entries = entries.filter(id__in=chosen)
    earlier = history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    mine = list(
        entries.annotate(previous_id=Subquery(earlier.values("history_id")[:1])).order_by("history_id")
    )
    if not mine:
        return []
    by_row: dict[int, list[Any]] = defaultdict(list)
    for entry in mine:
        by_row[entry.id].append(entry)
    previous = history.in_bulk([rows[0].previous_id for rows in by_row.values() if rows[0].previous_id])
    later = _later(model, entries, changes)
    now = {row.pk: row for row in model._base_manager.filter(pk__in=Subquery(entries.values("id")))}
    as_it_is = {pk: now.get(pk) or rows[-1].instance for pk, rows in by_row.items()}
    introduce(model, list(as_it_is.values()), known)
    known |= {(model, pk): row for pk, row in as_it_is.items()}
    found = []
    for pk, rows in by_row.items():
        first, last, name = rows[0], rows[-1], called(as_it_is[pk])
        after_it = [one for one in later.get(pk, ()) if one.history_id > first.history_id]
        base = previous.get(first.previous_id) if first.history_type != "+" else None
        before = None if first.history_type == "+" else values_of(base or first, model)
        after = None if last.history_type == "-" else values_of(last, model)
        stored = values_of(now[pk], model) if pk in now else None
        found.append(Touched(noun_of(model), pk, name, before, after, stored, _steps(model, last, after_it)))
    return found


def numbers(changes: Collection[Change]) -> dict[str, int]:
    """noun → how many rows *changes* wrote. One query for all nouns, or a few where the changes are very many."""
    ids = [one.pk for one in changes]
    counts = [
        model.history.model.objects.filter(change__in=ids)
        .order_by()
        .values(noun=Value(noun, output_field=CharField()))
        .annotate(number=Count("id", distinct=True))
        .values_list("noun", "number")
        for noun, model in models().items()
    ]
    at_once = max(1, MOST_PARAMETERS // (len(ids) + 1))
    found: dict[str, int] = {}
    for start in range(0, len(counts) if ids else 0, at_once):
        first, *others = counts[start : start + at_once]
        found |= {noun: number for noun, number in first.union(*others, all=True) if number}
    return found


def _later(model: type[Declared], entries: Any, changes: list[int]) -> dict[int, list[Any]]:
    """Entries of the same rows that are not undone and came after the first that is."""
    first = entries.aggregate(first=Min("history_id"))["first"]
    rows = model.history.model.objects.filter(
        id__in=Subquery(entries.values("id")), history_id__gt=first
    ).exclude(change__in=changes)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows.select_related("change").order_by("history_id"):
        found[row.id].append(row)
    return found


def _steps(model: type[Declared], last: Any, later: Sequence[Any]) -> tuple[Later, ...]:
    found, before = [], values_of(last, model)
    for row in later:
        values = values_of(row, model)
        moved = frozenset(name for name in values if values[name] != before[name])
        change = row.change
        found.append(
            Later(
                row.change_id or 0,
                change.revision if change else 0,
                change.by_name if change else "",
                row.history_type,
                moved,
            )
        )
        before = values
    return tuple(found)


def introduce(model: type[Declared], rows: Sequence[Any], known: Any = None) -> None:
    """Give each row the rows it refers to, one query for each column: rows name themselves by their relatives."""
    for field in model._meta.concrete_fields:
        if not field.is_relation:
            continue
        related: Any = field.related_model
        wanted = {getattr(one, field.attname) for one in rows} - {None}
        mine = {pk: known[related, pk] for pk in wanted if known and (related, pk) in known}
        missing = wanted - mine.keys()
        found = {**(related._base_manager.in_bulk(missing) if missing else {}), **mine}
        for one in rows:
            relative = found.get(getattr(one, field.attname))
            if relative is not None:
                setattr(one, field.name, relative)


def called(row: Any) -> str:
    """The row's name; one whose relatives are gone has at least its number."""
    try:
        return capfirst(str(row)) if isinstance(row, Authority) else str(row)
    except (ObjectDoesNotExist, AttributeError):
        return f"number {row.pk}"
