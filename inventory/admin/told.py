"""Rows of history told to people: by noun, each with what became different. As many queries for many rows as for few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

from inventory.differences import Difference, as_text, difference, readable
from inventory.packed import from_text
from inventory.undoing.gathering import called, columns_of, models
from inventory.undoing.plan import Touched, Values

#: An import may have written twenty thousand rows; a page shows so many of each noun.
SHOWN_PER_NOUN = 50


#: (model, id) → what it is called
Names = dict[tuple[Any, Any], str]


@dataclass(frozen=True)
class Item:
    """A row, and its columns before and after; None: it is not there."""

    row: Touched
    old: Values | None
    new: Values | None


@dataclass
class Row:
    name: str
    how: str
    page: str = ""
    differences: list[Difference] = field(default_factory=list)


@dataclass
class Noun:
    name: str
    rows: list[Row]
    number: int
    more: int = 0


#: how a row moved, in words: appeared, went, changed
WORDS = ("created", "deleted", "changed")


def told(
    items: Iterable[Item],
    *,
    words: Sequence[str] = WORDS,
    numbers: Mapping[str, int] | None = None,
    names: Names | None = None,
) -> list[Noun]:
    """*items* by noun. *numbers*: how many rows of each noun there are, where *items* are only the first of them.

    *names*: as ``names_of``, for who tells several lists.
    """
    by_noun: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_noun[item.row.noun.name].append(item)
    shown = {noun: mine[:SHOWN_PER_NOUN] for noun, mine in by_noun.items()}
    known = names_of([item for mine in shown.values() for item in mine]) if names is None else names
    found = []
    for noun, model in models().items():
        mine = shown.get(noun, [])
        if not mine:
            continue
        number = (numbers or {}).get(noun, len(by_noun[noun]))
        rows = [_told(model, item, words, known) for item in mine]
        found.append(Noun(str(model._meta.verbose_name_plural), rows, number, number - len(mine)))
    return found


def _told(model: Any, item: Item, words: Sequence[str], names: Names) -> Row:
    appeared, went, changed = words
    how = appeared if item.old is None else went if item.new is None else changed
    row = Row(item.row.name, how, _page(model, item.row) if item.row.now is not None else "")
    for name, column in columns_of(model).items():
        if name in item.row.noun.internal or column.name in ("site",):
            continue
        old, new = (None if one is None else one.get(name) for one in (item.old, item.new))
        if old == new or (item.old is None and _is_default(column, new)):
            continue
        if item.new is None and _is_default(column, old):
            continue
        row.differences.append(_difference(column, old, new, names))
    return row


def _is_default(column: Any, value: Any) -> bool:
    return value in (None, "", "{}", "[]", False) or (column.has_default() and value == column.get_default())


def _difference(column: Any, old: Any, new: Any, names: Names) -> Difference:
    return difference(
        capfirst(str(column.verbose_name)), _text(column, old, names), _text(column, new, names)
    )


def _text(column: Any, value: Any, names: Names) -> str:
    if value in (None, ""):
        return ""
    if column.is_relation:
        return names.get((column.related_model, value), f"number {value}, which is gone")
    if column.__class__.__name__ == "OrderedJSONField":
        return as_text(from_text(value), column.name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(readable(str(dict(column.flatchoices).get(value, value)), column.name))


def names_of(items: Sequence[Item]) -> Names:
    """What everything that *items* refer to is called; one query for each model, two where some of it is gone."""
    found: Names = {}
    for related, keys in _wanted(items).items():
        stored = related._base_manager.in_bulk(keys)
        found |= {(related, pk): called(row) for pk, row in stored.items()}
        gone = keys - stored.keys()
        if gone and hasattr(related, "history"):
            for row in related.history.model.objects.filter(id__in=gone).order_by("history_id"):
                found[related, row.id] = f"{called(row.instance)} (gone)"
    return found


def _wanted(items: Sequence[Item]) -> dict[Any, set[Any]]:
    """Model → keys of the rows that *items* refer to."""
    wanted: dict[Any, set[Any]] = defaultdict(set)
    relations = {
        noun: [
            (name, column.related_model) for name, column in columns_of(model).items() if column.is_relation
        ]
        for noun, model in models().items()
    }
    for item in items:
        for name, related in relations[item.row.noun.name]:
            values = (one.get(name) for one in (item.old, item.new) if one)
            wanted[related].update(value for value in values if value is not None)
    return wanted


def _page(model: Any, row: Touched) -> str:
    try:
        return reverse(f"admin:inventory_{model._meta.model_name}_change", args=(row.pk,))
    except NoReverseMatch:
        return ""
