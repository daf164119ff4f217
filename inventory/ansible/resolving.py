"""What one host's variables come to, and where each comes from; who is in a group, and by which way. Pure.

The merging is Ansible's (``grouping``), the contributions are what the exports hand out (``AnsibleModel``): nothing is
decided here, only told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from inventory.ansible.grouping import ALL, PROFILE_PREFIX, UNGROUPED
from inventory.exports.ansible import model_of
from inventory.exports.ansible_model import AnsibleModel
from inventory.snapshot import HostFacts, SealedFile, Snapshot

#: ``site`` is what is for all hosts; ``derived`` is what an export makes of the host's interfaces, services and name
Kind = Literal["site", "group", "profile", "host", "derived"]

#: What stands for a sealed value where people look.
SEALED = "(sealed)"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who says a value. ``name`` is the group, profile or host as declared; ``all`` for the site."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return {
            "site": f"site ({ALL})",
            "group": f"group {self.name}",
            "profile": f"workload profile {self.name}",
            "host": f"host {self.name}",
            "derived": "made of the host's facts",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Said:
    """A value that a stronger one replaced."""

    origin: Origin
    value: Any


@dataclass(frozen=True, slots=True)
class Resolved:
    """One variable of one host as Ansible sees it."""

    key: str
    value: Any
    origin: Origin
    #: what it replaces, the strongest first
    overrides: tuple[Said, ...] = ()

    @property
    def is_sealed(self) -> bool:
        return holds_sealed(self.value)


@dataclass(frozen=True, slots=True)
class Member:
    """A host of a group. ``path`` leads from the group down to the one that names the host."""

    host: str
    path: tuple[str, ...]

    @property
    def is_direct(self) -> bool:
        return len(self.path) == 1


def resolved(snapshot: Snapshot, host: HostFacts) -> tuple[Resolved, ...]:
    """The variables of *host* by name. A retired host is handed to nobody and has none."""
    if host.is_retired:
        return ()
    found: dict[str, list[Said]] = {}
    for origin, variables in _contributions(snapshot.once(model_of), host):
        for key, value in variables.items():
            found.setdefault(key, []).append(Said(origin, value))
    return tuple(
        Resolved(key, said[-1].value, said[-1].origin, tuple(said[-2::-1]))
        for key, said in sorted(found.items())
    )


def _contributions(model: AnsibleModel, host: HostFacts) -> Iterator[tuple[Origin, Mapping[str, Any]]]:
    """Who says what, the weakest first."""
    tree = model.tree
    profiles = {PROFILE_PREFIX + profile.name: profile.name for profile in model.snapshot.profiles}
    groups = model.snapshot.group_by_name
    for name in tree.order(host.name):
        yield _origin_of(name, groups, profiles), tree.variables.get(name, {})
    own = model.host_variables(host)
    declared = model.own_names(host)
    yield Origin("derived", host.name), {key: own[key] for key in own if key not in declared}
    yield Origin("host", host.name), {key: own[key] for key in own if key in declared}


def _origin_of(name: str, groups: Mapping[str, Any], profiles: Mapping[str, str]) -> Origin:
    if name == ALL:
        return Origin("site", ALL)
    if name in profiles and name not in groups:
        return Origin("profile", profiles[name])
    return Origin("group", name)


def sealed_files_of(snapshot: Snapshot, host: HostFacts) -> tuple[SealedFile, ...]:
    """Files of *host* and its groups that are sealed as a whole: nobody here knows what they say."""
    if host.is_retired or not snapshot.sealed:
        return ()
    groups = set(snapshot.once(model_of).tree.order(host.name))
    return tuple(
        file
        for file in snapshot.sealed
        if (file.owner in groups if file.owner_kind == "group" else file.owner == host.name)
    )


def members(snapshot: Snapshot, group: str) -> tuple[Member, ...]:
    """The hosts of *group* and of every group below it, by name, each with the shortest way to it.

    ``all`` and ``ungrouped`` are groups too. A group that nobody declares has none.
    """
    tree = snapshot.once(model_of).tree
    hosts = {**tree.hosts, ALL: tree.named_in_all, UNGROUPED: tree.ungrouped}
    children = {**tree.children, ALL: (*tree.top_level, UNGROUPED)}
    found: dict[str, tuple[str, ...]] = {}
    level: list[tuple[str, ...]] = [(group,)] if group in hosts else []
    seen = {group}
    while level:
        below: list[tuple[str, ...]] = []
        for path in level:
            for host in hosts.get(path[-1], ()):
                found.setdefault(host, path)
            for child in children.get(path[-1], ()):
                if child not in seen:
                    seen.add(child)
                    below.append((*path, child))
        level = below
    return tuple(Member(host, found[host]) for host in sorted(found))


def holds_sealed(value: Any) -> bool:
    """True when *value* is sealed, or holds something that is."""
    if isinstance(value, Mapping):
        return "__ansible_vault" in value or any(map(holds_sealed, value.values()))
    return isinstance(value, list | tuple) and any(map(holds_sealed, value))


def without_ciphertext(value: Any) -> Any:
    """*value* with a word where something is sealed: pages of digits tell people nothing."""
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            return SEALED
        return {key: without_ciphertext(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_ciphertext(inner) for inner in value]
    return value
