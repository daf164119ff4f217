"""What a DHCP server may hand out to strangers: a pool, minus every address somebody has. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from inventory.addressing import Range


def without(pool: Range, taken: Iterable[Range]) -> tuple[Range, ...]:
    """The parts of the IPv4 *pool* that no range in *taken* covers, lowest first."""
    first, last = _ends(pool)
    parts = []
    for low, high in sorted(_ends(hole) for hole in taken):
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


def _ends(span: Range) -> tuple[int, int]:
    return int(ipaddress.IPv4Address(span.first)), int(ipaddress.IPv4Address(span.last))
