"""Tables of segments, groups, workload profiles and roles: one row for each of them."""

from __future__ import annotations

from typing import Any

from inventory.addressing import Range
from inventory.document.form import Path
from inventory.document.patching import Patch
from inventory.exports.csv import cell as as_cell
from inventory.importers.csv.cells import Reader, Row, Table, is_same, plain
from inventory.importers.csv.columns import KEYS, TABLES
from inventory.snapshot import Snapshot

#: Two cells that make one range of a segment.
_ENDS = {
    "pool_first": ("pool", 0),
    "pool_last": ("pool", 1),
    "static_first": ("static_range", 0),
    "static_last": ("static_range", 1),
}


def read(table: Table, patch: Patch, stored: Snapshot) -> None:
    reader = _Rows(table, patch, stored)
    for line, row in table.rows():
        if reader.is_of_site(line, row):
            reader.row(line, row)


def cells_of(noun: str, facts: Any, snapshot: Snapshot) -> Row:
    """Column → cell of one segment, group, profile or role as a list shows it."""
    found: dict[str, Any] = {}
    for column, known in _columns(noun):
        if not known.is_computed:
            found[column] = _shown(facts, column, snapshot)
    return {column: as_cell(value) for column, value in found.items()}


def _columns(noun: str) -> Any:
    return [(column, known) for column, known in TABLES[noun].items() if column != KEYS[noun]]


def _shown(facts: Any, column: str, snapshot: Snapshot) -> Any:
    if column in _ENDS:
        pair, end = _ENDS[column]
        found: Range | None = getattr(facts, pair)
        return (found.last if end else found.first) if found else ""
    if column == "parents":
        return " ".join(sorted(snapshot.once(parents_of_groups).get(facts.name, ())))
    value = getattr(facts, column)
    return " ".join(str(one) for one in value) if isinstance(value, tuple) else value


def parents_of_groups(snapshot: Snapshot) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group in snapshot.groups:
        for child in group.children:
            found.setdefault(child, set()).add(group.name)
    return found


class _Rows(Reader):
    def __init__(self, table: Table, patch: Patch, stored: Snapshot) -> None:
        super().__init__(table, patch)
        self.stored, self.noun, self.key = stored, table.noun, KEYS[table.noun]
        key = "slug" if self.noun == "roles" else "name"
        self.present = {getattr(row, key): row for row in getattr(stored, self.noun)}
        self.values: dict[str, Any] = patch.values.setdefault(self.noun, {})

    def row(self, line: int, row: Row) -> None:
        name = plain(row.get(self.key, ""))
        if not name or name == "-":
            self.complain(line, self.key, f"the row names no {self.key}; put the name into every row.")
            return
        path: Path = (self.noun, name)
        if name in self.values:
            what = f"{self.key} {name} stands on line {self.places.line(path)} already; keep one row."
            self.complain(line, self.key, what, path)
            return
        self.places.note(path, line, self.key)
        into = self.values[name] = {}
        facts = self.present.get(name)
        shown = cells_of(self.noun, facts, self.stored) if facts else {}
        ranges: dict[str, list[str | None]] = {}
        for column, cell in row.items():
            if (
                column in (self.key, "site")
                or self.known[column].is_computed
                or is_same(cell, shown.get(column, ""))
            ):
                continue
            at = _ENDS[column][0] if column in _ENDS else column
            value = self.value(line, column, cell, (*path, at))
            if value is ...:
                continue
            if column in _ENDS:
                pair, end = _ENDS[column]
                before = getattr(facts, pair) if facts else None
                ranges.setdefault(pair, [before.first, before.last] if before else [None, None])[end] = value
            elif column == "parents":
                self._nest(name, value or [])
            else:
                into[column] = value
        for pair, ends in ranges.items():
            self._range(line, (*path, pair), into, ends)

    def _range(self, line: int, path: Path, into: dict[str, Any], ends: list[str | None]) -> None:
        if any(ends) and not all(ends):
            prefix = "pool" if path[2] == "pool" else "static"
            what = f"segment {path[1]}: give both {prefix}_first and {prefix}_last, or clear both with -."
            self.complain(line, f"{prefix}_first", what, path)
            return
        into[str(path[2])] = ends if all(ends) else None

    def _nest(self, child: str, parents: list[str]) -> None:
        had, has = self.stored.once(parents_of_groups).get(child, set()), set(parents)
        self.patch.nested |= {(parent, child) for parent in has - had}
        self.patch.unnested |= {(parent, child) for parent in had - has}
