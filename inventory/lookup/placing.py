"""What an address, a MAC or a number is by its place or form alone, declared or not. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from inventory import macs
from inventory.addressing import Range
from inventory.lookup.index import index_of
from inventory.numbers import number4
from inventory.snapshot import SegmentFacts, Snapshot


def of_address(snapshot: Snapshot, address: str, *, is_taken: bool) -> Iterator[str]:
    """Sentences about *address*: its segment, the range it is in, whether it could be handed out."""
    inside = [segment for segment in snapshot.segments if segment.holds(address)]
    for segment in inside:
        yield f"in segment {segment.name} ({_network(segment, address)})"
        yield from _in_segment(segment, address, is_taken=is_taken)
        if not is_taken and (beside := _beside(snapshot, segment, address)):
            yield f"beside it: {beside}"
    block = ipaddress.ip_network(snapshot.site.block, strict=False) if snapshot.site.block else None
    if not inside and block is not None and ipaddress.ip_address(address) in block:
        yield f"in the site's block {block}, and in no segment"


def _network(segment: SegmentFacts, address: str) -> str:
    return str(segment.network6 if ":" in address else segment.network4)


def _in_segment(segment: SegmentFacts, address: str, *, is_taken: bool) -> Iterator[str]:
    value = ipaddress.ip_address(address)
    if value.version == 6:
        if not is_taken:
            yield "not declared"
        return
    network = ipaddress.IPv4Network(segment.network4 or "0.0.0.0/0", strict=False)
    if network.prefixlen < 31 and value == network.network_address:
        yield "the network's own address"
    elif network.prefixlen < 31 and value == network.broadcast_address:
        yield "the broadcast address"
    elif segment.pool and _inside(segment.pool, address):
        yield f"in the DHCP pool {segment.pool}"
    elif any(_inside(span, address) for span in segment.delegated):
        yield "in a delegated range: another allocator hands it out"
    elif segment.static_range and _inside(segment.static_range, address):
        yield ("" if is_taken else "free, ") + f"in the static range {segment.static_range}"
    elif not is_taken:
        yield (
            "free, outside the static range"
            if segment.static_range
            else "free; the segment has no static range"
        )


def _beside(snapshot: Snapshot, segment: SegmentFacts, address: str) -> str:
    """Who has the nearest addresses below and above in *segment*."""
    wanted = ipaddress.ip_address(address)
    network = ipaddress.ip_network(_network(segment, address), strict=False)
    first, last = int(network[0]), int(network[-1])
    below: tuple[int, str, str] | None = None
    above: tuple[int, str, str] | None = None
    for other, found in index_of(snapshot).addresses.items():
        if (":" in other) != (wanted.version == 6):
            continue
        number = int(ipaddress.ip_address(other))
        if not first <= number <= last or not (holder := next((host for _, host in found if host), "")):
            continue
        if number < int(wanted) and (below is None or number > below[0]):
            below = (number, other, holder)
        elif number > int(wanted) and (above is None or number < above[0]):
            above = (number, other, holder)
    return ", ".join(f"{one[2]} {one[1]}" for one in (below, above) if one)


def _inside(span: Range, address: str) -> bool:
    number, first, last = number4(address), number4(span.first), number4(span.last)
    return None not in (number, first, last) and first <= number <= last  # type: ignore[operator]


def of_mac(snapshot: Snapshot, mac: str) -> Iterator[str]:
    said = macs.describe(snapshot, mac)
    yield said.removeprefix(f"{mac}: ")


def of_number(snapshot: Snapshot, number: str, *, is_taken: bool) -> Iterator[str]:
    first, last = snapshot.site.vmid_first, snapshot.site.vmid_last
    if first is not None and last is not None and first <= int(number) <= last:
        yield f"in the site's VMID range {first}-{last}" + ("" if is_taken else ", free")
