"""Tables of hosts and interfaces: one row for each interface of each host, as the ``csv`` export has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inventory.document.form import Path
from inventory.document.patching import Patch, service_values
from inventory.exports.csv import cells_of, groups_of_hosts
from inventory.importers.csv.cells import Reader, Row, Table, is_same, plain
from inventory.importers.csv.columns import HOST_COLUMNS, INTERFACE_COLUMNS
from inventory.snapshot import HostFacts, ServiceFacts, Snapshot

_OF_INTERFACE = [name for name, known in INTERFACE_COLUMNS.items() if not known.is_computed]
_OF_HOST = [name for name, known in HOST_COLUMNS.items() if not (known.is_key or known.is_computed)]


def read(table: Table, patch: Patch, stored: Snapshot) -> None:
    reader = _Hosts(table, patch, stored)
    for line, row in table.rows():
        if reader.is_of_site(line, row):
            reader.row(line, row)


class _Hosts(Reader):
    def __init__(self, table: Table, patch: Patch, stored: Snapshot) -> None:
        super().__init__(table, patch)
        self.stored = stored
        self.hosts: dict[str, Any] = patch.values.setdefault("hosts", {})
        #: host → column → (line, cell) of what its rows say of the host itself
        self.said: dict[str, dict[str, tuple[int, str]]] = {}
        self.interfaces: dict[Path, int] = {}
        self.by_label: dict[str, list[ServiceFacts]] = {}
        for host in stored.hosts if table.has("services") else ():
            for service in host.services:
                self.by_label.setdefault(service.label, []).append(service)

    def row(self, line: int, row: Row) -> None:
        name = plain(row.get("host", ""))
        if not name or name == "-":
            self.complain(line, "host", "the row names no host; put the name into every row.")
            return
        host = self.stored.host_by_name.get(name)
        again = name in self.hosts
        values = self.hosts.setdefault(name, {})
        self.places.note(("hosts", name), line, "host")
        shown = self._interface(line, row, name, host, values, again=again)
        for column in _OF_HOST:
            cell = row.get(column, "")
            new = cell and self._is_first(line, name, column, cell)
            if new and not is_same(cell, shown.get(column, "")):
                self._field(line, column, cell, name, host, values)

    def _is_first(self, line: int, name: str, column: str, cell: str) -> bool:
        """Several rows of one host must agree on it."""
        before_line, before = self.said.setdefault(name, {}).setdefault(column, (line, cell))
        if before_line != line and plain(before) != plain(cell):
            self.complain(
                line,
                column,
                f"host {name}: {column} is “{_short(cell)}” here and “{_short(before)}” on line {before_line}; say the "
                "same in all rows of the host, or leave the others empty.",
                ("hosts", name, column),
            )
        return before_line == line

    # --- the host ---

    def _field(
        self, line: int, column: str, cell: str, name: str, host: HostFacts | None, values: dict[str, Any]
    ) -> None:
        value = self.value(line, column, cell, ("hosts", name, column))
        if value is ...:
            return
        if column == "groups":
            now = self.stored.once(groups_of_hosts).get(name, [])
            self._links("groups", name, now, value or [])
        elif column == "profiles":
            now = [profile.name for profile in self.stored.profiles if name in profile.hosts]
            self._links("profiles", name, now, value or [])
        elif column == "services":
            values["services"] = [self._service(label, host) for label in dict.fromkeys(value or [])]
        else:
            values[column] = value

    def _links(self, noun: str, host: str, now: Iterable[str], wanted: Iterable[str]) -> None:
        had, has = set(now), set(wanted)
        self.patch.joined.setdefault(noun, set()).update((group, host) for group in has - had)
        self.patch.parted.setdefault(noun, set()).update((group, host) for group in had - has)

    def _service(self, label: str, host: HostFacts | None) -> dict[str, Any]:
        """As it is here; as it is on the one host that it comes from; else new."""
        here = [one for one in (host.services if host else ()) if one.label == label]
        known = here or self.by_label.get(label, [])
        if len(known) == 1:
            return service_values(known[0])
        name, _, tenant = label.partition(".")
        return {"name": name, **({"tenant": tenant} if tenant else {})}

    # --- its interface ---

    def _interface(
        self, line: int, row: Row, name: str, host: HostFacts | None, values: dict[str, Any], *, again: bool
    ) -> Row:
        """Take what *row* says of an interface; return what the list shows of the row today."""
        said = {column: row[column] for column in _OF_INTERFACE if column in row}
        interface = plain(said.pop("interface", "")) or self._only(host, said)
        known = {one.name: one for one in host.interfaces} if host else {}
        if not interface:
            shown = cells_of(self.stored, host, host.primary) if host else {}
            if said and any(not is_same(cell, shown.get(column, "")) for column, cell in said.items()):
                what = f"host {name}: {', '.join(said)} of which interface? Put its name, such as eth0, into"
                self.complain(
                    line, "interface", f"{what} the column interface.", ("hosts", name, "interfaces")
                )
            elif again:
                line_before = self.places.line(("hosts", name))
                self.complain(
                    line, "host", f"host {name} stands on line {line_before} already; keep one row."
                )
            return shown
        path: Path = ("hosts", name, "interfaces", interface)
        if first := self.interfaces.get(path):
            what = f"interface {name}/{interface} stands on line {first} already; keep one row."
            self.complain(line, "interface", what, path)
            return {}
        self.interfaces[path] = line
        self.places.note(path, line, "interface")
        shown = cells_of(self.stored, host, known.get(interface)) if host else {}
        fields = {c: cell for c, cell in said.items() if not is_same(cell, shown.get(c, ""))}
        if interface not in known or fields:
            self._fields(line, fields, path, values, is_new=interface not in known)
        return shown

    def _only(self, host: HostFacts | None, said: Row) -> str:
        """The interface that is meant where none is named."""
        return host.interfaces[0].name if said and host and len(host.interfaces) == 1 else ""

    def _fields(self, line: int, fields: Row, path: Path, values: dict[str, Any], *, is_new: bool) -> None:
        into = values.setdefault("interfaces", {}).setdefault(path[3], {})
        for column, cell in fields.items():
            if is_new and cell.strip() == "-":
                continue
            value = self.value(line, column, cell, (*path, column))
            if value is not ...:
                into[column] = value
            if column == "primary" and value is True:
                self._give_up_primary(str(path[1]), str(path[3]), values)

    def _give_up_primary(self, name: str, interface: str, values: dict[str, Any]) -> None:
        """A host has one: who gives it to an interface takes it from the one that had it."""
        host = self.stored.host_by_name.get(name)
        for one in host.interfaces if host else ():
            if one.primary and one.name != interface:
                values["interfaces"].setdefault(one.name, {}).setdefault("primary", False)


def _short(cell: str) -> str:
    said = " ".join(cell.split())
    return said if len(said) <= 40 else f"{said[:39]}…"
