"""Everything that names a value: what must be looked at before an identity changes. Pure.

Declared fields and opaque text alike are searched: variables at any depth, keys included, Jinja as the text that it is,
notes, services' checks, boot files. A MAC is found in every spelling (colons, dashes, dots, spaces or nothing between its
octets or groups of them, any case, octets without their leading zero, behind pxelinux's ``01-``) and in the IPv6
addresses that it makes, an address in every spelling of its family and as its reverse name, a name as a whole word.
What is sealed cannot be looked into, and is listed as such.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from inventory.automating.prompts import Prompt, written
from inventory.identity import canonical_mac, eui64_address
from inventory.packed import Packed, to_text
from inventory.snapshot import Snapshot

Test = Callable[[str], bool]

#: Fields that hold how an import wrote something: repetitions of what stands elsewhere.
_REPEATED = frozenset({"written", "interfaces", "services", "proxmox", "machine", "host"})

#: Numbers of another kind: a VLAN 200 names no VMID.
_OTHER_NUMBERS = frozenset(
    {
        "vlan", "port", "vmid_first", "vmid_last", "cores", "memory", "os_disk", "data_disk", "startup_order",
        "forks", "verbosity", "time_limit_minutes",
    }
)  # fmt: skip

_UNSAID = _REPEATED | _OTHER_NUMBERS

WORDS6 = re.compile(r"(?<![0-9a-fA-F:.])[0-9a-fA-F.]*:[0-9a-fA-F:.]+")

#: In every sealed value, as JSON has it.
SEAL = re.compile("__ansible_vault")

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
    """What is looked for. ``may`` is a quick look at text as it is stored; ``in_text`` knows where words end.

    ``scans`` find every place that may matter in lower-case text of any length: each begins with a literal, which is
    what makes them quick. None of them: it may be anywhere.
    """

    shortest: int
    may: Test
    in_text: Test
    scans: tuple[re.Pattern[str], ...] = ()


def naming_value(snapshot: Snapshot, value: str) -> tuple[Place, ...]:
    """Every place in *snapshot* that names *value* (a MAC, an address, a VMID or a name), then what is sealed."""
    return naming_any(snapshot, [value])


def naming_any(snapshot: Snapshot, values: Collection[str]) -> tuple[Place, ...]:
    """As ``naming_value``, for several values in one go."""
    needles = [needle(value) for value in values]
    candidates = snapshot.once(_haystack).candidates(needles)
    found = {place for subject, facts in candidates for place in _in_facts(subject, facts, needles)}
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
        len(wanted),
        lambda text: wanted in text.lower(),
        lambda text: bool(word.search(text.lower())),
        (re.compile(re.escape(wanted)),),
    )


def _number(value: str) -> Needle:
    """A VMID: volumes and devices carry it between letters (``vm-200-disk-0``, ``tap200i0``); addresses do not."""
    whole = re.compile(rf"(?<![0-9.:]){value}(?![0-9:]|\.[0-9])")
    scans = (re.compile(value),)
    return Needle(len(value), lambda text: value in text, lambda text: bool(whole.search(text)), scans)


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
        (
            re.compile(
                f"{octets[0].lstrip('0') or '0'}[:-]{uneven.partition('[:-])')[2].replace('(?P=between)', '[:-]')}"
            ),
            re.compile(grouped),
            re.compile(rf"ff:fe{octets[3]}:(?:0*{int(octets[4] + octets[5], 16):x}(?![0-9a-f])|:)"),
        ),
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
            (re.compile(re.escape(text)), re.compile(re.escape(reverse))),
        )
    last = f"{int(wanted) & 0xFFFF:x}"
    return Needle(
        len("::"),
        lambda given: last == "0" or last in given.lower(),
        lambda given: wanted in _addresses6(given) or reverse in given.lower(),
        () if last == "0" else (re.compile(rf":0*{last}(?![0-9a-f])"), re.compile(re.escape(reverse))),
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
        if host.machine:
            yield host.subject, host.machine
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
    for schedule in snapshot.schedules:
        yield f"schedule {schedule.name}", schedule
    for project in snapshot.projects:
        yield f"project {project.name}", project
    for template in snapshot.templates:
        yield f"job template {template.name}", template
    for place in snapshot.kit_places:
        yield f"place of kits {place.name}", place
    for authority in snapshot.authorities:
        yield f"authority of {authority.at}", authority


@dataclass(frozen=True, slots=True)
class _Haystack:
    """All that a site declares as one lower-case text, so that thirty thousand subjects are not asked one by one."""

    text: str
    #: where each subject begins, and which it is
    starts: Sequence[int]
    subjects: Sequence[tuple[str, Any]]

    def candidates(self, needles: Collection[Needle]) -> Iterator[tuple[str, Any]]:
        """The subjects that may name what is looked for, or hold something sealed; in their order."""
        if not all(needle.scans for needle in needles):
            yield from self.subjects
            return
        scans = [scan for needle in needles for scan in needle.scans]
        numbers = {number for scan in (SEAL, *scans) for number in self._hit(scan)}
        yield from (self.subjects[number] for number in sorted(numbers))

    def _hit(self, scan: re.Pattern[str]) -> Iterator[int]:
        at = 0
        while match := scan.search(self.text, at):
            number = bisect_right(self.starts, match.start()) - 1
            yield number
            at = self.starts[number + 1]  # one hit in a subject is enough; the last entry is the end


def _haystack(snapshot: Snapshot) -> _Haystack:
    subjects = list(_subjects(snapshot))
    texts = [_text_of(facts) for _, facts in subjects]
    starts = [0, *itertools.accumulate(len(text) for text in texts)]
    return _Haystack("".join(texts), starts, subjects)


def _text_of(facts: Any) -> str:
    """Everything that is looked into, lower-case, with a line's end behind each value."""
    said = []
    for column in _columns(facts):
        value = getattr(facts, column)
        if value is None or value is True or value is False or not value:
            continue
        said.append(value.text if isinstance(value, Packed) else _plain(value))
    return "\n".join(said).lower() + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return to_text(dict(value))
    if isinstance(value, list | tuple):
        return "\n".join(map(_plain, value))
    if isinstance(value, Prompt):
        return to_text(written([value])[0])
    return str(value)


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
    if isinstance(value, Prompt):
        value = written([value])[0]
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
