"""Everything that names a value: what must be looked at before an identity changes. Pure.

Declared fields and opaque text alike are searched: variables at any depth, keys included, Jinja as the text that it is,
notes, services' checks, boot files. A MAC is found in every spelling (colons, dashes, dots, spaces or nothing between its
octets or groups of them, any case, octets without their leading zero, behind pxelinux's ``01-``) and in the IPv6
addresses that it makes, an address in every spelling of its family and as its reverse name, a name as a whole word.
What is sealed cannot be looked into, and is listed as such.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from inventory.identity import canonical_mac, eui64_address
from inventory.packed import Packed
from inventory.snapshot import Snapshot

Test = Callable[[str], bool]

#: Fields that hold how an import wrote something: repetitions of what stands elsewhere.
_REPEATED = frozenset({"written", "interfaces", "services", "proxmox", "host"})

#: Numbers of another kind: a VLAN 200 names no VMID.
_OTHER_NUMBERS = frozenset({"vlan", "port", "vmid_first", "vmid_last"})

_UNSAID = _REPEATED | _OTHER_NUMBERS

WORDS6 = re.compile(r"(?<![0-9a-fA-F:.])[0-9a-fA-F.]*:[0-9a-fA-F:.]+")

#: In every EUI-64 (RFC 4291, appendix A).
EUI64_MARK = "ff:fe"

#: The half of an IPv6 address that an EUI-64 makes.
LOW_HALF = (1 << 64) - 1

#: As much of a line is shown.
LONG = 120


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One place. ``subject`` as in findings (``host pi01``), ``where`` the field or the path into the variables."""

    subject: str
    where: str
    text: str = ""
    #: nobody knows whether the value stands there
    sealed: bool = False

    def __str__(self) -> str:
        said = "sealed: cannot be looked into" if self.sealed else self.text
        return f"{self.subject}, {self.where}: {said}"


@dataclass(frozen=True, slots=True)
class Needle:
    """What is looked for. ``may`` is a quick look at text as it is stored; ``in_text`` knows where words end."""

    shortest: int
    may: Test
    in_text: Test


def naming_value(snapshot: Snapshot, value: str) -> tuple[Place, ...]:
    """Every place in *snapshot* that names *value* (a MAC, an address, a VMID or a name), then what is sealed."""
    return naming_any(snapshot, [value])


def naming_any(snapshot: Snapshot, values: Collection[str]) -> tuple[Place, ...]:
    """As ``naming_value``, for several values in one go."""
    needles = [needle(value) for value in values]
    found = {place for subject, facts in _subjects(snapshot) for place in _in_facts(subject, facts, needles)}
    found |= {Place(f"{one.owner_kind} {one.owner}", one.path, sealed=True) for one in snapshot.sealed}
    return tuple(sorted(found, key=lambda place: (place.sealed, place)))


def needle(value: str) -> Needle:
    """How to look for *value*."""
    for make in (_mac, _address):
        try:
            return make(value)
        except ValueError:
            continue
    return _number(value) if value.isdecimal() else _name(value)


def _name(value: str) -> Needle:
    wanted = value.lower()
    word = re.compile(rf"(?<![a-z0-9_-]){re.escape(wanted)}(?![a-z0-9_]|-[a-z0-9])")
    return Needle(
        len(wanted), lambda text: wanted in text.lower(), lambda text: bool(word.search(text.lower()))
    )


def _number(value: str) -> Needle:
    """A VMID: volumes and devices carry it between letters (``vm-200-disk-0``, ``tap200i0``); addresses do not."""
    whole = re.compile(rf"(?<![0-9.:]){value}(?![0-9:]|\.[0-9])")
    return Needle(len(value), lambda text: value in text, lambda text: bool(whole.search(text)))


def _mac(value: str) -> Needle:
    mac = canonical_mac(value)
    octets = mac.split(":")
    short = [rf"0?{octet[1]}" if octet[0] == "0" else octet for octet in octets]
    uneven = f"{short[0]}(?P<between>[:-]){'(?P=between)'.join(short[1:])}"
    grouped = "[-:._ ]?".join(octets)  # 02de.2001.0001, 02de20-010001, 02 de 20 01 00 01, 02de20010001
    anywhere = re.compile(f"{uneven}|{grouped}")
    whole = re.compile(rf"(?<![0-9a-f])(?:{uneven}|(?:01[-:]?)?{grouped})(?![0-9a-f])")
    derived = int(eui64_address(mac, ipaddress.IPv6Network("::/64")))
    return Needle(
        len("0:0:0:0:0:0"),
        lambda text: EUI64_MARK in (lowered := text.lower()) or bool(anywhere.search(lowered)),
        lambda text: bool(whole.search(text.lower())) or derived in _eui64s(text),
    )


def _address(value: str) -> Needle:
    wanted = ipaddress.ip_address(value)
    text, reverse = str(wanted), wanted.reverse_pointer
    if wanted.version == 4:
        whole = re.compile(rf"(?<![0-9.]){re.escape(text)}(?![0-9]|\.[0-9])|(?<![0-9]){re.escape(reverse)}")
        return Needle(
            len(text),
            lambda given: text in given or reverse in given.lower(),
            lambda given: bool(whole.search(given.lower())),
        )
    last = f"{int(wanted) & 0xFFFF:x}"
    return Needle(
        len("::"),
        lambda given: last == "0" or last in given.lower(),
        lambda given: wanted in _addresses6(given) or reverse in given.lower(),
    )


def _eui64s(text: str) -> set[int]:
    """The lower halves of the IPv6 addresses in *text* that some MAC made."""
    if EUI64_MARK not in text.lower():
        return set()
    return {int(address) & LOW_HALF for address in _addresses6(text)}


def _addresses6(text: str) -> list[ipaddress.IPv6Address]:
    """The IPv6 addresses in *text*, whatever punctuation is around them."""
    if ":" not in text:
        return []
    found = []
    for word in WORDS6.findall(text):
        for spelling in {word.rstrip("."), word.rstrip(".:"), word.lstrip(":").rstrip("."), word.strip(".:")}:
            try:
                found.append(ipaddress.IPv6Address(spelling))
            except ValueError:
                continue
    return found


# --- where to look ---


def _subjects(snapshot: Snapshot) -> Iterator[tuple[str, Any]]:
    yield f"site {snapshot.site.slug}", snapshot.site
    for segment in snapshot.segments:
        yield f"segment {segment.name}", segment
    for host in snapshot.hosts:
        yield host.subject, host
        if host.proxmox:
            yield host.subject, host.proxmox
        for interface in host.interfaces:
            yield interface.subject, interface
        for service in host.services:
            yield f"service {service.label}", service
    for group in snapshot.groups:
        yield f"group {group.name}", group
    for profile in snapshot.profiles:
        yield f"workload profile {profile.name}", profile
    for alias in snapshot.aliases:
        yield f"alias {alias.name}", alias
    for override in snapshot.overrides:
        yield f"lowered severity {override.finding}", override
    for authority in snapshot.authorities:
        yield f"authority of {authority.at}", authority


def _columns(facts: Any) -> tuple[str, ...]:
    kind = type(facts)
    if kind not in _known:
        _known[kind] = tuple(column.name for column in fields(facts) if column.name not in _UNSAID)
    return _known[kind]


#: the columns of each kind of facts; looked up for tens of thousands of them
_known: dict[type, tuple[str, ...]] = {}


def _in_facts(subject: str, facts: Any, needles: list[Needle]) -> Iterator[Place]:
    for column in _columns(facts):
        value = getattr(facts, column)
        if value is None or value is True or value is False or value == "":
            continue
        if isinstance(value, Packed) and not _may_matter(value.text, needles):
            continue
        yield from _in_value(subject, (column,), value, needles)


def _may_matter(text: str, needles: list[Needle]) -> bool:
    """Whether it is worth unpacking: most hosts' variables name nothing of this."""
    return text != "{}" and ("__ansible_vault" in text or any(needle.may(text) for needle in needles))


def _in_value(subject: str, path: tuple[str, ...], value: Any, needles: list[Needle]) -> Iterator[Place]:
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            yield Place(subject, ".".join(path), sealed=True)
            return
        for key, inner in value.items():
            if _named(str(key), needles):
                yield Place(subject, ".".join(path), f"the key “{key}”")
            yield from _in_value(subject, (*path, str(key)), inner, needles)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _in_value(subject, (*path, str(number)), inner, needles)
    elif value is not None and not isinstance(value, bool) and _named(text := str(value), needles):
        yield Place(subject, ".".join(path), _excerpt(text, needles))


def _named(text: str, needles: list[Needle]) -> bool:
    return any(len(text) >= needle.shortest and needle.in_text(text) for needle in needles)


def _excerpt(text: str, needles: list[Needle]) -> str:
    """The line of *text* that names a value, cut to a readable length."""
    line = next((line.strip() for line in text.splitlines() if _named(line, needles)), text.strip())
    return line if len(line) <= LONG else f"{line[:LONG]}…"
