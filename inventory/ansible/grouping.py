"""How Ansible orders groups and what a host inherits from them. Pure.

Source: ansible-core, ``Group.depth`` (longest way from ``all``), ``sort_groups`` (depth, priority, name) and the default
``VARIABLE_PRECEDENCE``. Top-level keys replace each other whole (``hash_behaviour = replace``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inventory.snapshot import Snapshot

ALL = "all"
UNGROUPED = "ungrouped"
PROFILE_PREFIX = "profile_"


class GroupTree:
    """The groups of one Snapshot, workload profiles included, with the variables that each renders.

    ``variables`` maps a group's name to what it contributes; ``all`` is the site.
    """

    def __init__(self, snapshot: Snapshot, variables: Mapping[str, Mapping[str, Any]]) -> None:
        self.variables = variables
        live = {host.name for host in snapshot.live_hosts}
        groups = {group.name: group for group in snapshot.groups}
        self._order = snapshot.site.written.get("order", {})
        self.children: dict[str, tuple[str, ...]] = {
            name: self._ordered("children", name, group.children) for name, group in groups.items()
        }
        self.hosts: dict[str, tuple[str, ...]] = {
            name: self._ordered("hosts", name, (host for host in group.hosts if host in live))
            for name, group in groups.items()
            if name != UNGROUPED
        }
        for profile in snapshot.profiles:
            name = PROFILE_PREFIX + profile.name
            self.children.setdefault(name, ())
            self.hosts[name] = tuple(host for host in profile.hosts if host in live)
        self.priority = {name: group.priority for name, group in groups.items()}
        self.parents: dict[str, set[str]] = {name: set() for name in self.children}
        for parent, children in self.children.items():
            for child in children:
                self.parents[child].add(parent)
        self.depth: dict[str, int] = {ALL: 0}
        self._measure_depths()
        self.groups_of: dict[str, list[str]] = {host: [] for host in sorted(live)}
        for name in sorted(self.hosts):
            for host in self.hosts[name]:
                self.groups_of[host].append(name)
        loose = (host for host, names in self.groups_of.items() if not names)
        self.ungrouped = self._ordered("hosts", UNGROUPED, loose)
        #: hosts that the imported tree named in ``all`` itself; it only matters for the order of ``groups.all``
        self.named_in_all = tuple(host for host in self._order.get("hosts", {}).get(ALL, ()) if host in live)
        self._chains: dict[tuple[str, ...], dict[str, Any]] = {}

    @property
    def top_level(self) -> list[str]:
        """The groups directly below ``all``, without ``ungrouped``: those in no other, and those named there."""
        named = set(self._order.get("children", {}).get(ALL, ()))
        top = (name for name, parents in self.parents.items() if name in named or not parents)
        return list(self._ordered("children", ALL, (name for name in top if name != UNGROUPED)))

    def _ordered(self, what: str, group: str, names: Iterable[str]) -> tuple[str, ...]:
        """*names* in the order of the imported tree, which ``groups.web[0]`` shows; later ones behind, by name."""
        places = {name: at for at, name in enumerate(self._order.get(what, {}).get(group, ()))}
        return tuple(sorted(names, key=lambda name: (places.get(name, len(places)), name)))

    def _measure_depths(self) -> None:
        """Depth is the longest way from ``all``; parents before children, however deep."""
        above = {name: len(parents) for name, parents in self.parents.items()}
        ready = [name for name, count in above.items() if not count]
        self.depth.update((name, 1) for name in ready)
        while ready:
            name = ready.pop()
            for child in self.children[name]:
                self.depth[child] = max(self.depth.get(child, 1), self.depth[name] + 1)
                above[child] -= 1
                if not above[child]:
                    ready.append(child)

    def above(self, names: Iterable[str]) -> set[str]:
        """*names* and every group above them, ``all`` excepted."""
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(self.parents.get(name, ()))
        return seen

    def order(self, host: str) -> list[str]:
        """The groups of *host* in merging order, later ones winning: ``all`` first."""
        direct = self.groups_of.get(host) or [UNGROUPED]
        names = self.above(name for name in direct if name in self.parents)
        if direct == [UNGROUPED]:
            names.add(UNGROUPED)
        return [ALL, *sorted(names, key=lambda n: (self.depth.get(n, 1), self.priority.get(n, 1), n))]

    def inherited(self, host: str) -> dict[str, Any]:
        """What groups alone give *host*. Shared between hosts of the same groups: read only."""
        key = tuple(self.groups_of.get(host, ()))
        if key not in self._chains:
            merged: dict[str, Any] = {}
            for name in self.order(host):
                merged.update(self.variables.get(name, {}))
            self._chains[key] = merged
        return self._chains[key]

    def members(self, name: str) -> set[str]:
        """The hosts of *name* and of every group below it."""
        if name == ALL:
            return set(self.groups_of)
        found: set[str] = set(self.ungrouped if name == UNGROUPED else ())
        todo = [name]
        seen: set[str] = set()
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                found.update(self.hosts.get(current, ()))
                todo.extend(self.children.get(current, ()))
        return found
