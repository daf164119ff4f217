"""Reads whole nouns, a segment or an interface, as an inventory writes them: columns, and what is wrong. Pure.

The importer reads them from a tree and complains by file and line; the rules read them again from the shape that was
kept. Neither can say what the other does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.addressing import Range
from inventory.ansible import written as reading
from inventory.ansible.written import Own, Reading

Names = Mapping[str, str]
Path = tuple[str, ...]

SEGMENT_FIELDS = (
    "segment.vlan", "segment.network", "segment.network6", "segment.gateway", "segment.gateway6", "segment.dhcp",
    "segment.pool_first", "segment.pool_last",
)  # fmt: skip
HARDWARE_FIELDS = ("host.form", "host.interfaces")
INTENT_FIELDS = ("host.role", "host.interfaces")
INTERFACE_HARDWARE = ("interface.mac",)
INTERFACE_INTENT = (
    "interface.address", "interface.address6", "interface.segment", "interface.wake_on_lan", "interface.management",
    "interface.dns",
)  # fmt: skip
DNS_FIELDS = ("dns.record", "dns.reservation", "dns.services", "dns.pxe")
PXE_FIELDS = ("pxe.server", "pxe.file")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with the field at *path* below its noun, and which columns hold what was read of it."""

    path: Path
    found: Reading
    columns: tuple[str, ...] = ()


@dataclass
class Read:
    columns: dict[str, Any] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def take(self, column: str, path: Path, found: Reading) -> Any:
        """Keep what *found* means as *column*, and what is wrong with it."""
        self.columns[column] = found.value
        self.complain(path, found, column)
        return found.value

    def complain(self, path: Path, found: Reading, *columns: str) -> None:
        if found.problem:
            self.complaints.append(Complaint(path, found, columns))

    def complaints_in_effect(self, row: Any) -> list[Complaint]:
        """Those about fields that nobody has repaired: *row* still says what was read."""
        return [
            complaint
            for complaint in self.complaints
            if all(getattr(row, column) == self.columns[column] for column in complaint.columns)
        ]


# --- segments ---


def read_segment(name: str, raw: Mapping[str, Any], names: Names) -> Read:
    """Columns of a segment: vlan, networks, gateways, policy, pool (a Range)."""
    read = Read()
    vlan, network, network6 = (names[f"segment.{key}"] for key in ("vlan", "network", "network6"))
    read.take("vlan", (vlan,), reading.read_vlan(raw.get(vlan)))
    main = reading.read_network(raw.get(network))
    only6 = is_six(main.value)
    read.take("network6" if only6 else "network4", (network,), main)
    if only6:
        read.columns["network4"] = None
    else:
        read.take("network6", (network6,), reading.read_network6(raw.get(network6)))
    _read_gateways(read, raw, names, only6)
    policy, pool = read_policy(name, raw, names)
    read.columns.update(policy=policy, pool=pool)
    for key in ("segment.pool_first", "segment.pool_last"):
        read.complain((names[key],), reading.read_one_address(raw.get(names[key]), 4), "pool")
    return read


def is_six(network: str | None) -> bool:
    return network is not None and ":" in network


def _read_gateways(read: Read, raw: Mapping[str, Any], names: Names, only6: bool) -> None:
    key, key6 = names["segment.gateway"], names["segment.gateway6"]
    if only6:
        read.columns["gateway4"] = None
        read.take("gateway6", (key,), reading.read_one_address(raw.get(key), 6))
    else:
        read.take("gateway4", (key,), reading.read_one_address(raw.get(key), 4))
        read.take("gateway6", (key6,), reading.read_one_address(raw.get(key6), 6))


def read_policy(name: str, raw: Mapping[str, Any], names: Names) -> tuple[str, Range | None]:
    """What the DHCP keys of a segment mean: (policy, pool). Source: DOMAIN, section 3, in docs/ansible.md."""
    network = reading.read_network(raw.get(names["segment.network"])).value
    if network is None or is_six(network):
        return "none", None
    first = reading.read_one_address(raw.get(names["segment.pool_first"]), 4).value
    last = reading.read_one_address(raw.get(names["segment.pool_last"]), 4).value
    dhcp = raw.get(names["segment.dhcp"])
    enabled = dhcp is None or reading.read_flag(dhcp, {}).value
    pool = Range(first, last) if enabled and first and last else None
    if name in (part.strip() for part in names["segment.dynamic_only"].split(",")):
        return ("dynamic", pool) if pool else ("none", None)
    return ("both", pool) if pool else ("static", None)


# --- interfaces ---


@dataclass(frozen=True)
class InterfaceAsWritten:
    """The mappings of one interface: of its hardware, of its intent, and what is nested in that. Never None."""

    hardware: Mapping[str, Any]
    intent: Mapping[str, Any]
    dns: Mapping[str, Any]
    pxe: Mapping[str, Any]


def read_interface(
    raw: InterfaceAsWritten, own: Own, names: Names, network6_of: Callable[[str], str | None]
) -> Read:
    """Columns of an interface; ``segment`` is the name as written. Paths begin with "hardware" or "intent"."""
    read = Read()
    key = names["interface.mac"]
    mac = read.take("mac", ("hardware", key), reading.read_mac(raw.hardware.get(key), own))
    key = names["interface.segment"]
    found = reading.read_text(raw.intent.get(key), own)
    segment = read.take("segment", ("intent", key), found.otherwise(found.value or None))
    _read_addresses(read, raw.intent, own, names, mac, network6_of(segment) if segment else None)
    dns = ("intent", names["interface.dns"])
    for column, noun, source, above in (
        ("wake_on_lan", "interface.wake_on_lan", raw.intent, ("intent",)),
        ("management", "interface.management", raw.intent, ("intent",)),
        ("a_record", "dns.record", raw.dns, dns),
        ("reservation", "dns.reservation", raw.dns, dns),
    ):
        path = (*above, names[noun])
        read.take(column, path, reading.read_flag(source.get(names[noun]), own))
    for column, noun, longest in (("pxe_server", "pxe.server", 253), ("pxe_file", "pxe.file", 127)):
        path = (*dns, names["dns.pxe"], names[noun])
        read.take(column, path, reading.read_text(raw.pxe.get(names[noun]), own, longest=longest))
    return read


def _read_addresses(
    read: Read, intent: Mapping[str, Any], own: Own, names: Names, mac: str | None, network6: str | None
) -> None:
    keys = [names["interface.address"], names["interface.address6"]]
    found = reading.read_addressing(intent.get(keys[0]), intent.get(keys[1]), own, mac, network6)
    value: reading.Addressing = found.value
    read.columns.update(addressing=value.how, ipv4=value.ipv4, ipv6=value.ipv6)
    alone = keys[0] not in intent and keys[1] in intent
    read.complain(("intent", keys[1] if alone else keys[0]), found, "addressing", "ipv4", "ipv6")


def service_key(label: str) -> tuple[str, str]:
    """Name and tenant of a service's label: ``web.tenant-a`` is the tenant's, ``a.b.c`` is one name."""
    name, dot, tenant = label.partition(".")
    if dot and tenant and name and "." not in tenant and len(tenant) <= 63:
        return name, tenant
    return label, ""
