"""Tables of hypervisors and of machines: one row for what a host has one of; the hosts are declared already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inventory.document.patching import Patch
from inventory.exports.csv import cell as as_cell
from inventory.importers.csv.cells import Reader, Row, Table, is_same, plain
from inventory.importers.csv.columns import KEYS
from inventory.snapshot import Snapshot


@dataclass(frozen=True)
class Part:
    """What the document calls it below its host, and which form that host has."""

    key: str
    form: str


PARTS = {"hypervisors": Part("proxmox", "hv"), "machines": Part("machine", "vm")}


def read(table: Table, patch: Patch, stored: Snapshot) -> None:
    reader = _Parts(table, patch, stored)
    for line, row in table.rows():
        if reader.is_of_site(line, row):
            reader.row(line, row)


class _Parts(Reader):
    def __init__(self, table: Table, patch: Patch, stored: Snapshot) -> None:
        super().__init__(table, patch)
        self.stored = stored
        self.part, self.named = PARTS[table.noun], KEYS[table.noun]
        self.hosts: dict[str, Any] = patch.values.setdefault("hosts", {})

    def row(self, line: int, row: Row) -> None:
        name = plain(row.get(self.named, ""))
        path, form = ("hosts", name), self.part.form
        if not name or name == "-":
            self.complain(line, self.named, f"the row names no {self.named}; put the host into every row.")
        elif name not in self.stored.host_by_name:
            self.complain(line, self.named, f"the site has no host {name}; declare it first, of form {form}.")
        elif name in self.hosts:
            what = f"{self.named} {name} stands on line {self.places.line(path)} already; keep one row."
            self.complain(line, self.named, what, path)
        else:
            self.places.note(path, line, self.named)
            self.hosts[name] = self._host(line, row, name)

    def _host(self, line: int, row: Row, name: str) -> dict[str, Any]:
        """What the row says that is news; a host without the part gets one when a cell says something of it."""
        present, said = getattr(self.stored.host_by_name[name], self.part.key), {}
        for column, cell in row.items():
            if column in (self.named, "site"):
                continue
            shown = as_cell(getattr(present, column)) if present else ""
            path = ("hosts", name, self.part.key, column)
            if not is_same(cell, shown) and (value := self.value(line, column, cell, path)) is not ...:
                said[column] = value
        return {self.part.key: said} if said else {}
