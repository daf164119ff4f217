"""Whom operators log in to, as far as it is declared. Pure.

They log in to every host with an address but embedded ones, which count only where somebody declared a way in: their
access, their host keys, or one of the variables below, of the host, a group or a profile. Who carries, leads to or wakes
others, and the bootstrap node, are logged in to in any case.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventory import host_keys
from inventory.exports.reserved import Reserved
from inventory.exports.ssh_plan import VARIABLE
from inventory.snapshot import HostFacts, Snapshot

#: whoever is reached has one of them
WAYS = (VARIABLE, "ansible_user")
EMBEDDED = "em"


class Logins:
    """Whom of one site operators log in to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.site = snapshot.site.variables
        self.used = set(_used(snapshot))
        self.declared = {key: Reserved(snapshot, key) for key in WAYS}

    def has(self, host: HostFacts) -> bool:
        """Whether operators log in to *host*, provided that it has an address."""
        if host.form != EMBEDDED or host.hypervisor or host.name in self.used:
            return True
        return bool(host.access or host_keys.keys(host.host_keys)) or any(self._ways(host))

    def _ways(self, host: HostFacts) -> Iterator[bool]:
        for key, declared in self.declared.items():
            value = declared.of(host)
            yield value not in (None, "") and value != self.site.get(key)


def _used(snapshot: Snapshot) -> Iterator[str]:
    """Who carries, leads to or wakes others; the bootstrap node."""
    for segment in snapshot.segments:
        yield from (segment.jump_host, segment.jump_alternative, segment.wake_relay)
    yield from (host.hypervisor for host in snapshot.live_hosts)
    yield from (host.name for host in snapshot.live_hosts if host.form == "hv")
    if snapshot.bootstrap_host is not None:
        yield snapshot.bootstrap_host.name
