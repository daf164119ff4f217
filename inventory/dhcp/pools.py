"""What a DHCP server may hand out to strangers: a pool, minus every address somebody has. Pure."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable

from inventory.addressing import Range

#: First and last IPv4 address as numbers, both included.
Span = tuple[int, int]


def span_of(span: Range) -> Span:
    return int(ipaddress.IPv4Address(span.first)), int(ipaddress.IPv4Address(span.last))


def without(pool: Range, taken: list[int], delegated: Iterable[Range] = ()) -> tuple[Range, ...]:
    """The parts of the IPv4 *pool* with none of *taken* (sorted) and nothing *delegated*, lowest first."""
    first, last = span_of(pool)
    singles = taken[bisect_left(taken, first) : bisect_left(taken, last + 1)]
    parts = []
    for low, high in sorted([*((one, one) for one in singles), *map(span_of, delegated)]):
        if high < first or low > last:
            continue
        if low > first:
            parts.append((first, low - 1))
        first = max(first, high + 1)
    if first <= last:
        parts.append((first, last))
    return tuple(
        Range(str(ipaddress.IPv4Address(low)), str(ipaddress.IPv4Address(high))) for low, high in parts
    )
