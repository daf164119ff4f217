"""Tables of services: one row for each service of each host. A service that is said to be on another host moves there."""

from __future__ import annotations

from typing import Any

from inventory.document.patching import Patch, service_values
from inventory.exports.csv import cell as as_cell
from inventory.importers.csv.cells import Reader, Row, Table, is_same, plain
from inventory.snapshot import ServiceFacts, Snapshot

_FIELDS = ("port", "health_check", "metrics_path", "web_scheme")
Label = tuple[str, str]  # name, tenant


def read(table: Table, patch: Patch, stored: Snapshot) -> None:
    reader = _Services(table, patch, stored)
    rows = [(line, row) for line, row in table.rows() if reader.is_of_site(line, row)]
    for _, row in rows:
        reader.mentioned.add((*reader.label(row), plain(row.get("host", ""))))
    for line, row in rows:
        reader.row(line, row)
    reader.write()


class _Services(Reader):
    def __init__(self, table: Table, patch: Patch, stored: Snapshot) -> None:
        super().__init__(table, patch)
        self.stored = stored
        self.carriers: dict[Label, dict[str, ServiceFacts]] = {}
        for host in stored.hosts:
            for one in host.services:
                self.carriers.setdefault((one.name, one.tenant), {})[host.name] = one
        #: host → its services as they will be, for the hosts that the table touches
        self.lists: dict[str, dict[Label, dict[str, Any]]] = {}
        self.mentioned: set[tuple[str, str, str]] = set()
        self.seen: dict[tuple[Label, str], int] = {}

    def label(self, row: Row) -> Label:
        name, tenant = plain(row.get("service", "")), plain(row.get("tenant", ""))
        if not tenant and "." in name:
            name, _, tenant = name.partition(".")
        return name, "" if tenant == "-" else tenant

    def row(self, line: int, row: Row) -> None:
        key = self.label(row)
        if not key[0] or key[0] == "-":
            self.complain(line, "service", "the row names no service; put the name into every row.")
            return
        said = ".".join(part for part in key if part)
        carriers = self.carriers.get(key, {})
        host = plain(row.get("host", "")) or (next(iter(carriers)) if len(carriers) == 1 else "")
        if not host or host == "-":
            where = f"is on {', '.join(sorted(carriers))}" if carriers else "is new"
            self.complain(
                line, "host", f"service {said} {where}; put the host that is meant into the column host."
            )
            return
        if first := self.seen.get((key, host)):
            self.complain(
                line, "service", f"service {said} on {host} stands on line {first} already; keep one row."
            )
            return
        self.seen[key, host] = line
        self.places.note(("hosts", host), line, "host")
        self.places.note(("hosts", host, "services"), line, "service")
        if host not in self.stored.host_by_name:
            self.complain(line, "host", f"service {said}: the site has no host {host}; declare it first.")
            return
        self._take(line, row, key, host, carriers)

    def _take(self, line: int, row: Row, key: Label, host: str, carriers: dict[str, ServiceFacts]) -> None:
        present = carriers.get(host)
        leaving = "" if present else self._leaving(key, carriers)
        before = present or (carriers[leaving] if leaving else None)
        shown = {c: as_cell(getattr(before, c)) for c in _FIELDS} if before else {}
        values = service_values(before) if before else _named(key)
        for column in _FIELDS:
            cell = row.get(column, "")
            if not cell or is_same(cell, shown.get(column, "")):
                continue
            value = self.value(line, column, cell, ("hosts", host, "services", column))
            if value is None:
                values.pop(column, None)
            elif value is not ...:
                values[column] = value
        if before is None or leaving or values != service_values(before):
            self._list(host)[key] = values
        if leaving:
            self._list(leaving).pop(key, None)

    def _leaving(self, key: Label, carriers: dict[str, ServiceFacts]) -> str:
        """The one host from which the service moves: it carries it, and the table does not say that it still does."""
        staying = [name for name in carriers if (*key, name) in self.mentioned]
        going = [name for name in carriers if name not in staying]
        return going[0] if len(going) == 1 and not staying else ""

    def _list(self, host: str) -> dict[Label, dict[str, Any]]:
        if host not in self.lists:
            present = self.stored.host_by_name[host].services
            self.lists[host] = {(one.name, one.tenant): service_values(one) for one in present}
        return self.lists[host]

    def write(self) -> None:
        hosts: dict[str, Any] = self.patch.values.setdefault("hosts", {})
        for _, host in self.seen:
            if host in self.stored.host_by_name:
                hosts.setdefault(host, {})
        for host, services in self.lists.items():
            hosts.setdefault(host, {})["services"] = list(services.values())


def _named(key: Label) -> dict[str, Any]:
    return {"name": key[0], **({"tenant": key[1]} if key[1] else {})}
