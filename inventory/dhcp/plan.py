"""What a site's DHCP server does: subnets with their options, pools and reservations. Pure.

Every DHCP export renders this one plan, so they cannot disagree. What the declaration asks for and no server
can safely do is in ``left_out``, each with its reason; ``remarks`` are findings about what is rendered
anyhow.

Choices that are ours:

- Leases last twelve hours, for reservations too: half of that is how long the server may be away unnoticed.
- The DNS server handed out is the segment's, else its gateway: DNS lives on the core router.
- A pool loses every address that somebody declares, holds, or delegates: ISC dhcpd would hand out a reserved
  address from its pool, and no server knows of static addresses without a reservation.
- Of segments whose networks overlap, none is served.
- IPv6 addresses are for DNS; there is no DHCPv6 here.
- In bootstrap mode the routers, DNS and boot servers are the bootstrap node's (``inventory.bootstrap``).
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from inventory import bootstrap
from inventory.addressing import Range
from inventory.dhcp import segments
from inventory.dhcp.pools import without
from inventory.dhcp.reasons import (
    Boot,
    Ground,
    Grounds,
    boot_of,
    grounds_of,
    hostname_unusable,
    is_contested,
    is_ipv4,
    next_server,
    on_gateway,
    reasons_against,
    repeated,
)
from inventory.disputes import dispute, disputes
from inventory.dns.names import Claims, claims_below, interface_label, zone_of
from inventory.findings import Finding, in_reading_order
from inventory.numbers import number4
from inventory.snapshot import AuthorityMode, HostFacts, InterfaceFacts, Snapshot

LEASE_SECONDS = 43_200
RENEW_SECONDS = LEASE_SECONDS // 2
REBIND_SECONDS = LEASE_SECONDS * 7 // 8


@dataclass(frozen=True, slots=True)
class Reservation:
    mac: str
    address: str
    #: one DNS label, or None where the name is disputed or has no form in DNS
    hostname: str | None
    host: str
    interface: str
    boot: Boot


@dataclass(frozen=True, slots=True)
class Subnet:
    segment: str
    network: ipaddress.IPv4Network
    gateway: str | None
    dns_servers: tuple[str, ...]
    domain: str | None
    search: tuple[str, ...]
    pools: tuple[Range, ...]
    next_server: str | None
    #: sorted by address
    reservations: tuple[Reservation, ...]


@dataclass(frozen=True, slots=True)
class DhcpPlan:
    """Sorted by network. No MAC and no address occurs twice in a subnet, no network overlaps another."""

    subnets: tuple[Subnet, ...] = ()
    left_out: tuple[Finding, ...] = ()
    remarks: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return in_reading_order([*self.left_out, *self.remarks])


def plan(snapshot: Snapshot, authority: AuthorityMode | None = None) -> DhcpPlan:
    """The DHCP service of *snapshot* by that authority, else by the declared one."""
    if bootstrap.mode_of(snapshot, authority) == "bootstrap":
        return snapshot.once(_by_bootstrap_node)
    return snapshot.once(_by_gateway)


def _by_gateway(snapshot: Snapshot) -> DhcpPlan:
    return _Planner(snapshot, bootstrap.served(snapshot, "gateway")).plan()


def _by_bootstrap_node(snapshot: Snapshot) -> DhcpPlan:
    return _Planner(snapshot, bootstrap.served(snapshot, "bootstrap")).plan()


class _Planner:
    def __init__(self, declared: Snapshot, served: bootstrap.Served) -> None:
        self.declared = declared
        self.snapshot = snapshot = served.snapshot
        self.zone = zone_of(snapshot)
        self.claims = claims_below(self.zone, snapshot) if self.zone else Claims({}, {})
        self.grounds: Grounds = grounds_of(snapshot)
        self.left_out: list[Finding] = [*served.findings, *disputes(snapshot, "mac", "ip")]
        self.remarks: list[Finding] = []

    def plan(self) -> DhcpPlan:
        reservations = self._reservations()
        taken = self._taken()
        self.left_out += segments.overlap_findings(self.grounds)
        subnets = [self._subnet(ground, taken, reservations) for ground in self.grounds.served]
        return DhcpPlan(
            tuple(sorted(subnets, key=lambda subnet: subnet.network)),
            in_reading_order(self.left_out),
            in_reading_order(self.remarks),
        )

    def _reservations(self) -> dict[str, list[Reservation]]:
        """Segment → its reservations, as far as they can be served."""
        found: dict[str, list[Reservation]] = defaultdict(list)
        for host in self.snapshot.live_hosts:
            for interface in self._wanted(host):
                found[interface.segment or ""].append(self._reservation(host, interface))
        return found

    def _wanted(self, host: HostFacts) -> Iterator[InterfaceFacts]:
        """The interfaces of *host* to reserve for: primary first, then by name; what repeats is left out."""
        kept: list[InterfaceFacts] = []
        for interface in sorted(host.interfaces, key=lambda i: (i is not host.primary, i.name)):
            if not interface.reservation:
                continue
            reasons = list(reasons_against(self.snapshot, self.grounds, interface))
            self.left_out += reasons
            overlapping = (interface.segment or "") in self.grounds.overlaps
            if reasons or overlapping or is_contested(self.snapshot, interface):
                continue
            twin = next((other for other in kept if _collide(interface, other)), None)
            if twin is not None:
                self.left_out.append(repeated(interface, twin))
                continue
            kept.append(interface)
            yield interface

    def _reservation(self, host: HostFacts, interface: InterfaceFacts) -> Reservation:
        segment = self.snapshot.segment_by_name[interface.segment or ""]
        boot, findings = boot_of(interface, segment)
        self.left_out += [finding for finding in findings if finding.severity != "info"]
        self.remarks += [finding for finding in findings if finding.severity == "info"]
        if interface.ipv4 == segment.gateway4:
            self.remarks.append(on_gateway(interface))
        return Reservation(
            mac=interface.mac or "",
            address=interface.ipv4 or "",
            hostname=self._hostname(host, interface),
            host=host.name,
            interface=interface.name,
            boot=boot,
        )

    def _hostname(self, host: HostFacts, interface: InterfaceFacts) -> str | None:
        """The name to hand out: one label that no other host claims."""
        label = interface_label(self.snapshot, self.zone, host, interface) if self.zone else None
        if label is None or "." in label:
            self.left_out.append(hostname_unusable(interface))
            return None
        others = self.claims.others(label, host.name)
        if others:
            self.left_out.append(dispute("name", label, tuple(sorted({*others, host.name}))))
            return None
        return label

    def _taken(self) -> list[int]:
        """Every single IPv4 address that a stranger must not get, in either mode, whichever segment it lies in; sorted."""
        taken = {a for i in self.declared.live_interfaces for a in (*i.addresses, i.bootstrap_ipv4 or "")}
        taken |= {identity.value for identity in self.declared.identities if identity.kind == "ip"}
        for segment in (*self.declared.segments, *self.snapshot.segments):
            taken |= {segment.gateway4 or "", segment.next_server or "", *segment.dns_servers}
        return sorted(number for number in map(number4, taken) if number is not None)

    def _subnet(self, ground: Ground, taken: list[int], reservations: dict[str, list[Reservation]]) -> Subnet:
        segment = ground.segment
        self.left_out += segments.segment_findings(ground)
        gateway = segment.gateway4 if segment.gateway4 and ground.holds(segment.gateway4) else None
        own_servers = segments.dns_servers_of(segment)
        return Subnet(
            segment=segment.name,
            network=ground.network,
            gateway=gateway,
            dns_servers=own_servers or ((gateway,) if gateway else ()),
            domain=self.zone,
            search=segments.search_domains_of(segment),
            pools=_pools(ground, taken),
            next_server=next_server(segment),
            reservations=tuple(
                sorted(reservations.get(segment.name, ()), key=lambda r: number4(r.address) or 0)
            ),
        )


def _pools(ground: Ground, taken: list[int]) -> tuple[Range, ...]:
    segment = ground.segment
    if segment.pool is None or segment.policy == "static" or not segments.is_servable(ground):
        return ()
    delegated = (span for span in segment.delegated if is_ipv4(span.first) and is_ipv4(span.last))
    return without(segment.pool, taken, delegated)


def _collide(one: InterfaceFacts, other: InterfaceFacts) -> bool:
    return one.segment == other.segment and (one.mac == other.mac or one.ipv4 == other.ipv4)
