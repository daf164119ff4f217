"""Reads identity fields as an inventory writes them. Pure.

Every reader returns a :class:`Reading`: the value that the rows hold, and what is wrong with the text, if anything
is. Importer, exporter and rules call the same readers, so that what was written can be kept as long as it still means
what the row says.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.addressing import canonical_network
from inventory.identity import canonical_mac, dns_name, eui64_address, is_unknown_mac

_JINJA = re.compile(r"\{\{|\{%|\{#")
#: One variable, perhaps with a default, and nothing else: the only Jinja that is resolved here (see docs/ansible.md).
_REFERENCE = re.compile(
    r"""\s*\{\{-?\s*(?P<name>[A-Za-z_]\w*)\s*
        (?:\|\s*(?:default|d)\(\s*(?:(?P<quote>['"])(?P<text>[^'"\\]*)(?P=quote))?\s*(?:,\s*(?:true|True|false|False)\s*)?\)\s*)?
        -?\}\}\s*\Z""",
    re.VERBOSE,
)
#: What the columns hold.
LONGEST_LABEL = 190
LONGEST_DOMAIN = 180

Own = Mapping[str, Any]  # the host's own variables


@dataclass(frozen=True, slots=True)
class Reading:
    """What a field means (``value``), and what is wrong with how it is written; *jinja*: only Ansible could tell."""

    value: Any
    problem: str = ""
    hint: str = ""
    jinja: bool = False

    def otherwise(self, value: Any) -> Reading:
        """The same problem, with another value to go on with."""
        return Reading(value, self.problem, self.hint, self.jinja)


def holds_jinja(raw: Any) -> bool:
    return isinstance(raw, str) and "{" in raw and bool(_JINJA.search(raw))


def is_sealed(raw: Any) -> bool:
    return isinstance(raw, Mapping) and "__ansible_vault" in raw


def _is_unsafe(raw: Any) -> bool:
    return isinstance(raw, Mapping) and len(raw) == 1 and isinstance(raw.get("__ansible_unsafe"), str)


def _shown(raw: Any) -> str:
    """A value in one short line, for people."""
    if is_sealed(raw):
        return "a sealed value"
    text = " ".join(str(raw).split())
    return f"“{text}”" if len(text) <= 60 else f"“{text[:59]}…”"


def _jinja(raw: str) -> Reading:
    return Reading(
        None,
        f"holds Jinja ({_shown(raw)[1:-1]}), which is never evaluated here",
        "write the value itself, or a single reference such as {{ name | default('') }} to a variable of the host",
        True,
    )


_SEALED = Reading(
    None, "is sealed in a vault, so the identity cannot be read", "write identities in plain text"
)


def dereferenced(raw: Any, own: Own) -> Reading:
    """Resolve *raw* when it is a single reference to one of the host's own variables; other Jinja is a problem."""
    if raw is None or isinstance(raw, bool) or (isinstance(raw, str) and "{" not in raw):
        return Reading(raw)  # nearly always
    if is_sealed(raw):
        return _SEALED
    if _is_unsafe(raw):
        return Reading(raw["__ansible_unsafe"])  # the tag says that it is no template
    if not holds_jinja(raw):
        return Reading(raw)
    match = _REFERENCE.match(raw)
    if match is None:
        return _jinja(raw)
    name, has_default = match["name"], "|" in raw
    if name in own:
        value = own[name]
        if holds_jinja(value) or is_sealed(value):
            return Reading(
                None, f"refers to {name}, which is itself Jinja or sealed", f"give {name} a plain value", True
            )
        return Reading(value["__ansible_unsafe"] if _is_unsafe(value) else value)
    if has_default:
        return Reading(match["text"] or "")
    return Reading(
        None,
        f"refers to {name}, which the host itself does not define",
        f"define {name} in its host_vars",
        True,
    )


def read_mapping(raw: Any) -> Reading:
    """A mapping of fields; empty for what is empty or cannot be looked into. None when it is something else."""
    if raw is None or raw == "" or raw == []:
        return Reading({})
    if is_sealed(raw):
        return _SEALED.otherwise({})
    if holds_jinja(raw):
        return _jinja(raw).otherwise({})
    if isinstance(raw, Mapping) and not _is_unsafe(raw):
        return Reading(raw)
    return Reading(None, "must be a mapping", "write `name: value` below it, or map the noun to another name")


def read_mac(raw: Any, own: Own) -> Reading:
    """Canonical MAC, or None while it is unknown."""
    found = dereferenced(raw, own)
    if found.problem or found.value is None:
        return found.otherwise(None)
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
    ipv4: list[str] = []
    ipv6: list[str] = []
    dhcp = False
    for text in _listed(raw, own, problems):
        if isinstance(text, str) and text.strip().lower() == "dhcp":
            dhcp = True
        elif (address := _address(text, problems)) is not None:
            (ipv4 if address.version == 4 else ipv6).append(str(address))
    for text in _listed(raw6, own, problems):
        derived = _eui64(mac, network6, problems) if text == "eui64" else _address(text, problems)
        if derived is None:
            continue
        if derived.version == 6:
            ipv6.append(str(derived))
        else:
            problems.append(Reading(None, f"gives {derived} as an IPv6 address", "write an IPv6 address"))
    if len(ipv4) > 1:
        problems.append(
            Reading(None, f"gives a second IPv4 address, {ipv4[1]}", "give it an interface of its own")
        )
    if dhcp and ipv4:
        problems.append(Reading(None, "says both dhcp and an address", "choose one"))
    how = "dhcp" if dhcp else "static" if ipv4 or ipv6 else "none"
    value = Addressing(how, ipv4[0] if ipv4 and not dhcp else None, tuple(dict.fromkeys(ipv6)))
    return Reading(
        value,
        "; ".join(p.problem for p in problems),
        "; ".join(dict.fromkeys(p.hint for p in problems)),
        any(p.jinja for p in problems),
    )


def _listed(raw: Any, own: Own, problems: list[Reading]) -> list[Any]:
    """The values of a field that may be one value or a list of them, without the empty ones."""
    found = dereferenced(raw, own)
    items = found.value if isinstance(found.value, list) else [found.value]
    read = [found] if found.problem else [dereferenced(item, own) for item in items]
    problems += [one for one in read if one.problem]
    return [one.value for one in read if not one.problem and one.value not in (None, "", False)]


def _address(text: Any, problems: list[Reading]) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if isinstance(text, str) and "%" not in text:  # a zone means something on one machine only
        try:
            return ipaddress.ip_interface(text.strip()).ip
        except ValueError:
            pass
    problems.append(Reading(None, f"is {_shown(text)}, not an address", "write an address, dhcp, or null"))
    return None


def _eui64(mac: str | None, network6: str | None, problems: list[Reading]) -> ipaddress.IPv6Address | None:
    try:
        if mac and network6:
            return eui64_address(mac, ipaddress.IPv6Network(network6))
    except ValueError:
        pass
    problems.append(
        Reading(None, "says eui64, which needs a MAC and a segment with an IPv6 /64", "give it both")
    )
    return None


def read_flag(raw: Any, own: Own) -> Reading:
    """True for what Ansible's users write for true."""
    found = dereferenced(raw, own)
    if found.problem:
        return found.otherwise(False)
    if isinstance(found.value, str):
        return Reading(found.value.strip().lower() in ("true", "yes", "on", "1"))
    return Reading(bool(found.value))


def read_text(raw: Any, own: Own, *, longest: int = 253) -> Reading:
    """Text, or empty for null."""
    found = dereferenced(raw, own)
    if found.problem or found.value is None:
        return found.otherwise("")
    if not isinstance(found.value, str | int | float) or isinstance(found.value, bool):
        return Reading("", f"is not text but {type(found.value).__name__}", "write text")
    text = str(found.value)
    if len(text) > longest:
        return Reading("", f"is longer than {longest} characters", "shorten it")
    return Reading(text)


def read_domain(raw: Any) -> Reading:
    """A domain name as DNS compares it, without the final dot; None where it is none."""
    if isinstance(raw, str) and not holds_jinja(raw):
        name = dns_name(raw.strip().rstrip("."))
        if name and len(name) <= LONGEST_DOMAIN:
            return Reading(name)
    return Reading(None, "is not a plain domain name", "write one such as example.net", holds_jinja(raw))


def read_names(raw: Any, zone: str) -> tuple[list[tuple[Any, str | None]], str]:
    """Read a list of service names as (item as written, label below the zone or None), and what is wrong with it."""
    if raw is None or raw == "":
        return [], ""
    items = raw if isinstance(raw, list) else [raw]
    read = [(item, _label_below(item, zone)) for item in items]
    bad = [_shown(item) for item, label in read if label is None and item is not None]
    return read, f"holds names that cannot be read: {', '.join(bad)}" if bad else ""


def _label_below(item: Any, zone: str) -> str | None:
    if not isinstance(item, str) or holds_jinja(item):
        return None
    text = item.strip()
    if is_below(text, zone):
        text = text.rstrip(".")[: -len(zone) - 1]
    elif text.endswith("."):
        return None
    return text if text and len(text) <= LONGEST_LABEL else None


def is_below(text: str, zone: str) -> bool:
    """Whether *text* is a qualified name below *zone*, with or without the final dot."""
    return bool(zone) and text.rstrip(".").lower().endswith(f".{zone}")


def read_network(raw: Any) -> Reading:
    """Canonical network as text, or None."""
    if raw is None or raw == "":
        return Reading(None)
    if holds_jinja(raw):
        return _jinja(raw)
    if not isinstance(raw, str) or "%" in raw:
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


def read_network6(raw: Any) -> Reading:
    """Canonical IPv6 network, or None."""
    found = read_network(raw)
    if found.value and ":" not in found.value:
        return Reading(None, f"{found.value} is not an IPv6 network", "write an IPv6 network")
    return found


def read_one_address(raw: Any, version: int) -> Reading:
    """Canonical address of one family, or None."""
    if raw is None or raw == "":
        return Reading(None)
    if holds_jinja(raw):
        return _jinja(raw)
    if isinstance(raw, str) and "%" not in raw:
        try:
            address = ipaddress.ip_interface(raw.strip()).ip
        except ValueError:
            pass
        else:
            if address.version == version:
                return Reading(str(address))
    return Reading(None, f"is {_shown(raw)}, not an IPv{version} address", "write the address itself")


def read_vlan(raw: Any) -> Reading:
    if raw is None or raw == "":
        return Reading(None)
    if holds_jinja(raw):
        return _jinja(raw)
    if isinstance(raw, str) and raw.isascii() and raw.isdigit():
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 4094:
        return Reading(raw)
    return Reading(None, f"is {_shown(raw)}, not a VLAN id", "write a number from 0 to 4094")
