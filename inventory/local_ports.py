"""Local ports of tunnels to web pages: handed out once to each, recorded, and never another's. Pure.

Below the ports that systems hand out by themselves (Linux from 32768 on), and above those that servers are known by.
"""

from __future__ import annotations

from collections.abc import Collection

FIRST, LAST = 24_000, 28_999


def next_port(
    own: Collection[int], elsewhere: Collection[int] = (), highest: int | None = None
) -> int | None:
    """The next port of a site: above the *highest* it ever had, so that nobody gets a freed one soon; then the lowest free.

    *elsewhere* are those of other sites, whose tunnels may be open at the same time. None: all are taken.
    """
    taken = {*own, *elsewhere}
    highest = max((*own, highest or FIRST - 1))
    for port in (*range(highest + 1, LAST + 1), *range(FIRST, highest + 1)):
        if port not in taken:
            return port
    return next((port for port in range(FIRST, LAST + 1) if port not in own), None)
