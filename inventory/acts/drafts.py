"""The site as it would be: hosts put in, taken out and exchanged in a Snapshot. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


def with_hosts(snapshot: Snapshot, changed: Mapping[str, HostFacts]) -> Snapshot:
    """*changed* by the names that they have now instead of those; new ones in their place."""
    kept = [changed.get(host.name, host) for host in snapshot.hosts]
    known = {host.name for host in snapshot.hosts}
    kept += [host for name, host in changed.items() if name not in known]
    return replace(snapshot, hosts=tuple(sorted(kept, key=lambda host: host.name)))


def with_member(
    snapshot: Snapshot, host: str, groups: Collection[str], profiles: Collection[str]
) -> Snapshot:
    """*host* as a direct member of *groups* and *profiles* as well."""
    return replace(
        snapshot,
        groups=tuple(
            replace(one, hosts=tuple(sorted({*one.hosts, host}))) if one.name in groups else one
            for one in snapshot.groups
        ),
        profiles=tuple(
            replace(one, hosts=tuple(sorted({*one.hosts, host}))) if one.name in profiles else one
            for one in snapshot.profiles
        ),
    )


def with_interfaces(host: HostFacts, changed: Mapping[str, InterfaceFacts]) -> HostFacts:
    """*host* with the interfaces of these names exchanged, in their order."""
    return replace(host, interfaces=tuple(changed.get(one.name, one) for one in host.interfaces))


def called(snapshot: Snapshot, host: HostFacts, interface: InterfaceFacts) -> str:
    """The name of an interface below the zone, if it has an address record; else empty."""
    return snapshot.interface_label(host, interface) if interface.a_record else ""


def naming(snapshot: Snapshot, host: HostFacts) -> set[tuple[str, str]]:
    """(subject, field) of what refers to *host* by its row: these places name it, and follow by themselves."""
    found = {(host.subject, "name")}
    found |= {(one.subject, "host") for one in host.interfaces}
    found |= {(f"service {one.label}", "host") for one in host.services}
    for other in snapshot.hosts:
        found |= {(other.subject, "hypervisor")} if other.hypervisor == host.name else set()
        found |= {(other.subject, "needs")} if host.name in other.needs else set()
        found |= {(one.subject, "switch") for one in other.interfaces if one.switch == host.name}
    found |= {(f"group {one.name}", "hosts") for one in snapshot.groups}
    found |= {(f"workload profile {one.name}", "hosts") for one in snapshot.profiles}
    found |= {(f"authority of {one.at}", "bootstrap_host") for one in snapshot.authorities}
    return found
