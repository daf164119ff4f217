"""Assigned MACs: they name a host by the site's encoding, or they name nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from inventory.findings import Finding
from inventory.identity import is_locally_administered, mac_problem
from inventory.macs import MacMeaning, NoMac, prefix, read_mac
from inventory.rules.places import named
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    assigned = [
        (host, interface, interface.mac)
        for host in snapshot.live_hosts
        for interface in host.interfaces
        if interface.mac and interface.mac_kind == "assigned" and not mac_problem(interface.mac)
    ]
    for _, interface, mac in assigned:
        if not is_locally_administered(mac):
            yield _of_a_vendor(interface, mac)
    ours = [entry for entry in assigned if is_locally_administered(entry[2])]
    if not ours:
        return
    try:
        beginning = prefix(snapshot.site)
    except NoMac as error:
        yield Finding(
            "mac-octets-missing",
            "info",
            f"site {snapshot.site.slug}",
            f"has {len(ours)} assigned MAC(s), and nobody can read what they name. {error}",
            "Declare the octets that the site's MACs begin with.",
        )
        return
    yield from _without_code(snapshot)
    yield from _strangers(snapshot, beginning, ours)
    for host, interface, mac in ours:
        meaning = read_mac(snapshot, mac)
        if meaning is not None:
            yield from _meaning(snapshot, host, interface, meaning)


def _of_a_vendor(interface: InterfaceFacts, mac: str) -> Finding:
    return Finding(
        "mac-of-a-vendor",
        "warning",
        interface.subject,
        f"has the assigned MAC {mac}, which begins as a vendor's does (it is not locally administered).",
        "Set it to observed if it was read off hardware; else assign another one.",
    )


def _strangers(
    snapshot: Snapshot, beginning: str, ours: list[tuple[HostFacts, InterfaceFacts, str]]
) -> Iterator[Finding]:
    strange = [f"{host.name}/{i.name}" for host, i, mac in ours if read_mac(snapshot, mac) is None]
    if strange:
        yield Finding(
            "mac-of-another-site",
            "info",
            f"site {snapshot.site.slug}",
            f"has {len(strange)} assigned MAC(s) that this site's encoding ({beginning}…) does not make: {named(strange)}.",
            "Nothing breaks; re-identify the machines when they are rebuilt, so that their MACs can be read.",
        )


def _without_code(snapshot: Snapshot) -> Iterator[Finding]:
    """Once a role, whoever has it."""
    if snapshot.site.mac_encoding != "role":
        return
    codes = {role.slug: role.code for role in snapshot.roles}
    wanting: dict[str, list[str]] = defaultdict(list)
    for host in snapshot.live_hosts:
        if host.role and not codes.get(host.role) and any(i.mac_kind == "assigned" for i in host.interfaces):
            wanting[host.role].append(host.name)
    for role, hosts in sorted(wanting.items()):
        yield Finding(
            "role-without-code",
            "warning",
            f"role {role}",
            f"has no RR code, and {named(hosts)} with assigned MACs: no MAC can name the role.",
            "Give the role two hex digits in the registry of roles.",
        )


def _meaning(
    snapshot: Snapshot, host: HostFacts, interface: InterfaceFacts, meaning: MacMeaning
) -> Iterator[Finding]:
    if meaning.encoding == "vmid":
        wrong = meaning.vmid != host.vmid if host.vmid is not None else False
        own = f"VMID {host.vmid}"
    else:
        codes = {role.slug: role.code for role in snapshot.roles}
        wrong = bool(host.role and codes.get(host.role)) and meaning.code != codes[host.role]
        own = f"role {host.role} (code {codes.get(host.role, '')})"
    if wrong:
        yield Finding(
            "mac-names-another",
            "warning",
            interface.subject,
            f"has the assigned MAC {meaning.mac}, which reads {meaning}; the host has {own}.",
            "Re-identify the interface, or correct what the host is declared with.",
        )
