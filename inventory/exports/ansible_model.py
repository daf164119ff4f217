"""The site as Ansible sees it, before it is JSON or files: group variables, host variables, the tree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from inventory.ansible import shape
from inventory.ansible.grouping import ALL, PROFILE_PREFIX, UNGROUPED, GroupTree
from inventory.ansible.nouns import names_of
from inventory.ansible.written import read_domain
from inventory.identity import is_ip_address
from inventory.snapshot import HostFacts, Snapshot


class AnsibleModel:
    """Variables per group and host as this site renders them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.names = names_of(snapshot.site.mapping)
        self._writer = shape.HostWriter(snapshot, self.names)

    @cached_property
    def group_variables(self) -> dict[str, dict[str, Any]]:
        """Group → its variables; ``all`` first, workload profiles as ``profile_<name>``."""
        snapshot = self.snapshot
        found: dict[str, dict[str, Any]] = {ALL: dict(snapshot.site.variables)}
        for group in snapshot.groups:
            found[group.name] = dict(group.variables)
        for profile in snapshot.profiles:
            found[PROFILE_PREFIX + profile.name] = dict(profile.variables)
        for owner, name, value in self._site_nouns():
            found[owner if owner in found else ALL][name] = value  # its group may be gone by now
        keys = snapshot.site.written.get("keys", {})
        return {name: _in_order(variables, keys.get(name, ())) for name, variables in found.items()}

    def _site_nouns(self) -> list[tuple[str, str, Any]]:
        """The site's own nouns as (group, variable, value), where the imported tree declared them."""
        site, written = self.snapshot.site, self.snapshot.site.written
        out: list[tuple[str, str, Any]] = []
        if domain := written.get("root_domain"):
            holds = read_domain(domain.get("raw")).value == site.root_domain
            value = domain["raw"] if holds else site.root_domain
            out.append((domain["owner"], self.names["site.root_domain"], value))
        if segments := written.get("segments"):
            out.append((segments["owner"], self.names["site.segments"], self._segments(segments)))
        return out

    def _segments(self, written: Mapping[str, Any]) -> Any:
        """The mapping of segments, in the order in which it was written; new ones behind."""
        by_name = self.snapshot.segment_by_name
        if not by_name and "value" in written:
            return written["value"]
        order = [name for name in written.get("order", ()) if name in by_name]
        order += [name for name in by_name if name not in set(order)]
        return {name: shape.write_segment(by_name[name], self.names) for name in order}

    @cached_property
    def tree(self) -> GroupTree:
        return GroupTree(self.snapshot, self.group_variables)

    def host_variables(self, host: HostFacts) -> dict[str, Any]:
        """What stands on the host itself, in the order of the imported tree; what is new stands behind.

        An identity mapping that its groups already give in just this form is left to them.
        """
        inherited = self.tree.inherited(host.name)
        out = self._writer.own_variables(host)
        for key, value in self._writer.write(host).items():
            if key not in inherited or not same_value(inherited[key], value):
                out[key] = value
        out.update(self._added(host, inherited, out))
        return _in_order(out, host.written.get("keys", ()))

    def own_names(self, host: HostFacts) -> frozenset[str]:
        """Those of the host's variables that somebody declared on it; the others are made of its facts."""
        return frozenset(self._writer.own_variables(host)) - frozenset(self._writer.write(host))

    def script_variables(self, host: HostFacts) -> dict[str, Any]:
        """What an inventory script may say of the host itself.

        Ansible gives what a script says of a host to the group of the same name, if there is one. Where that would
        not come to the same, nothing is said: better a host without its variables than others with them.
        """
        own = self.host_variables(host)
        return own if not self.shares_name(host) or self.is_expressible(host, own) else {}

    def shares_name(self, host: HostFacts) -> bool:
        return host.name in self.tree.depth or host.name == UNGROUPED

    def is_expressible(self, host: HostFacts, own: Mapping[str, Any]) -> bool:
        """False where the group of the host's own name would take its variables to others, or lose them."""
        tree, name = self.tree, host.name
        merged: dict[str, Any] = {}
        for group in tree.order(name):
            merged.update(tree.variables.get(group, {}))
            merged.update(own if group == name else {})
        return tree.members(name) == {name} and merged == {**tree.inherited(name), **own}

    def _added(self, host: HostFacts, inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, str]:
        """The two variables that the site adds where nothing declares them."""
        added: dict[str, str] = {}
        if "fqdn" not in inherited and "fqdn" not in own:
            added["fqdn"] = self.snapshot.fqdn(host.name)
        if "ansible_host" not in inherited and "ansible_host" not in own:
            interface = next((i for i in host.interfaces if i.management and i.addresses), host.primary)
            if interface and interface.addresses and not is_ip_address(host.name):
                added["ansible_host"] = interface.addresses[0]
        return added


def _in_order(variables: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """*variables* with those named in *keys* first, in that order: the ``varnames`` lookup sees it."""
    return {**{key: variables[key] for key in keys if key in variables}, **variables}


def same_value(one: Any, other: Any) -> bool:
    """Equality that tells true from 1 and sees the order of keys, as Jinja does."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same_value(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same_value(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
