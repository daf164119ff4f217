"""Addresses as numbers, for those who compare thousands of them: ``ipaddress`` objects cost ten times as much. Pure."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import NamedTuple


class Point(NamedTuple):
    """An address that sorts as an address: by family, then by number."""

    version: int
    number: int
    #: canonical, as given
    text: str

    @property
    def is_link_local(self) -> bool:
        """169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291, section 2.5.6)."""
        return self.number >> 16 == 0xA9FE if self.version == 4 else self.number >> 118 == 0x3FA

    @property
    def reverse_name(self) -> str:
        """The owner of its PTR (RFC 1035, section 3.5; RFC 3596, section 2.5)."""
        if self.version == 4:
            return f"{'.'.join(reversed(self.text.split('.')))}.in-addr.arpa"
        return f"{'.'.join(f'{self.number:032x}'[::-1])}.ip6.arpa"


@lru_cache(maxsize=131_072)
def number4(text: str) -> int | None:
    """The number of an IPv4 address; None for anything else, leading zeros included."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=131_072)
def point(text: str) -> Point | None:
    """The address that *text* is; None for anything else, an address with a zone (``fe80::1%eth0``) included."""
    number = number4(text)
    if number is not None:
        return Point(4, number, text)
    try:
        return Point(6, int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big"), text)
    except (OSError, ValueError):
        return None
