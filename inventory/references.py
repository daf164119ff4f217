"""Everything that names a value: what must be looked at before an identity changes. Pure.

Declared fields and opaque text alike are searched: variables at any depth, keys included, Jinja as the text that it is,
notes, services' checks, boot files. A MAC is found in every spelling (colons, dashes, Cisco dots, bare, any case, octets
without their leading zero, behind pxelinux's ``01-``), an address in every spelling of its family, a name as a whole word.
What is sealed cannot be looked into, and is listed as such.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from inventory.identity import canonical_mac
from inventory.snapshot import Snapshot

Test = Callable[[str], bool]

#: Fields that hold how an import wrote something: repetitions of what stands elsewhere.
_UNSAID = frozenset({"written", "interfaces", "services", "proxmox", "host"})

#: How much of a long text is shown around the value.
_AROUND = 60


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


def naming_value(snapshot: Snapshot, value: str) -> tuple[Place, ...]:
    """Every place in *snapshot* that names *value* (a MAC, an address, a VMID or a name), then what is sealed."""
    names = names_value(value)
    found = {place for subject, facts in _subjects(snapshot) for place in _in_facts(subject, facts, names)}
    return tuple(sorted(place for place in found if not place.sealed)) + sealed_places(snapshot)


def sealed_places(snapshot: Snapshot) -> tuple[Place, ...]:
    """Where something is encrypted: files that were kept whole, and single values."""
    files = {
        Place(f"{sealed.owner_kind} {sealed.owner}", sealed.path, sealed=True) for sealed in snapshot.sealed
    }
    inline = {
        place
        for subject, facts in _subjects(snapshot)
        for place in _in_facts(subject, facts, lambda _: False)
        if place.sealed
    }
    return tuple(sorted(files | inline))


def names_value(value: str) -> Test:
    """A test for text: does it name *value*?"""
    for make in (_names_mac, _names_address):
        try:
            return make(value)
        except ValueError:
            continue
    word = re.compile(rf"(?<![a-z0-9_-]){re.escape(value.lower())}(?![a-z0-9_]|-[a-z0-9])")
    return lambda text: bool(word.search(text.lower()))


def _names_mac(value: str) -> Test:
    octets = canonical_mac(value).split(":")
    short = [rf"0?{octet[1]}" if octet[0] == "0" else octet for octet in octets]
    separated = f"{short[0]}(?P<between>[:-]){'(?P=between)'.join(short[1:])}"
    digits = "".join(octets)
    dotted = r"\.".join(digits[i : i + 4] for i in range(0, 12, 4))
    pattern = re.compile(rf"(?<![0-9a-f])(?:{separated}|{dotted}|(?:01)?{digits})(?![0-9a-f])")
    return lambda text: bool(pattern.search(text.lower()))


def _names_address(value: str) -> Test:
    wanted = ipaddress.ip_address(value)
    if wanted.version == 4:
        pattern = re.compile(rf"(?<![0-9.]){re.escape(str(wanted))}(?![0-9]|\.[0-9])")
        return lambda text: bool(pattern.search(text))
    words = re.compile(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]+")
    return lambda text: any(_is_address(word, wanted) for word in words.findall(text))


def _is_address(word: str, wanted: Any) -> bool:
    try:
        return bool(ipaddress.ip_address(word.rstrip(".")) == wanted)
    except ValueError:
        return False


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
    for authority in snapshot.authorities:
        yield f"authority of {authority.at}", authority


def _in_facts(subject: str, facts: Any, names: Test) -> Iterator[Place]:
    for column in fields(facts):
        if column.name not in _UNSAID:
            yield from _in_value(subject, (column.name,), getattr(facts, column.name), names)


def _in_value(subject: str, path: tuple[str, ...], value: Any, names: Test) -> Iterator[Place]:
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            yield Place(subject, ".".join(path), sealed=True)
            return
        for key, inner in value.items():
            if names(str(key)):
                yield Place(subject, ".".join(path), f"the key “{key}”")
            yield from _in_value(subject, (*path, str(key)), inner, names)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _in_value(subject, (*path, str(number)), inner, names)
    elif value is not None and not isinstance(value, bool) and names(text := str(value)):
        yield Place(subject, ".".join(path), _excerpt(text, names))


def _excerpt(text: str, names: Test) -> str:
    """The line of *text* that names the value, cut to a readable length."""
    line = next((line.strip() for line in text.splitlines() if names(line)), text.strip())
    return line if len(line) <= 2 * _AROUND else f"{line[: 2 * _AROUND]}…"
