"""What all parts of a translation share: the tree, the draft that grows, and the complaints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.ansible.nouns import names_of
from inventory.document import SiteDraft
from inventory.importers.sealing import Sealer
from inventory.importers.tree import Problem, Tree
from inventory.importers.tree.model import OwnerKind, TreeGroup, TreeHost
from inventory.snapshot import Snapshot

LONGEST_NAME = 253
#: Ansible keeps this one apart when it stands inline; in a file it is a variable like any other.
PRIORITY = "ansible_group_priority"


@dataclass
class Work:
    tree: Tree
    names: Mapping[str, str]
    sealer: Sealer
    stored: Snapshot | None
    draft: SiteDraft
    #: group → its inline variables and files as one dictionary, which is what a site keeps
    merged: dict[str, dict[str, Any]]
    zone: str
    #: how the tree wrote the site's own nouns
    written: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sealed: dict[tuple[OwnerKind, str], dict[str, str]] = field(default_factory=dict)

    @classmethod
    def on(
        cls, tree: Tree, slug: str, mapping: Mapping[str, str], sealer: Sealer, stored: Snapshot | None
    ) -> Work:
        merged = {
            name: {key: value for key, value in {**group.inline, **group.files}.items() if key != PRIORITY}
            for name, group in tree.groups.items()
        }
        work = cls(tree, names_of(mapping), sealer, stored, SiteDraft(slug), merged, slug)
        for file in tree.sealed:
            work.sealed.setdefault((file.owner_kind, file.owner), {})[file.path] = file.text
        return work

    def complain(
        self,
        kind: OwnerKind,
        owner: str,
        path: Sequence[str],
        message: str,
        hint: str,
        severity: Any = "warning",
    ) -> None:
        """Say what is wrong with the variable at *path* of a group or host, at its file and line."""
        where = self.tree.where(kind, owner, tuple(path))
        file, line = where or ("", None)
        spot = f"{kind} {owner}: {'.'.join(path)} " if path else f"{kind} {owner} "
        self.problems.append(Problem(file, line, spot + message, hint, severity))

    def clash(self, kind: OwnerKind, owner: str, path: Sequence[str], wanted: str) -> None:
        """A type that contradicts the meaning of the name: nothing is stored."""
        hint = f"write {wanted}, or map the noun to another name (--mapping)"
        self.complain(kind, owner, path, f"must be {wanted}", hint, "error")

    def fits(self, kind: OwnerKind, name: str) -> bool:
        """Whether *name* can be stored; an error where it is too long."""
        if len(name) <= LONGEST_NAME:
            return True
        file, line = self.tree.where(kind, name) or ("", None)
        message = f"{kind} {name[:40]}… has a name of more than {LONGEST_NAME} characters"
        self.problems.append(Problem(file, line, message, "shorten it", "error"))
        return False

    def late(self, kind: OwnerKind, name: str) -> dict[str, int]:
        """Variable → how many unopened sealed files of its owner Ansible reads before it, where any."""
        sealed = [file for file in self.tree.sealed if (file.owner_kind, file.owner) == (kind, name)]
        if not sealed:
            return {}
        order, paths = sealed[0].order, {file.path for file in sealed}
        before = {path: sum(other in paths for other in order[:at]) for at, path in enumerate(order)}
        owner: TreeGroup | TreeHost = self.tree.groups[name] if kind == "group" else self.tree.hosts[name]
        found = {key: before.get(spot.path, 0) for key, spot in owner.spots.items() if key in owner.files}
        return {key: count for key, count in sorted(found.items()) if count}


def out_of_order(groups: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Group → names, for the groups whose names do not stand in alphabetical order."""
    return {group: names for group, names in groups if names != sorted(names)}
