"""Values in variables that are exactly an old name, and can be replaced without reading anybody's mind. Pure.

Only a whole string value counts. Jinja, text around the name, keys and sealed values are never touched.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inventory.packed import Packed, to_text
from inventory.snapshot import HostFacts, Snapshot

Step = str | int

#: The columns of each noun that hold what people write; ``written`` repeats them.
COLUMNS = {
    "site": ("variables",),
    "segment": ("variables",),
    "host": ("variables", "access", "out_of_band"),
    "interface": ("variables",),
    "group": ("variables",),
    "profile": ("variables",),
}


@dataclass(frozen=True, slots=True)
class Literal:
    """One string that is exactly *old*, and what it would be."""

    #: noun and name as in ``COLUMNS``; of an interface the name is ``host/interface``
    noun: str
    owner: str
    column: str
    path: tuple[Step, ...]
    old: str
    new: str

    @property
    def key(self) -> str:
        """What a form calls it."""
        said = (self.noun, self.owner, self.column, self.path)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:12]

    @property
    def where(self) -> str:
        return ".".join([self.column, *map(str, self.path)])

    @property
    def subject(self) -> str:
        return f"{'workload profile' if self.noun == 'profile' else self.noun} {self.owner}"


def literals(snapshot: Snapshot, moves: Mapping[str, str]) -> tuple[Literal, ...]:
    """Every whole string value that is an old name in *moves* (old → new)."""
    shortest = _shortest(moves)
    found = [
        Literal(noun, owner, column, path, value, moves[value])
        for noun, owner, facts in _owners(snapshot)
        for column in COLUMNS[noun]
        for path, value in _strings(getattr(facts, column), moves, shortest)
    ]
    return tuple(sorted(found, key=lambda one: (one.noun, one.owner, one.where)))


def _owners(snapshot: Snapshot) -> Iterator[tuple[str, str, Any]]:
    yield "site", snapshot.site.slug, snapshot.site
    for segment in snapshot.segments:
        yield "segment", segment.name, segment
    for host in snapshot.hosts:
        yield "host", host.name, host
        for interface in host.interfaces:
            yield "interface", f"{host.name}/{interface.name}", interface
    for group in snapshot.groups:
        yield "group", group.name, group
    for profile in snapshot.profiles:
        yield "profile", profile.name, profile


def _shortest(moves: Mapping[str, str]) -> tuple[str, ...]:
    """The names that no other one is a part of: text without any of them has none at all."""
    return tuple(one for one in moves if not any(other in one for other in moves if other != one))


def _strings(
    value: Any, moves: Mapping[str, str], shortest: tuple[str, ...]
) -> Iterator[tuple[tuple[Step, ...], str]]:
    if not value or (isinstance(value, Packed) and all(old not in value.text for old in shortest)):
        return  # most hosts' variables: not worth unpacking
    yield from _walk(value, (), moves)


def _walk(
    value: Any, path: tuple[Step, ...], moves: Mapping[str, str]
) -> Iterator[tuple[tuple[Step, ...], str]]:
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            return
        for key, inner in value.items():
            yield from _walk(inner, (*path, str(key)), moves)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _walk(inner, (*path, number), moves)
    elif isinstance(value, str) and value in moves:
        yield path, value


def put(value: Mapping[str, Any], literal: Literal) -> dict[str, Any]:
    """A copy of *value* in which the literal is replaced. Raises LookupError when it is not there."""
    made = copy.deepcopy(dict(value))
    inner: Any = made
    for step in literal.path[:-1]:
        inner = inner[step]
    if inner[literal.path[-1]] != literal.old:
        raise LookupError(literal.where)
    inner[literal.path[-1]] = literal.new
    return made


def replaced(snapshot: Snapshot, chosen: Collection[Literal]) -> Snapshot:
    """The site with *chosen* replaced."""
    if not chosen:
        return snapshot
    by_owner: dict[tuple[str, str], list[Literal]] = {}
    for one in chosen:
        by_owner.setdefault((one.noun, one.owner), []).append(one)

    def edited(noun: str, owner: str, facts: Any) -> Any:
        for literal in by_owner.get((noun, owner), ()):
            text = to_text(put(getattr(facts, literal.column), literal))
            facts = replace(facts, **{literal.column: Packed(text)})
        return facts

    def edited_host(host: HostFacts) -> HostFacts:
        interfaces = tuple(edited("interface", f"{host.name}/{one.name}", one) for one in host.interfaces)
        if interfaces != host.interfaces:
            host = replace(host, interfaces=interfaces)
        done: HostFacts = edited("host", host.name, host)
        return done

    return replace(
        snapshot,
        site=edited("site", snapshot.site.slug, snapshot.site),
        segments=tuple(edited("segment", one.name, one) for one in snapshot.segments),
        hosts=tuple(edited_host(host) for host in snapshot.hosts),
        groups=tuple(edited("group", one.name, one) for one in snapshot.groups),
        profiles=tuple(edited("profile", one.name, one) for one in snapshot.profiles),
    )
