"""Addresses that are not where they belong, identities that are not free, services that are not where they survive."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from inventory.disputes import WORDS
from inventory.findings import Finding
from inventory.snapshot import IdentityFacts, InterfaceFacts, SegmentFacts, Snapshot, claims_of

#: What a site needs while every hypervisor is down.
OF_THE_ROUTER = frozenset({"dhcp", "dns", "gateway"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    networks = {segment.name: _networks(segment) for segment in snapshot.segments}
    for interface in snapshot.live_interfaces:
        yield from _places(snapshot, networks, interface)
    yield from _quarantined(snapshot)
    yield from _services(snapshot)


def _networks(segment: SegmentFacts) -> list[Network]:
    return [ipaddress.ip_network(text) for text in (segment.network4, segment.network6) if text]


def _places(
    snapshot: Snapshot, networks: Mapping[str, list[Network]], interface: InterfaceFacts
) -> Iterator[Finding]:
    segment = snapshot.segment_of(interface)
    for text in interface.addresses:
        address = ipaddress.ip_address(text)
        if address.is_link_local or address.is_loopback:
            continue
        if segment is not None and not any(address in network for network in networks[segment.name]):
            yield _outside(interface, f"has the address {text}, outside its segment {segment.name}.")
        elif segment is None and networks and not any(address in n for one in networks.values() for n in one):
            yield _outside(interface, f"has the address {text}, which lies in no declared segment.")
        elif segment is not None and segment.pool is not None and text in segment.pool:
            yield Finding(
                "address-in-pool",
                "warning",
                interface.subject,
                f"has the address {text} inside the pool {segment.pool} of segment {segment.name}.",
                "Give it a static address outside the pool: whoever serves the pool elsewhere may hand it out.",
            )


def _outside(interface: InterfaceFacts, message: str) -> Finding:
    hint = "Correct the address, or name or declare the segment that the machine is plugged into."
    return Finding("address-outside-segment", "warning", interface.subject, message, hint)


def _quarantined(snapshot: Snapshot) -> Iterator[Finding]:
    held_back: dict[tuple[str, str], IdentityFacts] = {
        (i.kind, i.value): i for i in snapshot.identities if i.state == "quarantined"
    }
    if not held_back:
        return
    for kind, value, host in claims_of(snapshot.live_hosts, snapshot.segment_by_name):
        identity = held_back.get((kind, value))
        if identity is not None:
            until = f" until {identity.until[:10]}" if identity.until else ""
            whose = identity.host if identity.host != host else f"a deleted {host}"
            yield Finding(
                "quarantined-in-use",
                "warning",
                f"host {host}",
                f"claims the {WORDS[kind]} {value}, which was {whose}'s and is in quarantine{until}.",
                f"Remove what was keyed on it for {whose} (leases, boot files, records), then free it.",
            )


def _services(snapshot: Snapshot) -> Iterator[Finding]:
    for host in snapshot.live_hosts:
        if host.form != "vm":
            continue
        for service in host.services:
            if service.label in OF_THE_ROUTER:
                yield Finding(
                    "service-on-vm",
                    "warning",
                    f"service {service.label} on {host.name}",
                    "is carried by a virtual machine, and is needed while every hypervisor is down.",
                    "Move it to the router.",
                )
