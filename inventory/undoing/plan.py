"""What undoing some changes means for each row, and what stands in its way. Pure: values in, a plan out.

A row's values are its columns; JSON columns come as text, since the order of their keys means something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.packed import from_text, to_text

Values = Mapping[str, Any]
#: noun, id
Key = tuple[str, int]


@dataclass(frozen=True)
class Noun:
    """What the plan must know of a model."""

    name: str
    label: str
    json: frozenset[str] = frozenset()
    #: columns that the application keeps for itself: put back where that is possible, never in the way
    internal: frozenset[str] = frozenset()
    #: append-only: the sentence that refuses
    forever: str = ""
    #: column → its name for people
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """One entry of a row's history that came after what is undone."""

    change: int
    revision: int
    by: str
    #: ``+``, ``~`` or ``-``
    how: str
    columns: frozenset[str] = frozenset()


@dataclass
class Touched:
    """A row that the undone changes wrote: before the first of them, after the last, and now. None: there was none."""

    noun: Noun
    pk: int
    name: str
    before: Values | None
    after: Values | None
    now: Values | None
    later: tuple[Later, ...] = ()

    @property
    def key(self) -> Key:
        return (self.noun.name, self.pk)

    def __str__(self) -> str:
        return f"{self.noun.label} {self.name}"


@dataclass(frozen=True, order=True)
class Refusal:
    """Why it cannot be undone; *change* is what would have to be undone first, where there is one."""

    sentence: str
    change: int | None = None


@dataclass(frozen=True)
class Edit:
    """Columns of a row that is there before and after: column → (now, then)."""

    row: Touched
    columns: Mapping[str, tuple[Any, Any]]


@dataclass
class Plan:
    created: list[Touched] = field(default_factory=list)
    deleted: list[Touched] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.created or self.deleted or self.edits)

    @property
    def size(self) -> int:
        return len(self.created) + len(self.deleted) + len(self.edits)

    def final(self) -> dict[Key, Values | None]:
        """What the rows of the plan will be."""
        found: dict[Key, Values | None] = {row.key: row.before for row in self.created}
        found |= {row.key: None for row in self.deleted}
        for edit in self.edits:
            put = {name: then for name, (_, then) in edit.columns.items()}
            found[edit.row.key] = {**(edit.row.now or {}), **put}
        return found


def plan_of(rows: Iterable[Touched]) -> Plan:
    """Put every row back to what it was, or say why not; all refusals at once."""
    plan = Plan()
    for row in rows:
        if row.noun.forever and row.before != row.after:
            _refuse(plan, row, row.noun.forever)
        elif row.before is None and row.after is not None:
            _take_away(plan, row)
        elif row.before is not None and row.after is None:
            if row.now is None:
                plan.created.append(row)
        elif row.before is not None and row.after is not None:
            _put_back(plan, row)
    return plan


def _refuse(plan: Plan, row: Touched, why: str, change: int | None = None) -> None:
    plan.refusals.append(Refusal(why.format(row=row), change))


def _take_away(plan: Plan, row: Touched) -> None:
    if row.now is None:
        return
    moved = {
        name
        for name in row.now
        if name not in row.noun.internal and row.now[name] != (row.after or {}).get(name)
    }
    if not moved:
        plan.deleted.append(row)
        return
    who = _last(row, moved)
    _refuse(
        plan, row, f"{{row}} was changed later{_by(who)} ({_named(row, moved)}).", who.change if who else None
    )


def _put_back(plan: Plan, row: Touched) -> None:
    before, after, now = row.before or {}, row.after or {}, row.now
    changed = [name for name in before if before[name] != after.get(name)]
    if not changed:
        return
    if now is None:
        gone = next((one for one in reversed(row.later) if one.how == "-"), None)
        _refuse(plan, row, f"{{row}} was deleted later{_by(gone)}.", gone.change if gone else None)
        return
    columns: dict[str, tuple[Any, Any]] = {}
    lost: set[str] = set()
    for name in changed:
        if now.get(name) == before[name]:
            continue
        if now.get(name) == after.get(name):
            columns[name] = (now.get(name), before[name])
            continue
        then = _by_keys(before[name], after.get(name), now.get(name)) if name in row.noun.json else None
        if then is not None:
            columns[name] = (now.get(name), then)
        elif name not in row.noun.internal:
            lost.add(name)
    if lost:
        who = _last(row, lost)
        _refuse(
            plan,
            row,
            f"{{row}}: {_named(row, lost)} was changed later{_by(who)}.",
            who.change if who else None,
        )
    elif columns:
        plan.edits.append(Edit(row, columns))


def _by_keys(before: str, after: str | None, now: str | None) -> str | None:
    """The mapping *now* with those keys put back that went from *before* to *after*; None where that is no answer."""
    old, new, present = (from_text(text) if text else None for text in (before, after, now))
    if not (isinstance(old, dict) and isinstance(new, dict) and isinstance(present, dict)):
        return None
    nothing = object()
    found = dict(present)
    for key in {**old, **new}:
        was, became, stands = (_text(one, key, nothing) for one in (old, new, present))
        if was == became or stands == was:
            continue
        if stands != became:
            return None
        if was is nothing:
            found.pop(key, None)
        else:
            found[key] = old[key]
    return to_text(found)


def _text(mapping: Mapping[str, Any], key: str, nothing: object) -> Any:
    return to_text(mapping[key]) if key in mapping else nothing


def _last(row: Touched, columns: Collection[str]) -> Later | None:
    """The last entry that wrote one of *columns*."""
    wrote = [one for one in row.later if one.how != "-" and one.columns & set(columns)]
    return wrote[-1] if wrote else (row.later[-1] if row.later else None)


def _by(later: Later | None) -> str:
    return f" by {later.by or 'nobody'} in revision {later.revision}" if later else ""


def _named(row: Touched, columns: Collection[str]) -> str:
    return ", ".join(sorted(row.noun.labels.get(name, name) for name in columns))


# --- what other rows have to say ---


@dataclass(frozen=True)
class Reference:
    """*column* of a row that is stored now names another row."""

    noun: Noun
    pk: int
    column: str
    target: Key


def standing_on(plan: Plan, references: Iterable[Reference]) -> list[Reference]:
    """Those of *references* that would name a row that the plan deletes."""
    deleted = {row.key for row in plan.deleted}
    final = plan.final()
    found = []
    for one in references:
        key = (one.noun.name, one.pk)
        values = final.get(key, {})
        if values is None or one.target not in deleted:
            continue
        if one.column in values and values[one.column] != one.target[1]:
            continue
        found.append(one)
    return found


def circle(edges: Iterable[tuple[int, int]]) -> set[int]:
    """The ids that lie on a circle of (child, parent) *edges*; empty when there is none."""
    above: dict[int, set[int]] = {}
    for child, parent in edges:
        above.setdefault(child, set()).add(parent)
    left = dict(above)
    while True:
        ends = [child for child, parents in left.items() if not parents & left.keys()]
        if not ends:
            return set(left)
        for child in ends:
            del left[child]


def doubled(values: Mapping[int, tuple[Any, ...] | None]) -> list[tuple[int, int]]:
    """Pairs of ids whose *values*, which must be unique, are the same; None does not count."""
    seen: dict[tuple[Any, ...], int] = {}
    found = []
    for pk, value in values.items():
        if value is None or any(part is None for part in value):
            continue
        other = seen.setdefault(value, pk)
        if other != pk:
            found.append((other, pk))
    return found
