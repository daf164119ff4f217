"""Local ports of tunnels to web pages: handed out once to each, recorded, and never another's. Pure.

Below the ports that systems hand out by themselves (Linux from 32768 on), and above those that servers are known by.
"""

from __future__ import annotations

from collections.abc import Collection

FIRST, LAST = 24_000, 28_999


def next_port(
    own: Collection[int], elsewhere: Collection[int] = (), ever: Collection[int] = ()
) -> int | None:
    """The next port of a site: above all that any site ever had, so that no bookmark opens another page.

    *elsewhere* are those of other sites, whose tunnels may be open at the same time; *ever* are those of all sites, freed
    ones as well. At the end of the range: the lowest that nobody ever had, then the lowest free one, then one that only
    another site has. None: the site has all of them.
    """
    taken = {*own, *elsewhere}
    known = taken | set(ever)
    above = max(known, default=FIRST - 1) + 1
    for ports, without in (
        (range(above, LAST + 1), known),
        (range(FIRST, LAST + 1), known),
        (range(FIRST, LAST + 1), taken),
        (range(FIRST, LAST + 1), set(own)),
    ):
        for port in ports:
            if port not in without:
                return port
    return None
