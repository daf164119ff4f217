"""Keeps the shape in which nouns were written, and writes them again from the rows. Pure.

An imported mapping is taken apart into fields (which go into columns), further keys (which stay variables) and a
*shape*: ``{"order": [keys], "raw": {field: as written}}``, or ``{"value": raw}`` for what was no mapping. Writing it again
yields what was written, byte for byte, as long as that still means what the row says; a field that a person changed is
written canonically, in its old place. A mapping that was never written (a host made in the browser) has no shape and
is written canonically with the facts that are not empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory import written as reading
from inventory.addressing import Range
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot

Names = Mapping[str, str]
Shape = Mapping[str, Any]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


#: There is nothing to write, not even null.
ABSENT = _Absent()


@dataclass(frozen=True)
class Field:
    """One known key: whether its written form still holds, what to write otherwise, whether silence says the same."""

    key: str
    still_means: Callable[[Any], bool]
    value: Any
    is_default: bool


def shape_of(raw: Any, known: Iterable[str]) -> dict[str, Any]:
    """The shape of one mapping as written."""
    if not isinstance(raw, Mapping):
        return {"value": raw}
    known = set(known)
    return {"order": list(raw), "raw": {key: value for key, value in raw.items() if key in known}}


def further_keys(raw: Any, known: Iterable[str]) -> dict[str, Any]:
    """What a mapping holds beside its known fields."""
    known = set(known)
    return {k: v for k, v in raw.items() if k not in known} if isinstance(raw, Mapping) else {}


def write(shape: Shape | None, fields: Iterable[Field], extras: Mapping[str, Any]) -> Any:
    """Write one mapping again: known *fields* in their old places and form, further keys from *extras*."""
    by_key = {field.key: field for field in fields}
    if shape and "value" in shape:
        if not extras and all(field.is_default for field in by_key.values()):
            return shape["value"]
        shape = None
    order, raw = (shape["order"], shape["raw"]) if shape else ((), {})
    out: dict[str, Any] = {}
    for key in order:
        if key in by_key:
            value = raw[key] if key in raw and by_key[key].still_means(raw[key]) else by_key[key].value
            if value is not ABSENT:
                out[key] = value
        elif key in extras:
            out[key] = extras[key]
    for key, field in by_key.items():
        if key not in out and key not in order and not field.is_default:
            out[key] = field.value
    out.update((key, value) for key, value in extras.items() if key not in out and key not in by_key)
    return out if out or shape else ABSENT


def _nested(key: str, value: Any) -> Field:
    return Field(key, lambda raw: False, value, value is ABSENT)


# --- segments ---

SEGMENT_FIELDS = (
    "segment.vlan", "segment.network", "segment.network6", "segment.gateway", "segment.gateway6", "segment.dhcp",
    "segment.pool_first", "segment.pool_last",
)  # fmt: skip


def read_policy(name: str, raw: Mapping[str, Any], names: Names) -> tuple[str, Range | None]:
    """What the DHCP keys of a segment mean: (policy, pool). Source: DOMAIN, section 3, in docs/ansible.md."""
    if not raw.get(names["segment.network"]):
        return "none", None
    first = reading.read_one_address(raw.get(names["segment.pool_first"]), 4).value
    last = reading.read_one_address(raw.get(names["segment.pool_last"]), 4).value
    dhcp = raw.get(names["segment.dhcp"])
    enabled = dhcp is None or reading.read_flag(dhcp, {}).value
    pool = Range(first, last) if enabled and first and last else None
    if name in (part.strip() for part in names["segment.dynamic_only"].split(",")):
        return ("dynamic", pool) if pool else ("none", None)
    return ("both", pool) if pool else ("static", None)


def read_networks(raw: Mapping[str, Any], names: Names) -> dict[str, str | None]:
    """The networks and gateways of a segment by column."""
    main = reading.read_network(raw.get(names["segment.network"])).value
    is_six = main is not None and ":" in main
    gateway = raw.get(names["segment.gateway"])
    return {
        "network4": None if is_six else main,
        "network6": main if is_six else reading.read_network(raw.get(names["segment.network6"])).value,
        "gateway4": None if is_six else reading.read_one_address(gateway, 4).value,
        "gateway6": reading.read_one_address(
            gateway if is_six else raw.get(names["segment.gateway6"]), 6
        ).value,
    }


def write_segment(segment: SegmentFacts, names: Names) -> Any:
    """The segment as its group variable holds it."""
    shape = segment.written or None
    raw = (shape or {}).get("raw", {})
    dhcp_holds = read_policy(segment.name, raw, names) == (segment.policy, segment.pool)
    now = {k: getattr(segment, k) for k in ("network4", "network6", "gateway4", "gateway6")}
    nets_hold = read_networks(raw, names) == now
    only6 = segment.network6 is not None and segment.network4 is None
    main, other = (segment.network6, None) if only6 else (segment.network4, segment.network6)
    gateway, gateway6 = (segment.gateway6, None) if only6 else (segment.gateway4, segment.gateway6)
    pool = segment.pool
    fields = [
        Field(
            names["segment.vlan"],
            lambda r: reading.read_vlan(r).value == segment.vlan,
            segment.vlan,
            segment.vlan is None,
        ),
        *(
            Field(names[key], lambda r: nets_hold, value if value else ABSENT, not value)
            for key, value in (
                ("segment.network", main),
                ("segment.network6", other),
                ("segment.gateway", gateway),
                ("segment.gateway6", gateway6),
            )
        ),
        Field(
            names["segment.dhcp"],
            lambda r: dhcp_holds,
            segment.policy in ("both", "dynamic"),
            dhcp_holds or segment.policy == "none" or bool(pool),
        ),
        Field(
            names["segment.pool_first"], lambda r: dhcp_holds, pool.first if pool else ABSENT, pool is None
        ),
        Field(names["segment.pool_last"], lambda r: dhcp_holds, pool.last if pool else ABSENT, pool is None),
    ]
    result = write(shape, fields, segment.variables)
    return {} if result is ABSENT else result


# --- hosts and interfaces ---

HARDWARE_FIELDS = ("host.form", "host.interfaces")
INTENT_FIELDS = ("host.role", "host.interfaces")
INTERFACE_HARDWARE = ("interface.mac",)
INTERFACE_INTENT = (
    "interface.address", "interface.address6", "interface.segment", "interface.wake_on_lan", "interface.management",
    "interface.dns",
)  # fmt: skip
DNS_FIELDS = ("dns.record", "dns.reservation", "dns.services", "dns.pxe")
PXE_FIELDS = ("pxe.server", "pxe.file")


class HostWriter:
    """Writes the identity variables of the hosts of one Snapshot."""

    def __init__(self, snapshot: Snapshot, names: Names) -> None:
        self.snapshot, self.names = snapshot, names

    def write(self, host: HostFacts) -> dict[str, Any]:
        """Return the host's ``infrastructure`` and ``env`` (by their mapped names), those that say anything."""
        names = self.names
        out: dict[str, Any] = {}
        hardware = self._hardware(host)
        intent = self._intent(host)
        if hardware is not ABSENT:
            out[names["host.hardware"]] = hardware
        if intent is not ABSENT:
            out[names["host.intent"]] = intent
        return out

    def own_variables(self, host: HostFacts) -> dict[str, Any]:
        """The host's further variables, without what the identity mappings take in."""
        taken = (self.names["host.hardware"], self.names["host.intent"])
        return {
            key: value
            for key, value in host.variables.items()
            if key not in taken or not isinstance(value, Mapping) or f"opaque:{key}" in host.written
        }

    def _extras(self, host: HostFacts, key: str) -> Mapping[str, Any]:
        value = host.variables.get(key)
        return value if isinstance(value, Mapping) and f"opaque:{key}" not in host.written else {}

    def _hardware(self, host: HostFacts) -> Any:
        names, key = self.names, self.names["host.hardware"]
        if f"opaque:{key}" in host.written:
            return ABSENT
        interfaces = self._interfaces(host, "hardware", self._interface_hardware)
        fields = [
            Field(
                names["host.form"],
                lambda r: (
                    r == host.form or reading.read_text(r, host.variables, longest=40).value == host.form
                ),
                host.form or ABSENT,
                not host.form,
            ),
            _nested(names["host.interfaces"], interfaces),
        ]
        return write(host.written.get("hardware"), fields, self._extras(host, key))

    def _intent(self, host: HostFacts) -> Any:
        names, key = self.names, self.names["host.intent"]
        if f"opaque:{key}" in host.written:
            return ABSENT
        interfaces = self._interfaces(host, "intent", self._interface_intent)
        fields = [
            Field(
                names["host.role"],
                lambda r: (
                    r == host.role or reading.read_text(r, host.variables, longest=40).value == host.role
                ),
                host.role or ABSENT,
                not host.role,
            ),
            _nested(names["host.interfaces"], interfaces),
        ]
        return write(host.written.get("intent"), fields, self._extras(host, key))

    def _interfaces(self, host: HostFacts, side: str, one: Callable[[HostFacts, InterfaceFacts], Any]) -> Any:
        shape: Shape | None = host.written.get(f"{side}_interfaces")
        fields = [_nested(interface.name, one(host, interface)) for interface in host.interfaces]
        return write(shape, fields, {})

    def _interface_hardware(self, host: HostFacts, interface: InterfaceFacts) -> Any:
        field = Field(
            self.names["interface.mac"],
            lambda r: r == interface.mac or reading.read_mac(r, host.variables).value == interface.mac,
            interface.mac,
            interface.mac is None,
        )
        extras = interface.variables.get(self.names["host.hardware"], {})
        return write(interface.written.get("hardware"), [field], extras)

    def _interface_intent(self, host: HostFacts, interface: InterfaceFacts) -> Any:
        names, own = self.names, host.variables
        shape: Shape | None = interface.written.get("intent")
        fields = [
            *self._address_fields(host, interface, shape),
            Field(
                names["interface.segment"],
                lambda r: (
                    (reading.read_text(r, own).value or None) == interface.segment
                    or self._names_no_segment(r, host, interface)
                ),
                interface.segment if interface.segment else ABSENT,
                interface.segment is None,
            ),
            self._flag("interface.wake_on_lan", interface.wake_on_lan, own),
            self._flag("interface.management", interface.management, own),
            _nested(names["interface.dns"], self._dns(host, interface)),
        ]
        inner = (names["host.hardware"], names["interface.dns"])
        extras = {key: value for key, value in interface.variables.items() if key not in inner}
        return write(shape, fields, extras)

    def _names_no_segment(self, raw: Any, host: HostFacts, interface: InterfaceFacts) -> bool:
        """An imported name of a segment that was not declared stays as it was written."""
        text = reading.read_text(raw, host.variables).value
        return interface.segment is None and text not in self.snapshot.segment_by_name

    def _address_fields(self, host: HostFacts, interface: InterfaceFacts, shape: Shape | None) -> list[Field]:
        names = self.names
        raw = (shape or {}).get("raw", {})
        holds = shape is not None and self._addresses_hold(
            raw.get(names["interface.address"]), raw.get(names["interface.address6"]), host, interface
        )
        six: Any = list(interface.ipv6) if len(interface.ipv6) != 1 else interface.ipv6[0]
        four = "dhcp" if interface.addressing == "dhcp" else interface.ipv4
        if not interface.ipv4 and interface.addressing == "static":
            four = ABSENT
        return [
            Field(names["interface.address"], lambda r: holds, four, holds or four in (None, ABSENT)),
            Field(
                names["interface.address6"],
                lambda r: holds,
                six if interface.ipv6 else ABSENT,
                holds or not six,
            ),
        ]

    def _addresses_hold(self, raw: Any, raw6: Any, host: HostFacts, interface: InterfaceFacts) -> bool:
        if raw6 is None and raw == interface.ipv4 and not interface.ipv6:  # nearly always: no need to parse
            return interface.addressing == ("none" if raw is None else "static")
        segment = self.snapshot.segment_of(interface)
        read = reading.read_addressing(
            raw, raw6, host.variables, interface.mac, segment.network6 if segment else None
        ).value
        return bool(read == reading.Addressing(interface.addressing, interface.ipv4, interface.ipv6))

    def _flag(self, key: str, value: bool, own: reading.Own) -> Field:
        return Field(
            self.names[key],
            lambda r: r is value or reading.read_flag(r, own).value == value,
            value,
            not value,
        )

    def _dns(self, host: HostFacts, interface: InterfaceFacts) -> Any:
        names, own = self.names, host.variables
        shape: Shape | None = interface.written.get("dns")
        services = self._services(host, interface)
        extras = interface.variables.get(names["interface.dns"], {})
        fields = [
            self._flag("dns.record", interface.a_record, own),
            self._flag("dns.reservation", interface.reservation, own),
            Field(names["dns.services"], lambda r: _items(r) == services, services, not services),
            _nested(names["dns.pxe"], self._pxe(host, interface, extras)),
        ]
        inner = names["dns.pxe"]
        return write(shape, fields, {k: v for k, v in extras.items() if k != inner})

    def _pxe(self, host: HostFacts, interface: InterfaceFacts, extras: Mapping[str, Any]) -> Any:
        names, own = self.names, host.variables
        fields = [
            Field(
                names[key],
                lambda r, value=value, longest=longest: (
                    reading.read_text(r, own, longest=longest).value == value
                ),  # type: ignore[misc]
                value or ABSENT,
                not value,
            )
            for key, value, longest in (
                ("pxe.server", interface.pxe_server, 253),
                ("pxe.file", interface.pxe_file, 127),
            )
        ]
        further = extras.get(names["dns.pxe"], {})
        return write(interface.written.get("pxe"), fields, further if isinstance(further, Mapping) else {})

    def _services(self, host: HostFacts, interface: InterfaceFacts) -> list[Any]:
        """The list of names of one interface: as written, less what moved away, plus (on the primary) what is new."""
        carried = [service.label for service in host.services]
        zone = self.snapshot.site.zone
        listed: set[str] = set()
        out: list[Any] = []
        for other in host.interfaces:
            raw = other.written.get("dns", {}).get("raw", {}).get(self.names["dns.services"])
            for item, label in reading.read_names(raw, zone)[0]:
                if label is not None:
                    listed.add(label)
                if other is interface and (label is None or label in carried):
                    out.append(item)
        home = host.primary or (host.interfaces[0] if host.interfaces else None)
        if interface is home:
            out += [label for label in carried if label not in listed]
        return out


def _items(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [] if raw in (None, "") else [raw]
