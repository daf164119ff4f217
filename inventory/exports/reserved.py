"""Variables that mean something to this application: ``mgmtplane_pxe``, ``mgmtplane_ssh``, ``mgmtplane_prometheus``. Pure.

They are ordinary Ansible variables of an interface, a host, a group, a profile or the site, and the nearest one
counts, whole, as Ansible itself resolves it. What is written in them is checked by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.ansible.grouping import ALL, PROFILE_PREFIX, GroupTree
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


class Reserved:
    """One reserved variable throughout a site."""

    def __init__(self, snapshot: Snapshot, key: str) -> None:
        self.key = key
        given = {ALL: snapshot.site.variables, **{group.name: group.variables for group in snapshot.groups}}
        given |= {PROFILE_PREFIX + profile.name: profile.variables for profile in snapshot.profiles}
        having = {name: {key: variables[key]} for name, variables in given.items() if has(variables, key)}
        self._tree = GroupTree(snapshot, having) if having else None

    def of(self, host: HostFacts, interface: InterfaceFacts | None = None) -> Any:
        """The nearest value; None where nobody declares one."""
        for variables in (interface.variables if interface else {}, host.variables):
            if has(variables, self.key):
                return variables[self.key]
        return self._tree.inherited(host.name).get(self.key) if self._tree else None


def is_declared(snapshot: Snapshot, key: str) -> bool:
    """True when anybody declares *key* anywhere: most sites do without, and need not be searched host by host."""
    given = [
        snapshot.site.variables,
        *(group.variables for group in snapshot.groups),
        *(profile.variables for profile in snapshot.profiles),
        *(host.variables for host in snapshot.live_hosts),
        *(interface.variables for interface in snapshot.live_interfaces),
    ]
    return any(has(variables, key) for variables in given)


def has(variables: Mapping[str, Any], key: str) -> bool:
    """``key in variables``, without unpacking ten thousand JSON texts to learn that it is not."""
    text = getattr(variables, "text", None)
    if text is not None and f'"{key}"' not in text:
        return False
    return key in variables
