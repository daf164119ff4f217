"""Everything that points at a host: what refers to its row, and what names its names, addresses and MACs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.acts.drafts import naming
from inventory.acts.plan import named_elsewhere
from inventory.contribution.rendering import subjects_of
from inventory.references import Place
from inventory.snapshot import HostFacts, Snapshot

#: the host's own columns, which its page shows
_OWN = frozenset({"name", "mac", "ipv4", "ipv6", "bootstrap_ipv4"})


@dataclass(frozen=True, slots=True)
class Pointer:
    """One row that refers to the host. ``subject`` is as in findings."""

    heading: str
    subject: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Pointed:
    declared: tuple[Pointer, ...]
    #: texts that name one of its values, which nothing keeps true
    places: tuple[Place, ...]
    #: what is sealed and cannot be looked into
    sealed: tuple[Place, ...]


def pointing(snapshot: Snapshot, host: HostFacts) -> Pointed:
    """Reads every text of the site: a second or so at ten thousand hosts."""
    values = {host.name, snapshot.fqdn(host.name)}
    for interface in host.interfaces:
        values |= {interface.mac or "", interface.bootstrap_ipv4 or "", *interface.addresses}
    mine = set(naming(snapshot, host))
    mine |= {(subject, column) for subject in _subjects(host) for column in _OWN}
    places, sealed = named_elsewhere(snapshot, sorted(values), mine)
    return Pointed(tuple(declared(snapshot, host)), places, sealed)


def _subjects(host: HostFacts) -> Iterator[str]:
    yield host.subject
    for interface in host.interfaces:
        yield interface.subject


def declared(snapshot: Snapshot, host: HostFacts) -> Iterator[Pointer]:
    """What refers to *host* by its row, or speaks of it by name."""
    labels = {service.label for service in host.services}
    for service in host.services:
        yield Pointer("Services", f"service {service.label}")
    for alias in snapshot.aliases:
        if alias.service in labels:
            yield Pointer("Aliases", f"alias {alias.name}", f"leads to {alias.service}")
    for group in snapshot.groups:
        if host.name in group.hosts:
            yield Pointer("Groups", f"group {group.name}")
    for profile in snapshot.profiles:
        if host.name in profile.hosts:
            yield Pointer("Workload profiles", f"profile {profile.name}")
    for other in snapshot.hosts:
        if other.hypervisor == host.name:
            yield Pointer("Guests", other.subject, other.status)
        if host.name in other.needs:
            yield Pointer("Needed by", other.subject, other.status)
        for interface in other.interfaces:
            if interface.switch == host.name:
                yield Pointer("Behind its ports", interface.subject, interface.switch_port)
    for authority in snapshot.authorities:
        if authority.bootstrap_host == host.name:
            yield Pointer(
                "Authority", f"authority of {authority.at}", f"bootstrap node of the mode {authority.mode}"
            )
    about = subjects_of(snapshot, host)
    for override in snapshot.overrides:
        if override.subject in about:
            yield Pointer(
                "Lowered severities", f"override {override.finding} {override.subject}", override.why
            )
