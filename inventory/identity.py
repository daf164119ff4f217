"""MAC addresses and names: what they may look like, and how they are compared. Pure.

Canonical MAC: six lower-case octets with colons (IEEE 802 EUI-48). Canonical label: lower-case letters, digits and
hyphens, 1 to 63 characters, no hyphen at either end (RFC 1123, section 2.1).
"""

from __future__ import annotations

import ipaddress
import re

import idna

MAC_PATTERN = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\Z")
LABEL_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
HEX_OCTET = re.compile(r"[0-9a-f]{2}\Z")

_COLON_OR_DASH = re.compile(r"[0-9a-f]{1,2}([:-])(?:[0-9a-f]{1,2}\1){4}[0-9a-f]{1,2}\Z")
_DOTTED = re.compile(r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\Z")
_BARE = re.compile(r"[0-9a-f]{12}\Z")

#: How an inventory says "the hardware exists, nobody has read its address yet".
UNKNOWN_SPELLINGS = frozenset({"", "unknown", "tbd", "todo", "none", "n/a", "?"})


def canonical_mac(text: str) -> str:
    """Return *text* as ``aa:bb:cc:dd:ee:ff``; accepts colons, dashes, Cisco dots and bare hex in any case.

    Raises ValueError with a sentence for people.
    """
    wanted = text.strip().lower()
    if _COLON_OR_DASH.match(wanted):
        return ":".join(part.zfill(2) for part in re.split("[:-]", wanted))
    if _DOTTED.match(wanted) or _BARE.match(wanted):
        digits = wanted.replace(".", "")
        return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    raise ValueError(f"“{text}” is not a MAC address; write six octets in hex, such as 02:de:10:01:00:01.")


def mac_problem(mac: str) -> str:
    """Say why the canonical *mac* cannot name a network interface; empty when it can."""
    if mac in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"):
        return f"{mac} is no machine's address; leave the field empty while it is unknown."
    if int(mac[:2], 16) & 1:
        return (
            f"{mac} is a multicast address (the lowest bit of the first octet is set); an interface has none."
        )
    return ""


def is_unknown_mac(text: str) -> bool:
    return text.strip().lower() in UNKNOWN_SPELLINGS


def is_locally_administered(mac: str) -> bool:
    """True for addresses made by people (second-lowest bit of the first octet), false for a vendor's."""
    return bool(int(mac[:2], 16) & 2)


def eui64_address(mac: str, network: ipaddress.IPv6Network) -> ipaddress.IPv6Address:
    """Return the modified EUI-64 address of *mac* in the /64 *network* (RFC 4291, appendix A)."""
    if network.prefixlen != 64:
        raise ValueError(f"{network} is not a /64; an EUI-64 address needs one.")
    octets = bytes.fromhex(mac.replace(":", ""))
    host_part = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return network[int.from_bytes(host_part, "big")]


def is_label(text: str) -> bool:
    return bool(LABEL_PATTERN.match(text))


def label_problem(text: str) -> str:
    """Say why *text* cannot be one DNS label that a person declares; empty when it can."""
    if is_label(text):
        return ""
    if len(text) > 63:
        return f"“{text}” has {len(text)} characters; a DNS label has at most 63."
    return f"“{text}” is not a host name; use lower-case letters, digits and hyphens, such as netctrl-vm01."


def dns_label(text: str) -> str | None:
    """Return *text* as the label that DNS carries (lower case, punycode for non-ASCII), or None if it has none."""
    lowered = text.lower()
    if is_label(lowered):
        return lowered
    if lowered.isascii():
        return None
    try:
        encoded = idna.encode(lowered, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    return encoded if is_label(encoded) else None


def dns_name(text: str) -> str | None:
    """Return the relative, possibly dotted name *text* as DNS carries it, or None if a label has no form there."""
    if is_label(text):
        return text
    labels = [dns_label(part) for part in text.split(".")]
    if not all(labels):
        return None
    return ".".join(label for label in labels if label)


def is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
