"""Reads identity fields as an inventory writes them. Pure.

Every reader returns ``Reading(value, problem, hint)``: the value that the rows hold, and what is wrong with the text, if
anything is. Importer, exporter and rules call the same readers, so that what was written can be kept as long as it
still means what the row says.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.addressing import canonical_network
from inventory.identity import canonical_mac, is_unknown_mac

_JINJA = re.compile(r"\{\{|\{%|\{#")
#: One variable, perhaps with a default, and nothing else: the only Jinja that is resolved here (see docs/ansible.md).
_REFERENCE = re.compile(
    r"""\s*\{\{-?\s*(?P<name>[A-Za-z_]\w*)\s*
        (?:\|\s*(?:default|d)\(\s*(?:(?P<quote>['"])(?P<text>[^'"\\]*)(?P=quote))?\s*(?:,\s*(?:true|True|false|False)\s*)?\)\s*)?
        -?\}\}\s*\Z""",
    re.VERBOSE,
)

Own = Mapping[str, Any]  # the host's own variables


@dataclass(frozen=True, slots=True)
class Reading:
    value: Any
    problem: str = ""
    hint: str = ""


def holds_jinja(raw: Any) -> bool:
    return isinstance(raw, str) and bool(_JINJA.search(raw))


def is_sealed(raw: Any) -> bool:
    return isinstance(raw, Mapping) and "__ansible_vault" in raw


def dereferenced(raw: Any, own: Own) -> Reading:
    """Resolve *raw* when it is a single reference to one of the host's own variables; other Jinja is a problem."""
    if is_sealed(raw):
        return Reading(
            None, "is sealed in a vault, so the identity cannot be read", "write identities in plain text"
        )
    if not holds_jinja(raw):
        return Reading(raw)
    match = _REFERENCE.match(raw)
    if match is None:
        return Reading(
            None,
            f"holds Jinja ({raw.strip()}), which is never evaluated here",
            "write the value itself, or a single reference such as {{ name | default('') }} to a variable of the host",
        )
    name, has_default = match["name"], "|" in raw
    if name in own:
        value = own[name]
        if holds_jinja(value) or is_sealed(value):
            return Reading(
                None, f"refers to {name}, which is itself Jinja or sealed", f"give {name} a plain value"
            )
        return Reading(value)
    if has_default:
        return Reading(match["text"] or "")
    return Reading(
        None, f"refers to {name}, which the host itself does not define", f"define {name} in its host_vars"
    )


def read_mac(raw: Any, own: Own) -> Reading:
    """Canonical MAC, or None while it is unknown."""
    found = dereferenced(raw, own)
    if found.problem or found.value is None:
        return Reading(None, found.problem, found.hint)
    if isinstance(found.value, int) and not isinstance(found.value, bool):
        return Reading(
            None, f"was read as the number {found.value} (YAML 1.1, base 60)", "put the MAC in quotes"
        )
    if not isinstance(found.value, str):
        return Reading(None, f"is not text but {type(found.value).__name__}", "write six octets in quotes")
    if is_unknown_mac(found.value):
        return Reading(None)
    try:
        return Reading(canonical_mac(found.value))
    except ValueError as error:
        return Reading(None, f"cannot be read: {error}", "write six octets in hex, or UNKNOWN")


@dataclass(frozen=True, slots=True)
class Addressing:
    """How an interface gets its addresses; the value of :func:`read_addressing`."""

    how: str = "none"  # static, dhcp, none
    ipv4: str | None = None
    ipv6: tuple[str, ...] = ()


def read_addressing(raw: Any, raw6: Any, own: Own, mac: str | None, network6: str | None) -> Reading:
    """Read ``ip`` and ``ip6`` together. ``eui64`` needs the MAC and the segment's /64."""
    problems: list[Reading] = []
    how, ipv4, ipv6 = "none", None, []
    for text in _listed(raw, own, problems):
        if isinstance(text, str) and text.strip().lower() == "dhcp":
            how = "dhcp"
            continue
        address = _address(text, problems)
        if address is None:
            continue
        if address.version == 6:
            ipv6.append(str(address))
        elif ipv4 is None:
            ipv4 = str(address)
        else:
            problems.append(
                Reading(None, f"gives a second IPv4 address, {address}", "give it an interface of its own")
            )
    for text in _listed(raw6, own, problems):
        derived = _eui64(mac, network6) if text == "eui64" else None
        address = derived or _address(text, problems)
        if address is not None and address.version == 6:
            ipv6.append(str(address))
    if how == "dhcp":
        if ipv4:
            problems.append(Reading(None, "says both dhcp and an address", "choose one"))
        ipv4 = None
    elif ipv4 or ipv6:
        how = "static"
    value = Addressing(how, ipv4, tuple(dict.fromkeys(ipv6)))
    return Reading(
        value, "; ".join(p.problem for p in problems), "; ".join(dict.fromkeys(p.hint for p in problems))
    )


def _listed(raw: Any, own: Own, problems: list[Reading]) -> list[Any]:
    found = dereferenced(raw, own)
    if found.problem:
        problems.append(found)
        return []
    items = found.value if isinstance(found.value, list) else [found.value]
    return [item for item in items if item not in (None, "", False)]


def _address(text: Any, problems: list[Reading]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if isinstance(text, str):
        try:
            return ipaddress.ip_interface(text.strip()).ip
        except ValueError:
            pass
    problems.append(Reading(None, f"“{text}” is not an address", "write an address, dhcp, or null"))
    return None


def _eui64(mac: str | None, network6: str | None) -> ipaddress.IPv6Address | None:
    from inventory.identity import eui64_address

    if not mac or not network6:
        return None
    try:
        return eui64_address(mac, ipaddress.IPv6Network(network6))
    except ValueError:
        return None


def read_flag(raw: Any, own: Own) -> Reading:
    """True for what Ansible's users write for true."""
    found = dereferenced(raw, own)
    if found.problem:
        return Reading(False, found.problem, found.hint)
    if isinstance(found.value, str):
        return Reading(found.value.strip().lower() in ("true", "yes", "on", "1"))
    return Reading(bool(found.value))


def read_text(raw: Any, own: Own, *, longest: int = 253) -> Reading:
    """Text, or empty for null."""
    found = dereferenced(raw, own)
    if found.problem:
        return Reading("", found.problem, found.hint)
    if found.value is None:
        return Reading("")
    if not isinstance(found.value, str | int | float) or isinstance(found.value, bool):
        return Reading("", f"is not text but {type(found.value).__name__}", "write text")
    text = str(found.value)
    if len(text) > longest:
        return Reading("", f"is longer than {longest} characters", "shorten it")
    return Reading(text)


def read_names(raw: Any, zone: str) -> tuple[list[tuple[Any, str | None]], str]:
    """Read a list of service names as (item as written, label below the zone or None), and what is wrong with it."""
    if raw is None or raw == "":
        return [], ""
    items = raw if isinstance(raw, list) else [raw]
    read = [(item, _label_below(item, zone)) for item in items]
    bad = [str(item) if not is_sealed(item) else "a sealed value" for item, label in read if label is None]
    return read, f"names that cannot be read: {', '.join(bad)}" if bad else ""


def _label_below(item: Any, zone: str) -> str | None:
    if not isinstance(item, str) or not item.strip() or holds_jinja(item):
        return None
    text = item.strip()
    lowered = text.rstrip(".").lower()
    if zone and lowered.endswith(f".{zone}"):
        return text.rstrip(".")[: -len(zone) - 1]
    if text.endswith(".") or len(text) > 190:
        return None
    return text


def read_network(raw: Any) -> Reading:
    """Canonical network as text, or None."""
    if raw is None or raw == "":
        return Reading(None)
    if holds_jinja(raw) or not isinstance(raw, str):
        return Reading(None, "is not plain text", "write the network itself, such as 10.20.99.0/24")
    try:
        return Reading(str(canonical_network(raw)))
    except ValueError as error:
        try:
            return Reading(
                str(ipaddress.ip_network(raw.strip(), strict=False)), str(error), "write the network itself"
            )
        except ValueError:
            return Reading(None, str(error), "write the network itself, such as 10.20.99.0/24")


def read_one_address(raw: Any, version: int) -> Reading:
    """Canonical address of one family, or None."""
    if raw is None or raw == "":
        return Reading(None)
    if isinstance(raw, str) and not holds_jinja(raw):
        try:
            address = ipaddress.ip_interface(raw.strip()).ip
        except ValueError:
            pass
        else:
            if address.version == version:
                return Reading(str(address))
    return Reading(None, f"“{raw}” is not an IPv{version} address", "write the address itself")


def read_vlan(raw: Any) -> Reading:
    if raw is None or raw == "":
        return Reading(None)
    if isinstance(raw, str) and raw.isdigit():
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 4094:
        return Reading(raw)
    return Reading(None, f"“{raw}” is not a VLAN id", "write a number from 0 to 4094")
