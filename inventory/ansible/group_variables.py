"""What a group gives its hosts, which hosts take another value, and who sets one variable, to what. Pure.

The merging is Ansible's (``grouping``); hosts made of facts alone (``infrastructure``, ``env``) are told by ``resolving``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.ansible.grouping import ALL, PROFILE_PREFIX
from inventory.ansible.resolving import Origin, Resolved, Said
from inventory.exports.ansible import model_of
from inventory.packed import Packed, to_text
from inventory.snapshot import HostFacts, Snapshot

#: what an export adds to a host where nobody declares it
ADDED = frozenset({"fqdn", "ansible_host"})


@dataclass(frozen=True, slots=True)
class Other:
    """A host of a group that does not take the group's value, and who gives it another."""

    host: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value that a variable comes to, and on which hosts. ``origin`` None: nobody sets it for these."""

    value: Any
    origin: Origin | None
    hosts: tuple[str, ...]


def tree_name(kind: str, name: str) -> str:
    """The name under which a group or profile stands in Ansible's tree."""
    return PROFILE_PREFIX + name if kind == "profile" else name


def given(snapshot: Snapshot, group: str) -> tuple[Resolved, ...]:
    """What a host has that is in *group* alone: the group's own variables, and those of all above it."""
    found: dict[str, list[Said]] = {}
    tree = snapshot.once(model_of).tree
    for name in _chain(snapshot, group):
        for key, value in tree.variables.get(name, {}).items():
            found.setdefault(key, []).append(Said(_origin(snapshot, name), value))
    return tuple(
        Resolved(key, said[-1].value, said[-1].origin, tuple(said[-2::-1]))
        for key, said in sorted(found.items())
    )


def others(snapshot: Snapshot, group: str) -> dict[str, tuple[Other, ...]]:
    """Variable of *group* or above → the hosts of *group* for which somebody else has the last word."""
    keys = {one.key for one in given(snapshot, group)} - made_of_facts(snapshot)
    chain = set(_chain(snapshot, group))
    found: dict[str, list[Other]] = {}
    by_groups: dict[tuple[str, ...], dict[str, str]] = {}
    tree = snapshot.once(model_of).tree
    for name in sorted(tree.members(group)):
        host = snapshot.host_by_name[name]
        own = keys.intersection(host.variables) if host.variables else ()
        for key in own:
            found.setdefault(key, []).append(Other(name, Origin("host", name)))
        direct = tuple(tree.groups_of[name])
        if direct not in by_groups:
            by_groups[direct] = _winners(snapshot, host, keys, chain)
        for key, winner in by_groups[direct].items():
            if key not in own:
                found.setdefault(key, []).append(Other(name, _origin(snapshot, winner)))
    return {key: tuple(found[key]) for key in sorted(found)}


def _winners(snapshot: Snapshot, host: HostFacts, keys: set[str], chain: set[str]) -> dict[str, str]:
    """Variable → the group that has the last word for *host*, where that is none of *chain*."""
    tree = snapshot.once(model_of).tree
    last: dict[str, str] = {}
    for name in tree.order(host.name):
        last.update((key, name) for key in tree.variables.get(name, {}) if key in keys)
    return {key: name for key, name in last.items() if name not in chain}


def made_of_facts(snapshot: Snapshot) -> set[str]:
    """The variables that every host has of its own, made of what is declared about it."""
    names = snapshot.once(model_of).names
    return {names["host.hardware"], names["host.intent"]}


# --- one variable ---


def settings(snapshot: Snapshot) -> Mapping[str, tuple[Said, ...]]:
    """Every variable that somebody sets → who, to what: the site, groups, profiles, then hosts; each by name."""
    return snapshot.once(_settings)


def _settings(snapshot: Snapshot) -> dict[str, tuple[Said, ...]]:
    found: dict[str, list[Said]] = {}
    tree = snapshot.once(model_of).tree
    names = [ALL, *sorted(name for name in tree.variables if name != ALL)]
    for name in names:
        for key, value in tree.variables[name].items():
            found.setdefault(key, []).append(Said(_origin(snapshot, name), value))
    for host in snapshot.live_hosts:
        if host.variables:
            origin = Origin("host", host.name)
            for key, value in host.variables.items():
                found.setdefault(key, []).append(Said(origin, value))
    return {key: tuple(found[key]) for key in sorted(found)}


def outcomes(snapshot: Snapshot, key: str) -> tuple[Outcome, ...]:
    """What *key* comes to over all live hosts, the commonest first; by value and by who has the last word.

    Empty for what is made of each host's facts: there it is another value on every host.
    """
    if key in made_of_facts(snapshot):
        return ()
    tree = snapshot.once(model_of).tree
    by_groups: dict[tuple[str, ...], Said | None] = {}
    found: dict[tuple[str, str], tuple[Said | None, list[str]]] = {}
    for host in snapshot.live_hosts:
        direct = tuple(tree.groups_of[host.name])
        if direct not in by_groups:
            by_groups[direct] = _last(snapshot, key, tree.order(host.name))
        said = _own(host, key) or by_groups[direct]
        mark = (
            (to_text(said.value), str(said.origin) if said.origin.kind != "host" else "")
            if said
            else ("", "-")
        )
        found.setdefault(mark, (said, []))[1].append(host.name)
    return tuple(
        Outcome(said.value if said else None, said.origin if said else None, tuple(hosts))
        for said, hosts in sorted(found.values(), key=lambda one: (one[0] is None, -len(one[1]), one[1][0]))
    )


def _own(host: HostFacts, key: str) -> Said | None:
    variables = host.variables
    if not variables or (
        isinstance(variables, Packed) and key.isidentifier() and f'"{key}"' not in variables.text
    ):
        return None
    return Said(Origin("host", host.name), variables[key]) if key in variables else None


def _last(snapshot: Snapshot, key: str, order: Iterable[str]) -> Said | None:
    tree = snapshot.once(model_of).tree
    said = [name for name in order if key in tree.variables.get(name, {})]
    return Said(_origin(snapshot, said[-1]), tree.variables[said[-1]][key]) if said else None


# --- names ---


def _chain(snapshot: Snapshot, group: str) -> list[str]:
    """``all``, what is above *group*, and *group*, in merging order."""
    tree = snapshot.once(model_of).tree
    above = tree.above([group]) if group in tree.parents else {group}
    ordered = sorted(above, key=lambda name: (tree.depth.get(name, 1), tree.priority.get(name, 1), name))
    return [ALL, *(name for name in ordered if name != ALL)]


def _origin(snapshot: Snapshot, name: str) -> Origin:
    if name == ALL:
        return Origin("site", ALL)
    if name in snapshot.group_by_name or not name.startswith(PROFILE_PREFIX):
        return Origin("group", name)
    return Origin("profile", name.removeprefix(PROFILE_PREFIX))
