"""Segments that collide with each other, with the site, or with what a server can hold."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator

from inventory import dhcp
from inventory.dns.reverse import zones_of
from inventory.exports.isc_dhcp import MOST_POOL_ADDRESSES
from inventory.findings import Finding
from inventory.rules.places import Place, named, places, span_of, span_of_network
from inventory.snapshot import Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    known = list(places(snapshot).values())
    yield from _vlans(snapshot)
    yield from _overlaps6(known)
    for place in known:
        yield from _block(snapshot, place)
        yield from _ranges(place)
        yield from _reverse(place)
    yield from _too_large(snapshot)


def _too_large(snapshot: Snapshot) -> Iterator[Finding]:
    """Pools that ISC dhcpd could not hold: the same count as the format's own, told before anybody asks for it."""
    left = MOST_POOL_ADDRESSES
    for subnet in dhcp.plan(snapshot).subnets:
        size = sum(span.size for span in map(span_of, subnet.pools) if span)
        if size > left:
            yield Finding(
                "pool-too-large",
                "info",
                f"segment {subnet.segment}",
                f"has a pool of {size} addresses; isc-dhcp offers {MOST_POOL_ADDRESSES} of the whole site and leaves "
                "the rest out.",
                "Nothing to do for Kea and dnsmasq. For dhcpd make the pool smaller.",
            )
        left = max(0, left - size)


def _vlans(snapshot: Snapshot) -> Iterator[Finding]:
    by_vlan: dict[int, list[str]] = defaultdict(list)
    for segment in snapshot.segments:
        if segment.vlan is not None:
            by_vlan[segment.vlan].append(segment.name)
    for vlan, names in sorted(by_vlan.items()):
        if len(names) > 1:
            yield Finding(
                "vlan-repeated",
                "error",
                f"segment {names[0]}",
                f"has the VLAN id {vlan}, and so has {named(names[1:])}: on the wire they are one network.",
                "Give each segment a VLAN id of its own.",
            )


def _overlaps6(known: list[Place]) -> Iterator[Finding]:
    """IPv6 networks; of IPv4 networks the DHCP plan says it."""
    spans = sorted(
        (span.first, -span.last, place.segment.name)
        for place in known
        for span in place.networks
        if span.version == 6
    )
    around: list[tuple[int, str]] = []
    for first, minus_last, name in spans:
        around = [(last, other) for last, other in around if last >= first]
        for _, other in around:
            yield Finding(
                "segment-overlap",
                "error",
                f"segment {name}",
                f"has an IPv6 network that overlaps the one of {other}; nobody can tell which a machine is in.",
                "Correct one of the networks.",
            )
        around.append((-minus_last, name))


def _block(snapshot: Snapshot, place: Place) -> Iterator[Finding]:
    if not snapshot.site.block:
        return
    block = span_of_network(snapshot.site.block)
    for span in place.networks:
        if span.version == block.version and not (block.first <= span.first and span.last <= block.last):
            network = place.segment.network4 if span.version == 4 else place.segment.network6
            yield Finding(
                "segment-outside-block",
                "warning",
                f"segment {place.segment.name}",
                f"has the network {network}, outside the site's own block {snapshot.site.block}.",
                "Give it a network of the block, or correct the block of the site.",
            )


def _ranges(place: Place) -> Iterator[Finding]:
    segment, static = place.segment, place.static_range
    if static is None:
        return
    subject = f"segment {segment.name}"
    if not any(
        network.version == static.version and network.first <= static.first and static.last <= network.last
        for network in place.networks
    ):
        yield Finding(
            "static-range-outside-segment",
            "error",
            subject,
            f"has the static range {segment.static_range}, which is not inside its network; nothing is handed out.",
            "Correct the static range or the network.",
        )
    if place.pool is not None and place.pool.overlaps(static):
        yield Finding(
            "static-range-in-pool",
            "warning",
            subject,
            f"has the static range {segment.static_range}, which overlaps its pool {segment.pool}.",
            "Keep them apart: what lies in both is never handed out as a static address.",
        )


def _reverse(place: Place) -> Iterator[Finding]:
    for text in (place.segment.network4, place.segment.network6):
        if text and not any(zones_of(ipaddress.ip_network(text))):
            yield Finding(
                "reverse-zone-missing",
                "warning",
                f"segment {place.segment.name}",
                f"has the public network {text}, which is no whole reverse zone; its addresses have no PTR here.",
                "Have whoever holds the reverse zone delegate it (RFC 2317) or enter the records.",
            )
