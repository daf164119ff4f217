"""What a text may mean: a MAC, an address, a number, a name, in every spelling. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from inventory.dns.names import dns_name
from inventory.identity import canonical_mac
from inventory.lookup.answers import Kind

_REVERSE4, _REVERSE6 = ".in-addr.arpa", ".ip6.arpa"


@dataclass(frozen=True, slots=True)
class Question:
    """*asked* as typed, understood as a value of *kind*."""

    asked: str
    kind: Kind
    value: str


def understood(text: str) -> Question:
    """What *text* most likely is; ``text`` when it has no form of a value."""
    asked = text.strip()
    for kind, read in (("mac", _mac), ("address", _address), ("vmid", _number), ("name", _name)):
        value = read(asked)
        if value is not None:
            return Question(asked, kind, value)  # type: ignore[arg-type]
    return Question(asked, "text", asked)


def _mac(text: str) -> str | None:
    bare = text.replace(" ", "") if text.count(" ") == 5 else text
    try:
        return canonical_mac(bare)
    except ValueError:
        pass
    try:  # pxelinux and GRUB write the hardware type before it: 01-02-de-…
        return canonical_mac(text[3:]) if text[:3] in ("01-", "01:") and len(text) == 20 else None
    except ValueError:
        return None


def _address(text: str) -> str | None:
    wanted = text.strip("[]").rstrip(".").lower()
    if wanted.endswith((_REVERSE4, _REVERSE6)):
        return _of_reverse(wanted)
    try:
        return str(ipaddress.ip_interface(wanted).ip) if "/" in wanted else str(ipaddress.ip_address(wanted))
    except ValueError:
        return None


def _of_reverse(name: str) -> str | None:
    """The address that a reverse name (RFC 1035 3.5, RFC 3596 2.5) stands for; None for a whole zone."""
    try:
        if name.endswith(_REVERSE4):
            return str(ipaddress.IPv4Address(".".join(reversed(name.removesuffix(_REVERSE4).split(".")))))
        digits = "".join(reversed(name.removesuffix(_REVERSE6).split(".")))
        return str(ipaddress.IPv6Address(int(digits, 16))) if len(digits) == 32 else None
    except ValueError:
        return None


def _number(text: str) -> str | None:
    return str(int(text)) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _name(text: str) -> str | None:
    return dns_name(text.rstrip(".")) if text and not any(c.isspace() for c in text) else None
