"""Reservations without a record and the other way round, and boot files that nobody is told of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from inventory.findings import Finding
from inventory.rules.places import named
from inventory.rules.services import carries_the_network
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    servers = _servers(snapshot)
    unreserved: dict[str, list[str]] = defaultdict(list)
    for host in snapshot.live_hosts:
        stands_alone = host is snapshot.bootstrap_host or carries_the_network(host)
        for interface in host.interfaces:
            yield from _of_interface(host, interface)
            if not stands_alone and _lacks_reservation(snapshot, interface, servers):
                unreserved[interface.segment or ""].append(f"{host.name}/{interface.name}")
    for segment, interfaces in sorted(unreserved.items()):
        yield Finding(
            "record-without-reservation",
            "info",
            f"segment {segment}",
            f"has {len(interfaces)} interface(s) with an address record and no reservation: {named(interfaces)}.",
            "Reserve the addresses, so that a machine that is installed anew gets its own; nothing to do where the "
            "address is configured on the machine on purpose.",
        )


def _servers(snapshot: Snapshot) -> set[str | None]:
    """Addresses that are configured where they are needed: routers, name servers, boot servers."""
    return {
        address
        for segment in snapshot.segments
        for address in (segment.gateway4, segment.next_server, *segment.dns_servers)
    }


def _lacks_reservation(snapshot: Snapshot, interface: InterfaceFacts, servers: set[str | None]) -> bool:
    segment = snapshot.segment_of(interface)
    return (
        interface.a_record
        and not interface.reservation
        and interface.ipv4 is not None
        and interface.ipv4 not in servers
        and segment is not None
        and segment.policy in ("static", "both")
        and segment.holds(interface.ipv4)
    )


def _of_interface(host: HostFacts, interface: InterfaceFacts) -> Iterator[Finding]:
    if interface.reservation and interface.ipv4 and not interface.a_record:
        elsewhere = any(other.a_record and other.addresses for other in host.interfaces)
        yield Finding(
            "reservation-without-record",
            "info" if elsewhere else "warning",
            interface.subject,
            f"has a reservation of {interface.ipv4} and no address record"
            + ("; the host has one on another interface." if elsewhere else ": no name leads to the host."),
            "Switch its address record on, or leave it where nobody shall reach the machine here by name.",
        )
    if (interface.pxe_server or interface.pxe_file) and not interface.reservation:
        yield Finding(
            "pxe-without-reservation",
            "warning",
            interface.subject,
            "has a boot server or boot file and no reservation; the DHCP server has nowhere to tell it.",
            "Switch the reservation on, or remove what it boots from.",
        )
