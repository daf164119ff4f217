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

from inventory.ansible import written as reading
from inventory.ansible.noun_reading import InterfaceAsWritten, Names, is_six, read_policy
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot

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
        elif key in raw:
            out[key] = raw[key]
    for key, field in by_key.items():
        if key not in out and key not in order and not field.is_default:
            out[key] = field.value
    out.update((key, value) for key, value in extras.items() if key not in out and key not in by_key)
    return out if out or shape else ABSENT


def _nested(key: str, value: Any) -> Field:
    return Field(key, lambda raw: False, value, value is ABSENT)


# --- segments ---


def write_segment(segment: SegmentFacts, names: Names) -> Any:
    """The segment as its group variable holds it."""
    shape: Shape | None = segment.written or None
    raw: Mapping[str, Any] = (shape or {}).get("raw", {})
    vlan = Field(
        names["segment.vlan"],
        lambda r: reading.read_vlan(r).value == segment.vlan,
        segment.vlan,
        segment.vlan is None,
    )
    fields = [vlan, *_network_fields(segment, raw, names), *_dhcp_fields(segment, raw, names)]
    result = write(shape, fields, segment.variables)
    return {} if result is ABSENT else result


def _network_fields(segment: SegmentFacts, raw: Mapping[str, Any], names: Names) -> Iterable[Field]:
    """Networks and gateways. IPv6 alone stands under the main keys, unless the tree had keys of its own for it."""
    was_six = is_six(reading.read_network(raw.get(names["segment.network"])).value)
    only6 = segment.network6 is not None and segment.network4 is None
    only6 = only6 and (was_six or not raw.get(names["segment.network6"]))
    main, other = (segment.network6, None) if only6 else (segment.network4, segment.network6)
    gateway, gateway6 = (segment.gateway6, None) if only6 else (segment.gateway4, segment.gateway6)
    version = 6 if only6 else 4
    for key, value, read in (
        ("segment.network", main, reading.read_network),
        ("segment.network6", other, reading.read_network6),
        ("segment.gateway", gateway, lambda r: reading.read_one_address(r, version)),
        ("segment.gateway6", gateway6, lambda r: reading.read_one_address(r, 6)),
    ):
        ignored = only6 and was_six and key in ("segment.network6", "segment.gateway6")
        holds = ignored or (was_six == only6 and read(raw.get(names[key])).value == value)
        yield Field(names[key], _always(holds), value or ABSENT, not value)


def _dhcp_fields(segment: SegmentFacts, raw: Mapping[str, Any], names: Names) -> Iterable[Field]:
    pool = segment.pool
    holds = read_policy(segment.name, raw, names) == (segment.policy, pool)
    serves = segment.policy in ("both", "dynamic")
    silent = (
        holds or serves or (segment.policy == "none" and pool is None)
    )  # a pool alone means that it is served
    key = names["segment.dhcp"]
    yield Field(key, lambda r: holds or reading.read_flag(r, {}).value == serves, serves, silent)
    for key, end in (
        (names["segment.pool_first"], pool.first if pool else None),
        (names["segment.pool_last"], pool.last if pool else None),
    ):
        kept = holds or (end is not None and reading.read_one_address(raw.get(key), 4).value == end)
        yield Field(key, _always(kept), end or ABSENT, end is None)


def _always(holds: bool) -> Callable[[Any], bool]:
    return lambda raw: holds


# --- hosts and interfaces ---


def own_of(host: HostFacts) -> dict[str, Any]:
    """The variables that identity fields may refer to: the host's own, without what was pinned to it."""
    pinned = set(host.written.get("pinned", ()))
    return {key: value for key, value in host.variables.items() if key not in pinned}


def is_opaque(snapshot: Snapshot, host: HostFacts, key: str) -> bool:
    """Whether the variable *key* of *host* is Jinja, sealed or somebody else's, and still there: it is not written."""
    if f"opaque:{key}" not in host.written:
        return False
    return key in host.variables or key in snapshot.once(_keys_of_groups)


def _keys_of_groups(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(snapshot.site.variables).union(*(group.variables for group in snapshot.groups))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def as_written(interface: InterfaceFacts, names: Names) -> InterfaceAsWritten:
    """What the tree said of *interface*, in the form that ``noun_reading.read_interface`` takes."""
    raw = {
        part: _mapping(interface.written.get(part, {}).get("raw"))
        for part in ("hardware", "intent", "dns", "pxe")
    }
    return InterfaceAsWritten(**raw)


class HostWriter:
    """Writes the identity variables of the hosts of one Snapshot."""

    def __init__(self, snapshot: Snapshot, names: Names) -> None:
        self.snapshot, self.names = snapshot, names
        self.zone = snapshot.site.zone
        self.zone_then = str(snapshot.site.written.get("zone") or self.zone)

    def write(self, host: HostFacts) -> dict[str, Any]:
        """Return the host's ``infrastructure`` and ``env`` (by their mapped names), those that say anything."""
        own = own_of(host)
        services = self._services(host)
        out: dict[str, Any] = {}
        for noun, one, field in (
            ("hardware", self._interface_hardware, self._text("host.form", host.form, own, longest=40)),
            ("intent", self._interface_intent, self._text("host.role", host.role, own, longest=40)),
        ):
            key = self.names[f"host.{noun}"]
            if is_opaque(self.snapshot, host, key):
                continue
            below = [
                _nested(interface.name, one(interface, own, services[interface.name]))
                for interface in host.interfaces
            ]
            interfaces = write(host.written.get(f"{noun}_interfaces"), below, {})
            fields = [field, _nested(self.names["host.interfaces"], interfaces)]
            value = write(host.written.get(noun), fields, _mapping(host.variables.get(key)))
            if value is not ABSENT:
                out[key] = value
        return out

    def own_variables(self, host: HostFacts) -> dict[str, Any]:
        """The host's further variables, without what the identity mappings take in."""
        taken = (self.names["host.hardware"], self.names["host.intent"])
        return {
            key: value
            for key, value in host.variables.items()
            if key not in taken or not isinstance(value, Mapping) or f"opaque:{key}" in host.written
        }

    # --- fields ---

    def _text(self, noun: str, value: str, own: reading.Own, *, longest: int) -> Field:
        return Field(
            self.names[noun],
            lambda r: r == value or reading.read_text(r, own, longest=longest).value == value,
            value or ABSENT,
            not value,
        )

    def _flag(self, noun: str, value: bool, own: reading.Own) -> Field:
        return Field(
            self.names[noun],
            lambda r: r is value or reading.read_flag(r, own).value == value,
            value,
            not value,
        )

    def _interface_hardware(self, interface: InterfaceFacts, own: reading.Own, services: list[Any]) -> Any:
        field = Field(
            self.names["interface.mac"],
            lambda r: r == interface.mac or reading.read_mac(r, own).value == interface.mac,
            interface.mac or "UNKNOWN",
            interface.mac is None,
        )
        extras = _mapping(interface.variables.get(self.names["host.hardware"]))
        return write(interface.written.get("hardware"), [field], extras)

    def _interface_intent(self, interface: InterfaceFacts, own: reading.Own, services: list[Any]) -> Any:
        names = self.names
        fields = [
            *self._address_fields(interface, own),
            Field(
                names["interface.segment"],
                lambda r: (
                    r == interface.segment
                    or self._means_segment(reading.read_text(r, own).value, interface.segment)
                ),
                interface.segment or ABSENT,
                interface.segment is None,
            ),
            self._flag("interface.wake_on_lan", interface.wake_on_lan, own),
            self._flag("interface.management", interface.management, own),
            _nested(names["interface.dns"], self._dns(interface, own, services)),
        ]
        inner = (names["host.hardware"], names["interface.dns"])
        extras = {key: value for key, value in interface.variables.items() if key not in inner}
        return write(interface.written.get("intent"), fields, extras)

    def _means_segment(self, text: str, segment: str | None) -> bool:
        """An imported name of a segment that was not declared stays as it was written."""
        return (text or None) == segment or (segment is None and text not in self.snapshot.segment_by_name)

    def _address_fields(self, interface: InterfaceFacts, own: reading.Own) -> list[Field]:
        """``ip`` and ``ip6``. IPv6 goes where the tree had it: into one list with IPv4, or under a key of its own."""
        key, key6 = self.names["interface.address"], self.names["interface.address6"]
        raw = _mapping(interface.written.get("intent", {}).get("raw"))
        if _plainly_holds(raw, key, key6, interface):
            return [_kept(key), _kept(key6)]
        segment = self.snapshot.segment_of(interface)
        network6 = segment.network6 if segment else None
        read = reading.read_addressing(raw.get(key), raw.get(key6), own, interface.mac, network6).value
        now = reading.Addressing(interface.addressing, interface.ipv4, interface.ipv6)
        holds = "intent" in interface.written and read == now
        first = _main(now)
        six = list(interface.ipv6)
        if _holds_ipv6(raw.get(key), own) and not raw.get(key6):
            together = [*([first] if first else []), *six]
            main, other = (together if len(together) > 1 else together[0] if together else None), []
        else:
            main, other = first, six
        alone = reading.read_addressing(raw.get(key), None, own, None, None).value
        main_holds = holds or (main is not None and main == first and not alone.ipv6 and main == _main(alone))
        return [
            Field(key, lambda r: main_holds, main if main or not other else ABSENT, holds or not main),
            Field(
                key6,
                lambda r: holds,
                ABSENT if not other else other if len(other) > 1 else other[0],
                holds or not other,
            ),
        ]

    # --- what DNS and DHCP serve ---

    def _dns(self, interface: InterfaceFacts, own: reading.Own, services: list[Any]) -> Any:
        names = self.names
        extras = _mapping(interface.variables.get(names["interface.dns"]))
        fields = [
            self._flag("dns.record", interface.a_record, own),
            self._flag("dns.reservation", interface.reservation, own),
            Field(names["dns.services"], lambda r: _items(r) == services, services, not services),
            _nested(names["dns.pxe"], self._pxe(interface, extras, own)),
        ]
        further = {k: v for k, v in extras.items() if k != names["dns.pxe"]}
        return write(interface.written.get("dns"), fields, further)

    def _pxe(self, interface: InterfaceFacts, extras: Mapping[str, Any], own: reading.Own) -> Any:
        fields = [
            self._text("pxe.server", interface.pxe_server, own, longest=253),
            self._text("pxe.file", interface.pxe_file, own, longest=127),
        ]
        return write(interface.written.get("pxe"), fields, _mapping(extras.get(self.names["dns.pxe"])))

    def _services(self, host: HostFacts) -> dict[str, list[Any]]:
        """Interface → its list of names: as written, less what moved away, plus (on the primary) what is new."""
        carried = [service.label for service in host.services]
        listed: set[str] = set()
        out: dict[str, list[Any]] = {}
        for interface in host.interfaces:
            raw = _mapping(interface.written.get("dns", {}).get("raw")).get(self.names["dns.services"])
            kept = out[interface.name] = []
            for item, label in reading.read_names(raw, self.zone_then)[0]:
                if label is not None:
                    listed.add(label)
                if label is None or label in carried:
                    kept.append(self._in_this_zone(item, label))
        if host.interfaces:
            home = host.primary or host.interfaces[0]
            out[home.name] += [label for label in carried if label not in listed]
        return out

    def _in_this_zone(self, item: Any, label: str | None) -> Any:
        """*item* as written, but where the site's zone has changed since and the item names the old one."""
        if label is None or self.zone == self.zone_then or not reading.is_below(item.strip(), self.zone_then):
            return item
        return f"{label}.{self.zone}"


def _kept(key: str) -> Field:
    """A field that needs no second look: it stays as written, or absent."""
    return Field(key, _always(True), ABSENT, True)


def _plainly_holds(raw: Mapping[str, Any], key: str, key6: str, interface: InterfaceFacts) -> bool:
    """What nearly every interface says, an address or nothing, told without parsing it."""
    if key not in raw or raw.get(key6) is not None or interface.ipv6:
        return False
    how = "static" if interface.ipv4 else "none"
    return bool(raw[key] == interface.ipv4 and interface.addressing == how)


def _main(addressing: reading.Addressing) -> str | None:
    """What stands for IPv4: the address, the word dhcp, or nothing."""
    return "dhcp" if addressing.how == "dhcp" else addressing.ipv4


def _holds_ipv6(raw: Any, own: reading.Own) -> bool:
    return bool(reading.read_addressing(raw, None, own, None, None).value.ipv6)


def _items(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [] if raw in (None, "") else [raw]
