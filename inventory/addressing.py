"""Networks, ranges and addresses as values. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.identity import is_ip_address

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """First and last address, both included; canonical text."""

    first: str
    last: str

    def __contains__(self, address: object) -> bool:
        value = ipaddress.ip_address(str(address))
        first, last = ipaddress.ip_address(self.first), ipaddress.ip_address(self.last)
        return value.version == first.version and int(first) <= int(value) <= int(last)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def canonical_address(text: str) -> str:
    """Return *text* as the shortest canonical address (RFC 5952 for IPv6). Raises ValueError for people."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        raise ValueError(
            f"“{text}” is not an IP address; write one such as 10.20.99.97 or fd00::1."
        ) from None
    if "%" in str(address):
        raise ValueError(f"“{text}” names an interface behind the %; write the address alone.")
    return str(address)


def canonical_network(text: str) -> Network:
    """Return *text* as a network whose host bits are zero. Raises ValueError for people."""
    try:
        return ipaddress.ip_network(text.strip(), strict=True)
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"“{text}” is not a network; write one such as 10.20.99.0/24.") from None
    raise ValueError(f"“{text}” has host bits set; the network is {meant}.")


def address_key(address: str) -> tuple[int, int]:
    """Sort addresses as addresses: by family, then by number."""
    value = ipaddress.ip_address(address)
    return value.version, int(value)


def addresses_in(value: Any) -> Iterator[str]:
    """Every text in *value*, however deep, that is an address: of a console in data that people shape themselves."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from addresses_in(inner)
    elif isinstance(value, str) and is_ip_address(value):
        yield value
