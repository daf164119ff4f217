"""Groups, hosts and their inline variables, put together as ansible-core does it.

Source: ansible-core 2.19, ``ansible.inventory.data.InventoryData``, ``group.Group``, ``host.Host``.
"""

from __future__ import annotations

from typing import Any

from inventory.importers.tree.model import Problem, Spot, Tree, TreeGroup, TreeHost

# Names that Ansible sets itself: what a tree says under them reaches nobody.
# Source: ansible.constants.INTERNAL_STATIC_VARS.
RESERVED = frozenset(
    [
        "ansible_async_path",
        "ansible_collection_name",
        "ansible_config_file",
        "ansible_dependent_role_names",
        "ansible_diff_mode",
        "ansible_facts",
        "ansible_forks",
        "ansible_inventory_sources",
        "ansible_limit",
        "ansible_play_batch",
        "ansible_play_hosts",
        "ansible_play_hosts_all",
        "ansible_play_role_names",
        "ansible_playbook_python",
        "ansible_role_name",
        "ansible_role_names",
        "ansible_run_tags",
        "ansible_skip_tags",
        "ansible_verbosity",
        "ansible_version",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "groups",
        "group_names",
        "hostvars",
        "playbook_dir",
        "play_hosts",
        "role_name",
        "role_names",
        "role_path",
        "role_uuid",
    ]
)


class Refused(Exception):
    """Something the hosts file says that Ansible refuses: message and hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint


class TooMany(Exception):
    """The hosts file stands for more hosts than any site has: reading it stops here."""


MAX_MENTIONS = 1_000_000


class Builder:
    """Fills *tree* while a hosts file is read, and closes it with finish()."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.groups = tree.groups
        self.hosts = tree.hosts
        self.members: dict[str, set[str]] = {}
        self.mentions = 0
        for name in ("all", "ungrouped"):
            self.add_group(name, None)
        self.add_child("all", "ungrouped")

    def error(self, path: str, line: int | None, message: str, hint: str = "") -> None:
        self.tree.problems.append(Problem(path, line, message, hint, "error"))

    def warn(self, path: str, line: int | None, message: str, hint: str = "") -> None:
        self.tree.problems.append(Problem(path, line, message, hint, "warning"))

    def add_group(self, name: str, spot: Spot | None) -> None:
        if not name or "\0" in name:
            raise Refused("A group has no name.", "Name it, or remove it.")
        if name not in self.groups:
            self.groups[name] = TreeGroup(name)
            self.members[name] = set()
        if self.groups[name].declared is None:
            self.groups[name].declared = spot

    def add_host(self, name: str, group: str, port: int | None, spot: Spot) -> None:
        if not name or "\0" in name:
            raise Refused("A host has no name.", "Name it, or remove it.")
        self.mentions += 1
        if self.mentions > MAX_MENTIONS:
            raise TooMany
        host = self.hosts.get(name)
        if host is None:
            host = self.hosts[name] = TreeHost(name, declared=spot)
            if port:  # only the first mention of a host sets its port (Host.__init__)
                host.inline["ansible_port"] = port
                host.spots["ansible_port"] = spot
        if name not in self.members[group]:
            self.members[group].add(name)
            self.groups[group].hosts.append(name)
            host.groups.append(group)

    def add_child(self, parent: str, child: str) -> None:
        """Make *child* a group below *parent*; a host of that name only where no group has it."""
        if child not in self.groups:
            if child not in self.hosts:
                raise Refused(
                    f"The group {child!r} below {parent!r} is not defined.", "Define it, or remove it."
                )
            spot = self.hosts[child].declared
            assert spot is not None  # noqa: S101 - every host has been declared somewhere
            self.add_host(child, parent, None, spot)
            return
        group = self.groups[child]
        if parent in group.parents:
            return
        if child == parent or child == "all" or child in self._ancestors(parent):
            raise Refused(
                f"The group {child!r} cannot be below {parent!r}: it would contain itself.",
                "Break the cycle.",
            )
        self.groups[parent].children.append(child)
        group.parents.append(parent)

    def _ancestors(self, name: str) -> set[str]:
        found: set[str] = set()
        waiting = list(self.groups[name].parents)
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting.extend(self.groups[parent].parents)
        return found

    def set_variable(self, owner: str, key: str, value: Any, spot: Spot) -> None:
        """Set an inline variable. A group takes what is meant for a host of the same name, as in Ansible."""
        group = self.groups.get(owner)
        if group is not None and key == "ansible_group_priority":
            try:
                group.priority = int(value)
            except (TypeError, ValueError):
                raise Refused(
                    f"ansible_group_priority of {owner!r} is not a whole number.", "Write a number."
                ) from None
            group.spots[key] = spot
            return
        if key in RESERVED:
            self.warn(spot.path, spot.line((key,)), reserved(key), "Rename or remove it.")
            return
        owned = group or self.hosts[owner]
        owned.inline[key] = value
        owned.spots[key] = spot

    def finish(self) -> None:
        """What Ansible does once all is read (``reconcile_inventory``), and the depth of every group."""
        for name, group in self.groups.items():
            if name != "all" and not group.parents:
                self.add_child("all", name)
        self._sort_out_ungrouped()
        self._set_depths()
        for name in self.groups.keys() & self.hosts.keys():
            host_spot = self.hosts[name].declared
            self.warn(
                host_spot.path if host_spot else self.tree.hosts_path,
                host_spot.line() if host_spot else None,
                f"{name!r} is both a group and a host; Ansible gives inline variables of both to the group.",
                "Rename one.",
            )

    def _sort_out_ungrouped(self) -> None:
        self.mentions = 0  # what the file itself says has been counted
        ungrouped = self.groups["ungrouped"]
        leaving: set[str] = set()
        for host in list(self.hosts.values()):
            elsewhere = [name for name in host.groups if name not in ("all", "ungrouped")]
            if elsewhere and "ungrouped" in host.groups:
                host.groups.remove("ungrouped")
                leaving.add(host.name)
            elif not elsewhere and "ungrouped" not in host.groups:
                self._add_ungrouped(host)
        ungrouped.hosts = [name for name in ungrouped.hosts if name not in leaving]
        if ungrouped.parents != ["all"]:
            spot = ungrouped.declared
            self.error(
                spot.path if spot else self.tree.hosts_path,
                spot.line() if spot else None,
                "The group 'ungrouped' cannot be below another group than 'all'.",
                "Give its hosts a group of their own.",
            )

    def _add_ungrouped(self, host: TreeHost) -> None:
        """As Ansible does it: where a group has the name of *host*, it is the group that goes there."""
        try:
            self.add_child("ungrouped", host.name)
        except Refused as problem:
            path, line = self.tree.where("host", host.name) or (self.tree.hosts_path, None)
            self.error(path, line, problem.message, problem.hint)

    def _set_depths(self) -> None:
        """The depth of a group is the longest way down to it from ``all``."""
        waiting = {name: len(group.parents) for name, group in self.groups.items()}
        ready = [name for name, parents in waiting.items() if not parents]
        while ready:
            group = self.groups[ready.pop()]
            for name in group.children:
                child = self.groups[name]
                child.depth = max(child.depth, group.depth + 1)
                waiting[name] -= 1
                if not waiting[name]:
                    ready.append(name)


def reserved(key: str) -> str:
    return f"The name {key!r} belongs to Ansible, which replaces or hides what is written under it."
