"""Addresses that are not where they belong, and identities that are not free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from inventory.disputes import WORDS
from inventory.findings import Finding
from inventory.numbers import Point, point
from inventory.rules.places import Place, places
from inventory.snapshot import IdentityFacts, InterfaceFacts, Snapshot, claims_of

LOOPBACK4, LOOPBACK6 = 127, 1


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    known = places(snapshot)
    for interface in snapshot.live_interfaces:
        place = known.get(interface.segment or "")
        yield from _unserved(interface, place)
        for text in interface.addresses:
            address = point(text)
            if address is not None and not address.is_link_local and not _is_loopback(address):
                yield from _misplaced(known, interface, place, address)
    yield from _quarantined(snapshot)


def _is_loopback(address: Point) -> bool:
    """127.0.0.0/8 or ::1."""
    if address.version == 4:
        return address.number >> 24 == LOOPBACK4
    return address.number == LOOPBACK6


def _misplaced(
    known: Mapping[str, Place], interface: InterfaceFacts, place: Place | None, address: Point
) -> Iterator[Finding]:
    text = address.text
    if place is None:
        if known and not any(other.holds(address) for other in known.values()):
            yield _outside(interface, f"has the address {text}, which lies in no declared segment.")
        return
    segment = place.segment
    if not place.holds(address):
        yield _outside(interface, f"has the address {text}, outside its segment {segment.name}.")
    elif place.is_end(address):
        if not interface.reservation:  # of a reservation the DHCP plan says it
            yield Finding(
                "address-unusable",
                "error",
                interface.subject,
                f"has the address {text}, the network or broadcast address of {segment.network4}.",
                f"Give it another address of {segment.name}.",
            )
    elif place.pool is not None and place.pool.holds(address):
        yield Finding(
            "address-in-pool",
            "warning",
            interface.subject,
            f"has the address {text} inside the pool {segment.pool} of segment {segment.name}.",
            "Give it a static address outside the pool: whoever serves the pool elsewhere may hand it out.",
        )
    elif any(span.holds(address) for span in place.delegated):
        yield Finding(
            "address-delegated",
            "warning",
            interface.subject,
            f"has the address {text}, in a range of segment {segment.name} that another allocator hands out.",
            "Give it an address outside the range, or take the address out of the delegation.",
        )


def _outside(interface: InterfaceFacts, message: str) -> Finding:
    hint = "Correct the address, or name or declare the segment that the machine is plugged into."
    return Finding("address-outside-segment", "warning", interface.subject, message, hint)


def _unserved(interface: InterfaceFacts, place: Place | None) -> Iterator[Finding]:
    """Addressing that the segment's policy has no answer to."""
    if place is None:
        return
    segment = place.segment
    if interface.addressing == "dhcp" and (segment.policy in ("static", "none") or not segment.network4):
        yield Finding(
            "dhcp-not-served",
            "warning",
            interface.subject,
            f"gets its address by DHCP, and segment {segment.name} gives none without a reservation.",
            f"Give it a static address with a reservation, or let {segment.name} have a pool.",
        )
    elif (
        interface.ipv4
        and segment.policy == "dynamic"
        and not interface.reservation
        and interface.ipv4 != segment.gateway4
    ):
        yield Finding(
            "static-forbidden",
            "warning",
            interface.subject,
            f"has the static address {interface.ipv4}; the segment {segment.name} takes no static mappings.",
            f"Move it to another segment, or set the policy of {segment.name} to both.",
        )


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
