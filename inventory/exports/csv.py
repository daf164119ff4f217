"""CSV: one row for each interface of each host, for spreadsheets and scripts (RFC 4180, UTF-8, with a header).

- A host without an interface has one row, in which the columns of interfaces are empty.
- Columns are added at the end and never renamed. Lists stand in one cell, separated by blanks.
- Spreadsheets run what looks like a formula. A cell whose first visible character is one of ``= + - @`` (or their
  full-width forms), or that begins with an apostrophe, has an apostrophe put before it. Who reads the file with a
  program takes one leading apostrophe off each cell, and has what was declared.
- What two hosts dispute is given to neither: the cell is empty, and ``disputed`` says what was claimed.
- Lone surrogates, which UTF-8 cannot carry, are written as ``\\udXXX``; NUL, which no reader expects, as ``\\x00``.

These are the facts as declared, whichever authority serves.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from inventory import dns
from inventory.disputes import disputes
from inventory.dns.names import dns_name, interface_label, zone_of
from inventory.exports.registry import Document, Export
from inventory.findings import in_reading_order
from inventory.snapshot import AuthorityMode, HostFacts, InterfaceFacts, Snapshot

FILENAME = "hosts.csv"
HOST_COLUMNS = [
    "host",
    "form",
    "role",
    "status",
    "plane",
    "platform",
    "location",
    "hypervisor",
    "vmid",
    "groups",
    "services",
    "notes",
    "disputed",
]
INTERFACE_COLUMNS = [
    "interface",
    "primary",
    "fqdn",
    "mac",
    "mac_kind",
    "segment",
    "vlan",
    "addressing",
    "ipv4",
    "ipv6",
    "bootstrap_ipv4",
    "a_record",
    "reservation",
    "management",
    "wake_on_lan",
    "pxe_server",
    "pxe_file",
    "switch",
    "switch_port",
]
#: of the host as well; new columns come last, where nobody counts them
LATER_COLUMNS = ["console_kind", "console_address", "power_kind", "power_address", "power_outlet"]
COLUMNS = (*HOST_COLUMNS, *INTERFACE_COLUMNS, *LATER_COLUMNS)

#: What a spreadsheet takes for a formula, after whatever it does not show.
FORMULA = re.compile(r"'|[\s\x00-\x1f\x7f\u200b-\u200f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_UNWRITABLE = re.compile(r"[\ud800-\udfff\x00]")

#: Interface columns, in their order.
Row = list[object]


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(snapshot):
        writer.writerow([cell(value) for value in row])
    findings = in_reading_order(list(disputes(snapshot, "mac", "ip", "name", "vmid")))
    return Document({FILENAME: out.getvalue().encode()}, findings)


def _rows(snapshot: Snapshot) -> Iterator[Row]:
    groups = snapshot.once(groups_of_hosts)
    zone = zone_of(snapshot) or ""
    served = dns.plan(snapshot, "gateway").zones
    names = {record.name for zone_ in served if zone_.kind == "site" for record in zone_.records}
    for host in sorted(snapshot.live_hosts, key=lambda host: host.name):
        first = _host(host, groups.get(host.name, []))
        for interface in host.interfaces:
            label = interface_label(snapshot, zone, host, interface)
            name = f"{label}.{zone}" if interface.a_record and f"{label}.{zone}" in names else ""
            own = _interface(snapshot, host, interface, name)
            yield [*first, _disputed(snapshot, host, interface), *own, *_later(host)]
        if not host.interfaces:
            none = [""] * len(INTERFACE_COLUMNS)
            yield [*first, _disputed(snapshot, host, None), *none, *_later(host)]


def groups_of_hosts(snapshot: Snapshot) -> dict[str, list[str]]:
    """Host → the groups that name it directly, by name."""
    groups: dict[str, list[str]] = {}
    for group in sorted(snapshot.groups, key=lambda group: group.name):
        for name in group.hosts:
            groups.setdefault(name, []).append(group.name)
    return groups


def cells_of(snapshot: Snapshot, host: HostFacts, interface: InterfaceFacts | None) -> dict[str, str]:
    """Column → cell of the row of *interface*, but for the full name; without one, of a host that has none."""
    first = _host(host, snapshot.once(groups_of_hosts).get(host.name, []))
    own = _interface(snapshot, host, interface, "") if interface else [""] * len(INTERFACE_COLUMNS)
    row = [*first, _disputed(snapshot, host, interface), *own, *_later(host)]
    return {column: cell(value) for column, value in zip(COLUMNS, row, strict=True)}


def _host(host: HostFacts, groups: list[str]) -> Row:
    return [
        host.name,
        host.form,
        host.role,
        host.status,
        host.plane,
        host.platform,
        host.location,
        host.hypervisor,
        host.vmid,
        " ".join(groups),
        " ".join(service.label for service in host.services),
        host.notes,
    ]


def _interface(snapshot: Snapshot, host: HostFacts, i: InterfaceFacts, name: str) -> Row:
    segment = snapshot.segment_of(i)
    return [
        i.name,
        i is host.primary,
        name,
        "" if snapshot.is_disputed("mac", i.mac or "") else i.mac,
        i.mac_kind,
        i.segment,
        segment.vlan if segment else None,
        i.addressing,
        "" if snapshot.is_disputed("ip", i.ipv4 or "") else i.ipv4,
        " ".join(address for address in i.ipv6 if not snapshot.is_disputed("ip", address)),
        i.bootstrap_ipv4,
        i.a_record,
        i.reservation,
        i.management,
        i.wake_on_lan,
        i.pxe_server,
        i.pxe_file,
        i.switch,
        i.switch_port,
    ]


def _later(host: HostFacts) -> Row:
    return [getattr(host, column) for column in LATER_COLUMNS]


def _disputed(snapshot: Snapshot, host: HostFacts, i: InterfaceFacts | None) -> str:
    claims = [("name", dns_name(host.name) or host.name), ("vmid", str(host.vmid))]
    if i is not None:
        claims += [("mac", i.mac or ""), *(("ip", address) for address in i.addresses)]
    return " ".join(f"{kind}:{value}" for kind, value in claims if snapshot.is_disputed(kind, value))


def cell(value: object) -> str:
    """*value* as one cell that no spreadsheet takes for a formula."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = _UNWRITABLE.sub(lambda found: ascii(found.group())[1:-1], str(value))
    return f"'{text}" if FORMULA.match(text) else text


EXPORT = Export(
    name="csv",
    title="CSV",
    purpose="One row for each interface of each host, for spreadsheets and scripts.",
    content_type="text/csv; charset=utf-8; header=present",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
