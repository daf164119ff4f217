"""Tables of aliases: one row for each name below the root domain."""

from __future__ import annotations

from typing import Any

from inventory.document.patching import Patch
from inventory.importers.csv.cells import Reader, Row, Table, plain
from inventory.snapshot import Snapshot


def read(table: Table, patch: Patch, stored: Snapshot) -> None:
    reader = _Aliases(table, patch, stored)
    for line, row in table.rows():
        if reader.is_of_site(line, row):
            reader.row(line, row)


class _Aliases(Reader):
    def __init__(self, table: Table, patch: Patch, stored: Snapshot) -> None:
        super().__init__(table, patch)
        self.present = {alias.name: alias.service for alias in stored.aliases}
        self.values: dict[str, Any] = patch.values.setdefault("aliases", {})

    def row(self, line: int, row: Row) -> None:
        name = plain(row.get("alias", ""))
        path = ("aliases", name)
        if not name or name == "-":
            self.complain(line, "alias", "the row names no alias; put the name into every row.")
        elif name in self.values:
            self.complain(
                line,
                "alias",
                f"alias {name} stands on line {self.places.line(path)} already; keep one row.",
                path,
            )
        elif "service" not in row and name not in self.present:
            self.complain(
                line,
                "service",
                f"alias {name} is new; put the service that it points at into the column service.",
            )
        else:
            self.places.note(path, line, "alias")
            cell = row.get("service", "")
            self.values[name] = self.value(line, "service", cell, path) if cell else self.present[name]
