"""Where each segment lies, as numbers to compare with: thousands of addresses ask. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from inventory.addressing import Range
from inventory.numbers import Point, point
from inventory.snapshot import SegmentFacts, Snapshot


@dataclass(frozen=True, slots=True)
class Span:
    """First and last address of one family, both included."""

    version: int
    first: int
    last: int

    def holds(self, address: Point) -> bool:
        return address.version == self.version and self.first <= address.number <= self.last

    def overlaps(self, other: Span) -> bool:
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    @property
    def size(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Place:
    segment: SegmentFacts
    networks: tuple[Span, ...]
    pool: Span | None
    static_range: Span | None
    delegated: tuple[Span, ...]

    def holds(self, address: Point) -> bool:
        return any(network.holds(address) for network in self.networks)

    def is_end(self, address: Point) -> bool:
        """True for the network and broadcast address of IPv4; a /31 (RFC 3021) and a /32 have neither."""
        return any(
            network.version == 4 and network.size > 2 and address.number in (network.first, network.last)
            for network in self.networks
            if network.holds(address)
        )


def places(snapshot: Snapshot) -> dict[str, Place]:
    """Segment → its place, in the order of the segments."""
    return snapshot.once(_places)


def _places(snapshot: Snapshot) -> dict[str, Place]:
    return {segment.name: _place(segment) for segment in snapshot.segments}


def _place(segment: SegmentFacts) -> Place:
    return Place(
        segment,
        tuple(span_of_network(text) for text in (segment.network4, segment.network6) if text),
        span_of(segment.pool),
        span_of(segment.static_range),
        tuple(span for span in map(span_of, segment.delegated) if span),
    )


def span_of_network(text: str) -> Span:
    network = ipaddress.ip_network(text)
    return Span(network.version, int(network.network_address), int(network.broadcast_address))


def span_of(given: Range | None) -> Span | None:
    """*given* as numbers; None where it is none, or upside down."""
    ends = [point(text) for text in (given.first, given.last)] if given else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0].version != ends[1].version:
        return None
    return Span(ends[0].version, ends[0].number, ends[1].number) if ends[0].number <= ends[1].number else None


def named(names: Iterable[str], most: int = 5) -> str:
    """``a, b and c``; of many, the first *most* and how many more there are."""
    every = list(names)
    if len(every) > most:
        return f"{', '.join(every[:most])} and {len(every) - most} more"
    return f"{', '.join(every[:-1])} and {every[-1]}" if len(every) > 1 else "".join(every)
