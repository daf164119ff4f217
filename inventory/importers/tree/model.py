"""What an Ansible inventory tree says, and how Ansible resolves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from inventory.yaml11 import Positions

OwnerKind = Literal["group", "host"]
Variables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint about one place of the tree. *path* is relative to the tree; never holds plaintext."""

    path: str
    line: int | None
    message: str
    hint: str
    severity: Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that stood in a vaulted file: seal it again before it is stored. Shows itself to nobody."""

    plain: str = field(repr=False)

    def __str__(self) -> str:
        return "Secret()"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something was declared: a file of the tree, and the way to it inside that file."""

    path: str
    positions: Positions
    prefix: tuple[str, ...] = ()

    def line(self, key_path: Sequence[str | int] = ()) -> int:
        return self.positions.line((*self.prefix, *key_path))


@dataclass
class TreeGroup:
    """A group. *inline* are its ``vars:`` in the hosts file, *files* its merged group_vars."""

    name: str
    children: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    inline: Variables = field(default_factory=dict)
    files: Variables = field(default_factory=dict)
    priority: int = 1
    depth: int = 0
    parents: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    spots: dict[str, Spot] = field(default_factory=dict, repr=False)
    declared: Spot | None = field(default=None, repr=False)


@dataclass
class TreeHost:
    """A host. *inline* stands beside its name in the hosts file, *files* are its merged host_vars.

    *groups* are those that name it directly, in the order of the hosts file, ``ungrouped`` included.
    """

    name: str
    inline: Variables = field(default_factory=dict)
    files: Variables = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    spots: dict[str, Spot] = field(default_factory=dict, repr=False)
    declared: Spot | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A wholly vaulted file that was not opened. *order*: all files of its owner as they are read."""

    owner_kind: OwnerKind
    owner: str
    path: str
    text: str = field(repr=False)
    order: tuple[str, ...] = ()


@dataclass
class Tree:
    """A whole inventory tree, read without running anything.

    The dictionaries are shared with each other: treat them as read-only. Values may hold Secret.
    """

    root: Path
    hosts_path: str = ""
    groups: dict[str, TreeGroup] = field(default_factory=dict)
    hosts: dict[str, TreeHost] = field(default_factory=dict)
    sealed: list[Sealed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _chains: dict[tuple[str, ...], tuple[list[TreeGroup], Variables]] = field(
        default_factory=dict, repr=False
    )

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    def where(
        self, owner_kind: OwnerKind, owner: str, key_path: Sequence[str | int] = ()
    ) -> tuple[str, int] | None:
        """File and line of the value that Ansible uses; for an empty path, of the owner's first mention."""
        owned: TreeGroup | TreeHost | None = (self.groups if owner_kind == "group" else self.hosts).get(owner)
        if owned is None:
            return None
        spot = owned.spots.get(str(key_path[0])) if key_path else None
        if spot is None:
            return (owned.declared.path, owned.declared.line()) if owned.declared else None
        return spot.path, spot.line(key_path)

    def group_order(self, host: str) -> list[TreeGroup]:
        """The groups of *host* as Ansible merges them: ``all``, then by depth, priority, name."""
        return list(self._chain(host)[0])

    def resolved(self, host: str) -> Variables:
        """The variables of *host* as ``ansible-inventory --host`` shows them; keys replace whole values."""
        own = self.hosts[host]
        return {**self._chain(host)[1], **own.inline, **own.files}

    def merged_vars(self, group: str) -> Variables:
        """What ``ansible-inventory --list --export`` shows as the variables of *group*."""
        own = self.groups[group]
        merged = {**own.inline, **own.files}
        if own.priority != 1:
            merged["ansible_group_priority"] = own.priority
        return merged

    def secret_keys(self, owner_kind: OwnerKind, owner: str) -> set[str]:
        """The top-level variables of *owner* that hold a Secret somewhere."""
        owned = self.groups[owner] if owner_kind == "group" else self.hosts[owner]
        return {key for key, value in {**owned.inline, **owned.files}.items() if holds_secret(value)}

    def _chain(self, host: str) -> tuple[list[TreeGroup], Variables]:
        """Groups in order and what they give together; shared by all hosts of the same groups.

        Source: ``VariableManager.get_vars`` with the default VARIABLE_PRECEDENCE (all_inventory,
        groups_inventory, all_plugins_inventory, groups_plugins_inventory) and ``sort_groups``.
        """
        key = tuple(sorted(self.hosts[host].groups))
        if (known := self._chains.get(key)) is not None:
            return known
        names, waiting = {"all"}, list(key)
        while waiting:
            name = waiting.pop()
            if name not in names:
                names.add(name)
                waiting.extend(self.groups[name].parents)
        order = sorted(
            (self.groups[name] for name in names),
            key=lambda group: (group.name != "all", group.depth, group.priority, group.name),
        )
        merged: Variables = {}
        for group in order:
            merged.update(group.inline)
        for group in order:
            merged.update(group.files)
        self._chains[key] = order, merged
        return order, merged


def holds_secret(value: Any) -> bool:
    """Whether a Secret stands anywhere in *value*."""
    if isinstance(value, dict):
        return any(map(holds_secret, value.values()))
    if isinstance(value, list):
        return any(map(holds_secret, value))
    return isinstance(value, Secret)
