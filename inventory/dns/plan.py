"""What a site's name server answers: zones of records. Pure.

Every DNS export renders this one plan. Names are absolute, lower case, in their DNS form, without the final
dot.

- The site's zone: A and AAAA of each interface that has an A record; a CNAME for each service.
- A reverse zone for each network of the site (``inventory.dns.reverse``), with one PTR for each address.
- A zone of one name for each alias below the root domain. Its apex cannot be a CNAME (RFC 1034, section
  3.6.2), so it carries copies of the addresses; the root domain itself is never claimed.

What two hosts claim is rendered for neither. What has no form in DNS, points at nothing or contradicts itself
is in ``left_out``, with its reason.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from inventory import bootstrap
from inventory.disputes import dispute, disputes
from inventory.dns import reasons
from inventory.dns.names import (
    LONGEST_ZONE,
    claims_below,
    dns_name,
    host_label,
    in_reverse_tree,
    interface_label,
    name_below,
    service_label,
    zone_of,
)
from inventory.dns.reverse import ReverseZones
from inventory.findings import Finding, in_reading_order
from inventory.numbers import Point, point
from inventory.snapshot import AuthorityMode, HostFacts, InterfaceFacts, ServiceFacts, Snapshot

#: Seconds. Short: moving a service changes one record, and its users should notice soon.
TTL = 300
#: The service whose host is the name server that NS records name.
NAME_SERVER_SERVICE = "dns"

RecordType = Literal["A", "AAAA", "CNAME", "PTR"]


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    type: RecordType
    #: an address, or an absolute name without the final dot
    value: str


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    kind: Literal["site", "alias", "reverse"]
    #: the host of the NS record; ``localhost`` while the site has no host with an address
    name_server: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class DnsPlan:
    """The site's zone first, then aliases, then reverse zones, each by name."""

    zones: tuple[Zone, ...] = ()
    #: address → the one name that its PTR gives, also for addresses in no zone of the site
    pointers: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.left_out


def plan(snapshot: Snapshot, authority: AuthorityMode | None = None) -> DnsPlan:
    """The zones of *snapshot* as that authority answers for them, else the declared one."""
    if bootstrap.mode_of(snapshot, authority) == "bootstrap":
        return snapshot.once(_by_bootstrap_node)
    return snapshot.once(_by_gateway)


def _by_gateway(snapshot: Snapshot) -> DnsPlan:
    return _plan(bootstrap.served(snapshot, "gateway"))


def _by_bootstrap_node(snapshot: Snapshot) -> DnsPlan:
    return _plan(bootstrap.served(snapshot, "bootstrap"))


def _plan(served: bootstrap.Served) -> DnsPlan:
    zone = zone_of(served.snapshot)
    if zone is None:
        unusable = [*served.findings, reasons.zone_unusable(served.snapshot)]
        return DnsPlan((), {}, in_reading_order(unusable))
    return _Planner(served, zone).plan()


class _Planner:
    def __init__(self, served: bootstrap.Served, zone: str) -> None:
        self.snapshot = snapshot = served.snapshot
        self.node = served.node
        self.zone = zone
        self.contested = claims_below(zone, snapshot).contested
        self.left_out: list[Finding] = [*served.findings, *disputes(snapshot, "ip", "name")]
        self.left_out += [
            dispute("name", label, tuple(sorted(hosts))) for label, hosts in self.contested.items()
        ]
        #: owner → its addresses, for owners below the zone
        self.addresses: dict[str, set[Point]] = defaultdict(set)
        #: address → (is not primary, owner): the smallest is the PTR's
        self.candidates: dict[Point, tuple[bool, str]] = {}

    def plan(self) -> DnsPlan:
        for host in self.snapshot.live_hosts:
            for interface in host.interfaces:
                if interface.a_record:
                    self._add_addresses(host, interface)
        site = _address_records(self.addresses) + self._service_records()
        server = self._name_server()
        zones = [Zone(self.zone, "site", server, tuple(sorted(site, key=_record_key)))]
        zones += self._alias_zones(server)
        zones += self._reverse_zones(server)
        pointers = {address.text: owner for address, (_, owner) in sorted(self.candidates.items())}
        return DnsPlan(tuple(zones), pointers, in_reading_order(self.left_out))

    def _add_addresses(self, host: HostFacts, interface: InterfaceFacts) -> None:
        label = interface_label(self.snapshot, self.zone, host, interface)
        if label is None:
            self.left_out.append(reasons.name_unusable(interface.subject, self.zone))
            return
        if not interface.addresses:
            self.left_out.append(reasons.no_address(interface))
        if label in self.contested:
            return
        for text in interface.addresses:
            if self.snapshot.is_disputed("ip", text):
                continue
            address = point(text)
            if address is None or address.is_link_local:
                self.left_out.append(reasons.link_local(interface))
                continue
            owner = f"{label}.{self.zone}"
            self.addresses[owner].add(address)
            candidate = (interface is not host.primary, owner)
            self.candidates[address] = min(candidate, self.candidates.get(address, candidate))

    def _service_records(self) -> list[Record]:
        records = {}
        for host in self.snapshot.live_hosts:
            for service in host.services:
                record = self._service_record(host, service)
                if record is not None:
                    records[record.name] = record
        return list(records.values())

    def _service_record(self, host: HostFacts, service: ServiceFacts) -> Record | None:
        label, target = service_label(self.zone, service), host_label(self.zone, host)
        if label is None:
            self.left_out.append(reasons.name_unusable(reasons.service_subject(service), self.zone))
            return None
        if label in self.contested:
            return None
        if f"{label}.{self.zone}" in self.addresses or label == target:
            self.left_out.append(reasons.cname_shadows(service, host))
            return None
        if target is None or f"{target}.{self.zone}" not in self.addresses:
            self.left_out.append(reasons.cname_dangles(service, host))
            return None
        return Record(f"{label}.{self.zone}", "CNAME", f"{target}.{self.zone}")

    def _alias_zones(self, server: str) -> list[Zone]:
        root = self.snapshot.site.root_domain
        names = {alias: dns_name(f"{alias.name}.{root}") for alias in self.snapshot.aliases}
        given = Counter(names.values())
        zones = []
        for alias, name in sorted(names.items(), key=lambda item: (item[1] or "", item[0].name)):
            if name is None or given[name] > 1 or not self._is_free(name):
                self.left_out.append(reasons.alias_unusable(alias))
                continue
            addresses = self._service_addresses(alias.service)
            if not addresses:
                self.left_out.append(reasons.alias_dangles(alias))
                continue
            zones.append(Zone(name, "alias", server, tuple(_address_records({name: addresses}))))
        return zones

    def _service_addresses(self, service: str) -> set[Point]:
        """The addresses of the one host that carries *service*; empty when nobody or more than one does."""
        label = name_below(self.zone, service)
        if label is None or label in self.contested:
            return set()
        for host in self.snapshot.live_hosts:
            if any(service_label(self.zone, carried) == label for carried in host.services):
                return self.addresses.get(f"{host_label(self.zone, host)}.{self.zone}", set())
        return set()

    def _is_free(self, name: str) -> bool:
        """An alias is a zone beside the site's own: neither it, nor below it, nor in the reverse tree."""
        inside = name == self.zone or name.endswith(f".{self.zone}") or in_reverse_tree(name)
        return bool(self.snapshot.site.root_domain) and not inside and len(name) <= LONGEST_ZONE

    def _reverse_zones(self, server: str) -> list[Zone]:
        networks = [
            ipaddress.ip_network(network)
            for segment in self.snapshot.segments
            for network in (segment.network4, segment.network6)
            if network
        ]
        reverse = ReverseZones(networks)
        records: dict[str, list[Record]] = defaultdict(list)
        for address, (_, owner) in sorted(self.candidates.items()):
            name = reverse.zone_for(address)
            if name is None:
                self.left_out.append(reasons.ptr_outside(address.text, owner))
            else:
                records[name].append(Record(address.reverse_name, "PTR", owner))
        return [Zone(name, "reverse", server, tuple(records[name])) for name in reverse.names]

    def _name_server(self) -> str:
        """The host that NS records name: it must have an address in the zone, and no name is made up for it.

        In bootstrap mode the bootstrap node; else the carrier of the service ``dns``; else who holds a
        segment's gateway, a router first (DNS lives on the core router); else the first host with an address;
        else ``localhost``, as RFC 6303 has it for empty zones.
        """
        gateways = {address for s in self.snapshot.segments for address in (s.gateway4, s.gateway6)}
        choices = []
        for host in self.snapshot.live_hosts:
            owner = f"{host_label(self.zone, host)}.{self.zone}"
            if owner not in self.addresses:
                continue
            carries = NAME_SERVER_SERVICE not in self.contested and any(
                service.label == NAME_SERVER_SERVICE for service in host.services
            )
            routes = any(address.text in gateways for address in self.addresses[owner])
            choices.append((host.name != self.node, not carries, not routes, host.form != "rt", owner))
        return min(choices)[-1] if choices else "localhost"


def _address_records(addresses: Mapping[str, set[Point]]) -> list[Record]:
    return [
        Record(owner, "A" if address.version == 4 else "AAAA", address.text)
        for owner in sorted(addresses)
        for address in sorted(addresses[owner])
    ]


def _record_key(record: Record) -> tuple[str, bool]:
    """By owner; the sort is stable, so the addresses of one owner stay in the order of numbers."""
    return record.name, record.type == "CNAME"
