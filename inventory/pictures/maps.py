"""The map of a segment: each address of a network of 256 or fewer a cell, a larger network in blocks. Pure."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field

from inventory.numbers import number4
from inventory.pictures.addresses import (
    PRECEDENCE,
    Addresses,
    Mark,
    State,
    addresses6_of,
    addresses_of,
    by_precedence,
)
from inventory.pictures.use import bounds, bounds6, has_edges, part_of
from inventory.snapshot import SegmentFacts, Snapshot

#: A network of this prefix or a longer one is shown address by address.
SINGLE = 24
#: A network is cut into 2 to the power of this many blocks at most.
STEP = 8

_EDGE = {0: Mark("edge", "network address"), 1: Mark("edge", "broadcast address")}
_FREE = Mark("free", "free, in the static range")


class NoSuchNetwork(ValueError):
    """What was asked for is no part of the segment; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One address. ``marks`` are all that it is, in the order of precedence; never empty."""

    number: int
    address: str
    marks: tuple[Mark, ...]
    #: whether allocation would hand it out if asked for it
    can_be_given: bool = False

    @property
    def state(self) -> State:
        return self.marks[0].state

    @property
    def host(self) -> str:
        return next((mark.host for mark in self.marks if mark.host and mark.state != "quarantined"), "")

    @property
    def is_used(self) -> bool:
        return self.state not in ("edge", "delegated", "pool", "free", "outside")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a larger network."""

    network: str
    total: int
    used: int
    percent: int
    disputed: int = 0
    quarantined: int = 0
    #: whether a pool or a delegated range reaches into it
    has_pool: bool = False
    has_delegated: bool = False


@dataclass(frozen=True)
class AddressMap:
    """Either cells or blocks; neither for a segment without an IPv4 network."""

    segment: str
    #: what is shown, and the networks around it up to the segment's own, outermost first
    network: str = ""
    around: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    blocks: tuple[Block, ...] = ()
    #: of the cells, by the state that they are shown in; every state, in the order of precedence
    counts: dict[State, int] = field(default_factory=dict)
    #: what is known in the segment's IPv6 network, by address
    network6: str = ""
    known6: tuple[Cell, ...] = ()


def address_map(snapshot: Snapshot, segment: SegmentFacts, part: str = "") -> AddressMap:
    """The map of *segment*, or of the network *part* of it. Raises NoSuchNetwork."""
    known6 = _known6(snapshot, segment.network6) if segment.network6 else ()
    if not segment.network4:
        if part:
            raise NoSuchNetwork(f"Segment {segment.name} has no IPv4 network to look into.")
        return AddressMap(segment.name, network6=segment.network6 or "", known6=known6)
    whole = ipaddress.IPv4Network(segment.network4, strict=False)
    shown = _part_of(whole, part, segment.name) if part else whole
    known = addresses_of(snapshot)
    cells: tuple[Cell, ...] = ()
    blocks: tuple[Block, ...] = ()
    if shown.prefixlen >= SINGLE:
        cells = _cells(known, segment, shown)
    else:
        blocks = tuple(
            _block(known, one, bounds(str(whole))) for one in shown.subnets(new_prefix=_below(shown))
        )
    counted = Counter(cell.state for cell in cells)
    return AddressMap(
        segment.name,
        str(shown),
        _around(whole, shown),
        cells,
        blocks,
        {state: counted[state] for state in PRECEDENCE},
        segment.network6 or "",
        known6,
    )


def _part_of(whole: ipaddress.IPv4Network, part: str, name: str) -> ipaddress.IPv4Network:
    try:
        found = ipaddress.IPv4Network(part)
    except ValueError:
        raise NoSuchNetwork(f"“{part[:40]}” is not a network; write one such as {whole}.") from None
    if not found.subnet_of(whole):
        raise NoSuchNetwork(f"{found} lies outside {whole} of segment {name}.")
    return found


def _below(network: ipaddress.IPv4Network) -> int:
    return min(network.prefixlen + STEP, SINGLE)


def _around(whole: ipaddress.IPv4Network, shown: ipaddress.IPv4Network) -> tuple[str, ...]:
    """The networks that were opened on the way from *whole* to *shown*."""
    found, outer = [], whole
    while outer.prefixlen < shown.prefixlen:
        found.append(str(outer))
        if outer.prefixlen >= SINGLE:
            break
        outer = shown.supernet(new_prefix=_below(outer)) if _below(outer) <= shown.prefixlen else shown
    return tuple(found)


def _cells(known: Addresses, segment: SegmentFacts, shown: ipaddress.IPv4Network) -> tuple[Cell, ...]:
    first, last = bounds(str(shown))
    network = bounds(segment.network4 or str(shown))
    spans = [span for span in known.spans if span.first <= last and span.last >= first]
    edges = {edge: _EDGE[end] for end, edge in enumerate(network)} if has_edges(*network) else {}
    static = _static_of(segment)
    cells = []
    for number in range(first, last + 1):
        marks = [*known.marks.get(number, ())]
        marks += [edges[number]] if number in edges else []
        marks += [span.mark for span in spans if span.first <= number <= span.last]
        is_free = not marks
        if is_free:
            marks = [_FREE if static and static[0] <= number <= static[1] else _outside(segment)]
        given = is_free and segment.policy != "dynamic"
        cells.append(Cell(number, str(ipaddress.IPv4Address(number)), by_precedence(marks), given))
    return tuple(cells)


def _static_of(segment: SegmentFacts) -> tuple[int, int] | None:
    if segment.static_range is None:
        return None
    first, last = number4(segment.static_range.first), number4(segment.static_range.last)
    return (first, last) if first is not None and last is not None else None


def _outside(segment: SegmentFacts) -> Mark:
    if segment.policy == "dynamic":
        return Mark("outside", "free; the segment takes no static mappings")
    where = "outside the static range" if segment.static_range else "the segment has no static range"
    return Mark("outside", f"free, {where}")


def _block(known: Addresses, block: ipaddress.IPv4Network, network: tuple[int, int]) -> Block:
    first, last = bounds(str(block))
    inside = known.between(first, last)
    edges = [edge for edge in network if first <= edge <= last] if has_edges(*network) else []
    total = last - first + 1 - len(edges)
    used = len(inside) - sum(edge in known.marks for edge in edges)
    states = Counter(mark.state for number in inside for mark in known.marks[number][:1])
    kinds = {span.mark.state for span in known.spans if span.first <= last and span.last >= first}
    return Block(
        str(block),
        total,
        used,
        part_of(used, total),
        states["disputed"],
        states["quarantined"],
        "pool" in kinds,
        "delegated" in kinds,
    )


def _known6(snapshot: Snapshot, network: str) -> tuple[Cell, ...]:
    known = addresses6_of(snapshot)
    return tuple(
        Cell(number, str(ipaddress.IPv6Address(number)), known.marks[number])
        for number in known.between(*bounds6(network))
    )
