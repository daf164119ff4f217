"""The site as its bootstrap node serves it while the core router cannot. Pure.

Every plan and export that speaks for a DHCP or name server asks :func:`served`, so they agree on the mode.
In gateway mode that is the site as declared. In bootstrap mode it is a draft of it, in which

- the bootstrap node has, on each interface, the address of that mode (``bootstrap_ipv4``, else its own);
- a segment that it has a leg in is routed by it, each segment asks it for names, and what is booted from the
  network is booted from it;
- it takes no reservation: a DHCP server comes up without itself;
- who holds an address that it takes over (the gateway's) has none meanwhile: no reservation, no record. The
  services ``dns``, ``dhcp`` and ``gateway`` of that host are the bootstrap node's; its others have no name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inventory.findings import Finding
from inventory.snapshot import (
    AuthorityMode,
    HostFacts,
    InterfaceFacts,
    SegmentFacts,
    ServiceFacts,
    Snapshot,
)

#: What an authority is, by the names that consumers use.
AUTHORITY_SERVICES = frozenset({"dns", "dhcp", "gateway"})


@dataclass(frozen=True, slots=True)
class Served:
    snapshot: Snapshot
    #: the host that serves in bootstrap mode; empty in gateway mode, or when nobody can
    node: str = ""
    findings: tuple[Finding, ...] = ()


def mode_of(snapshot: Snapshot, authority: AuthorityMode | None = None) -> AuthorityMode:
    """For whom a rendering is: who was asked for, else who is declared, else the gateway."""
    return authority or (snapshot.authority.mode if snapshot.authority else "gateway")


def served(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Served:
    """*snapshot* as the authority of that mode serves it."""
    if mode_of(snapshot, authority) == "gateway":
        return Served(snapshot)
    return snapshot.once(_by_bootstrap_node)


def _by_bootstrap_node(snapshot: Snapshot) -> Served:
    node = snapshot.bootstrap_host
    legs = _legs_of(node) if node and not node.is_retired else None
    if node is None or legs is None:
        return Served(snapshot, findings=(_missing(snapshot, node),))
    return _Draft(snapshot, node, legs).served()


@dataclass(frozen=True, slots=True)
class Legs:
    """Where the bootstrap node is in that mode."""

    #: its address where it has no leg
    primary: str
    #: segment → its address there
    by_segment: Mapping[str, str]

    def towards(self, segment: str | None) -> str:
        return self.by_segment.get(segment or "", self.primary)


def _legs_of(node: HostFacts) -> Legs | None:
    """None when the node has no IPv4 address in any segment."""
    by_segment: dict[str, str] = {}
    for interface in sorted(node.interfaces, key=lambda i: (not i.bootstrap_ipv4, i is not node.primary)):
        address = address_of(interface)
        if address and interface.segment:
            by_segment.setdefault(interface.segment, address)
    own = address_of(node.primary) if node.primary else None
    first = own or next(iter(by_segment.values()), None)
    return Legs(first, by_segment) if first else None


def address_of(interface: InterfaceFacts) -> str | None:
    """The IPv4 address of an interface of the bootstrap node in that mode."""
    return interface.bootstrap_ipv4 or interface.ipv4


@dataclass
class _Draft:
    snapshot: Snapshot
    node: HostFacts
    legs: Legs
    findings: list[Finding] = field(default_factory=list)
    #: services that the node carries in that mode besides its own
    moved: list[ServiceFacts] = field(default_factory=list)

    def served(self) -> Served:
        others = {host.name: self._other(host) for host in self.snapshot.hosts if host is not self.node}
        others[self.node.name] = self._node()
        draft = replace(
            self.snapshot,
            hosts=tuple(others[host.name] for host in self.snapshot.hosts),
            segments=tuple(map(self._segment, self.snapshot.segments)),
        )
        return Served(draft, self.node.name, tuple(self.findings))

    def _segment(self, segment: SegmentFacts) -> SegmentFacts:
        address = self.legs.towards(segment.name)
        return replace(
            segment,
            gateway4=self.legs.by_segment.get(segment.name, segment.gateway4),
            dns_servers=(address,),
            next_server=address if segment.next_server else None,
        )

    def _node(self) -> HostFacts:
        self.findings += [
            _own_reservation(interface) for interface in self.node.interfaces if interface.reservation
        ]
        interfaces = tuple(
            replace(
                interface,
                ipv4=address_of(interface),
                addressing="static" if interface.bootstrap_ipv4 else interface.addressing,
                reservation=False,
                # its names stay, whichever of its interfaces gains an address
                primary=interface is self.node.primary,
            )
            for interface in self.node.interfaces
        )
        own = {service.label for service in self.node.services}
        moved = {s.label: replace(s, host=self.node.name) for s in self.moved if s.label not in own}
        services = sorted([*self.node.services, *moved.values()], key=lambda s: (s.name, s.tenant))
        return replace(self.node, interfaces=interfaces, services=tuple(services))

    def _other(self, host: HostFacts) -> HostFacts:
        lost = [i for i in host.interfaces if self._is_taken_over(i)] if not host.is_retired else []
        if not lost and not any(interface.pxe_server for interface in host.interfaces):
            return host
        self.findings += [_taken_over(interface, self.node) for interface in lost]
        changed = replace(
            host,
            interfaces=tuple(
                replace(
                    self._without_address(i) if i in lost else i,
                    primary=i is host.primary,
                    pxe_server=self.legs.towards(i.segment) if i.pxe_server else "",
                )
                for i in host.interfaces
            ),
        )
        if host.primary in lost and not host.primary.ipv6:
            return self._without_services(changed)
        return changed

    def _is_taken_over(self, interface: InterfaceFacts) -> bool:
        """True for who holds the gateway's address of a segment where the node has it in that mode.

        Any other address that the node shares with somebody stays a dispute.
        """
        segment = self.snapshot.segment_of(interface)
        return (
            segment is not None
            and interface.ipv4 is not None
            and interface.ipv4 == segment.gateway4 == self.legs.by_segment.get(segment.name)
        )

    @staticmethod
    def _without_address(interface: InterfaceFacts) -> InterfaceFacts:
        a_record = interface.a_record and bool(interface.ipv6)
        return replace(interface, ipv4=None, reservation=False, a_record=a_record)

    def _without_services(self, host: HostFacts) -> HostFacts:
        """A name that led to the address must not lead to another machine, unless that machine is meant."""
        for service in host.services:
            if service.name in AUTHORITY_SERVICES and not service.tenant:
                self.moved.append(service)
            else:
                self.findings.append(_service_away(service, self.node))
        return replace(host, services=())


def _missing(snapshot: Snapshot, node: HostFacts | None) -> Finding:
    if node is None:
        why = "knows no bootstrap node"
    elif node.is_retired:
        why = f"has the bootstrap node {node.name}, which is retired"
    else:
        why = f"has the bootstrap node {node.name}, which has no IPv4 address"
    declared = snapshot.authority is not None and snapshot.authority.mode == "bootstrap"
    return Finding(
        "bootstrap-node-missing",
        "error" if declared else "warning",
        f"site {snapshot.site.slug}",
        f"{why}; what is made for bootstrap mode names the gateway's routers, DNS and boot servers.",
        "Name a live host with an address as bootstrap node when the authority is declared.",
    )


def _taken_over(interface: InterfaceFacts, node: HostFacts) -> Finding:
    return Finding(
        "bootstrap-address-taken",
        "info",
        interface.subject,
        f"has the address {interface.ipv4}, which is the bootstrap node's ({node.name}) in bootstrap mode; "
        "there it has no IPv4 record and no reservation.",
        "Nothing to do. To reach the machine meanwhile, give it a second address on another interface.",
    )


def _service_away(service: ServiceFacts, node: HostFacts) -> Finding:
    return Finding(
        "bootstrap-address-taken",
        "info",
        f"service {service.label}",
        f"is on {service.host}, whose address is the bootstrap node's ({node.name}) in bootstrap mode; "
        "there it has no CNAME.",
        "Nothing to do, unless it must answer in that mode: then move it to a host that keeps its address.",
    )


def _own_reservation(interface: InterfaceFacts) -> Finding:
    return Finding(
        "bootstrap-own-reservation",
        "info",
        interface.subject,
        "belongs to the bootstrap node, which serves DHCP in bootstrap mode; there it has no reservation.",
        "Configure the address of that mode on the machine itself.",
    )
