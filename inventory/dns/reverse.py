"""Which reverse zones a site serves, and in which of them an address lies. Pure.

A zone is cut on an octet of IPv4 and a nibble of IPv6 (RFC 1035, section 3.5; RFC 3596, section 2.5). A
segment of another length is split into, or enlarged to, such zones; what is longer than /24 or /64 becomes
that zone where the addresses are local to the site. Serving the reverse of local addresses oneself is what
RFC 6303 asks for: such questions must not leave the site.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from inventory.addressing import Network
from inventory.numbers import Point

#: Blocks that mean something inside a site only: RFC 1918, 6598, 3927, 5737, 2544; RFC 4193, 4291, 3849,
#: 9637.
LOCAL_BLOCKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "192.0.2.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "fc00::/7",
        "fe80::/10",
        "2001:db8::/32",
        "3fff::/20",
    )
)
#: Bits per label and the longest prefix a zone of ours has, by IP version.
STEP = {4: 8, 6: 4}
LONGEST = {4: 24, 6: 64}
BITS = {4: 32, 6: 128}


def is_local(network: Network) -> bool:
    return any(
        block.version == network.version and network.subnet_of(block)  # type: ignore[arg-type]
        for block in LOCAL_BLOCKS
    )


def zones_of(network: Network) -> Iterator[Network]:
    """The reverse zones of one network; none where a zone would take in other people's addresses."""
    version = network.version
    if network.prefixlen > LONGEST[version]:
        enclosing = network.supernet(new_prefix=LONGEST[version])
        if is_local(enclosing):
            yield enclosing
        return
    step = STEP[version]
    boundary = -(-network.prefixlen // step) * step
    yield from network.subnets(new_prefix=max(boundary, step))


def zone_name(network: Network) -> str:
    """The name of the zone *network*, whose prefix ends on a label: ``99.20.10.in-addr.arpa``."""
    labels = network.network_address.reverse_pointer.split(".")
    kept = network.prefixlen // STEP[network.version]
    return ".".join(labels[BITS[network.version] // STEP[network.version] - kept :])


class ReverseZones:
    """The zones of a site's networks; grows by the local zones of addresses that no segment holds."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._names: dict[tuple[int, int, int], str] = {}
        for network in networks:
            for zone in zones_of(network):
                self._add(zone)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(set(self._names.values())))

    def zone_for(self, address: Point) -> str | None:
        """The most specific zone of *address*; None where it is public and in no segment of ours."""
        version, bits = address.version, BITS[address.version]
        for length in range(LONGEST[version], 0, -STEP[version]):
            name = self._names.get((version, length, address.number >> (bits - length)))
            if name is not None:
                return name
        enclosing = ipaddress.ip_network(f"{address.text}/{LONGEST[version]}", strict=False)
        return self._add(enclosing) if is_local(enclosing) else None

    def _add(self, zone: Network) -> str:
        shift = BITS[zone.version] - zone.prefixlen
        name = zone_name(zone)
        self._names[zone.version, zone.prefixlen, int(zone.network_address) >> shift] = name
        return name
