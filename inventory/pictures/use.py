"""How full each segment is. Pure.

Used is what nobody else can have: an address of a host, a gateway, a DNS or boot server, a disputed or quarantined one.
Pools count by their size; what a pool has leased out is not known here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from inventory.numbers import number4
from inventory.pictures.addresses import Addresses, Span, addresses6_of, addresses_of
from inventory.snapshot import SegmentFacts, Snapshot


@dataclass(frozen=True, slots=True)
class SegmentUse:
    name: str
    vlan: int | None
    #: the IPv4 network, else the IPv6 one; empty for a segment without any
    network: str
    #: addresses that hosts can have; 0 where they cannot be counted (IPv6) or there are none
    total: int
    used: int
    #: addresses of the static range that allocation would hand out
    free_static: int
    pool_size: int
    #: ``used`` of ``total``, rounded, and 1 at least when any is used
    percent: int
    quarantined: int = 0


def segment_use(snapshot: Snapshot) -> tuple[SegmentUse, ...]:
    """Every segment, in the Snapshot's order. Computed once for each Snapshot."""
    return snapshot.once(_segment_use)


def use_by_name(snapshot: Snapshot) -> dict[str, SegmentUse]:
    return {use.name: use for use in segment_use(snapshot)}


def bounds(network: str) -> tuple[int, int]:
    """First and last address of an IPv4 network as numbers."""
    found = ipaddress.IPv4Network(network, strict=False)
    return int(found.network_address), int(found.broadcast_address)


def has_edges(first: int, last: int) -> bool:
    """Whether the ends are network and broadcast address; those of a /31 and a /32 are hosts (RFC 3021)."""
    return last - first > 1


def part_of(used: int, total: int) -> int:
    """*used* of *total* in percent: never 0 while something is used, never 100 while something is left."""
    if not total or not used:
        return 0
    return min(max(round(100 * used / total), 1), 100 if used >= total else 99)


def _segment_use(snapshot: Snapshot) -> tuple[SegmentUse, ...]:
    known = addresses_of(snapshot)
    return tuple(
        _of_network4(segment, segment.network4, known)
        if segment.network4
        else SegmentUse(segment.name, segment.vlan, segment.network6 or "", 0, in_network6, 0, 0, 0)
        for segment, in_network6 in zip(snapshot.segments, _used6(snapshot), strict=True)
    )


def _of_network4(segment: SegmentFacts, network: str, known: Addresses) -> SegmentUse:
    first, last = bounds(network)
    total, used = last - first + 1, known.count(first, last)
    if has_edges(first, last):
        total -= 2
        used -= sum(edge in known.marks for edge in (first, last))
    held = known.between(first, last) if known.count(first, last) else ()
    quarantined = sum(known.marks[number][0].state == "quarantined" for number in held)
    return SegmentUse(
        segment.name,
        segment.vlan,
        network,
        total,
        used,
        _free_static(segment, (first, last), known),
        _size_of_pool(segment),
        part_of(used, total),
        quarantined,
    )


def _size_of_pool(segment: SegmentFacts) -> int:
    if segment.pool is None:
        return 0
    first, last = number4(segment.pool.first), number4(segment.pool.last)
    return last - first + 1 if first is not None and last is not None and first <= last else 0


def _free_static(segment: SegmentFacts, network: tuple[int, int], known: Addresses) -> int:
    """As ``allocation.choosing.lowest_address`` counts: without edges, other allocators' ranges and what is taken."""
    if segment.static_range is None or segment.policy == "dynamic":
        return 0
    first, last = number4(segment.static_range.first), number4(segment.static_range.last)
    if first is None or last is None:
        return 0
    first, last = max(first, network[0]), min(last, network[1])
    if first > last:
        return 0
    blocks = merged(known.spans, first, last)
    edges = [
        edge
        for edge in network
        if has_edges(*network) and first <= edge <= last and edge not in known.marks
        if not any(start <= edge <= end for start, end in blocks)
    ]
    kept = sum(end - start + 1 for start, end in blocks)
    inside = sum(known.count(start, end) for start, end in blocks)
    return last - first + 1 - kept - len(edges) - (known.count(first, last) - inside)


def merged(spans: Iterable[Span], first: int, last: int) -> list[tuple[int, int]]:
    """The parts of *spans* between *first* and *last*, without overlaps, in order. *spans* are sorted."""
    found: list[tuple[int, int]] = []
    for span in spans:
        start, end = max(span.first, first), min(span.last, last)
        if start > end:
            continue
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _used6(snapshot: Snapshot) -> list[int]:
    """For each segment the number of known addresses in its IPv6 network; asked of those without IPv4 alone."""
    known = addresses6_of(snapshot)
    return [
        known.count(*bounds6(segment.network6)) if segment.network6 and not segment.network4 else 0
        for segment in snapshot.segments
    ]


def bounds6(network: str) -> tuple[int, int]:
    found = ipaddress.IPv6Network(network, strict=False)
    return int(found.network_address), int(found.broadcast_address)
