"""Another name for a host. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from inventory import naming
from inventory.acts import drafts, free
from inventory.acts.literals import literals, replaced
from inventory.acts.plan import Move, Plan, named_elsewhere
from inventory.identity import label_problem
from inventory.snapshot import HostFacts, SegmentFacts, Snapshot

REIMPORT = (
    "{old} came from an Ansible tree. Rename it there before that tree is imported again: the import would bring {old} back "
    "as a second host that claims the same MACs and addresses."
)


def plan(snapshot: Snapshot, old: str, new: str, now: datetime, chosen: Collection[str] = ()) -> Plan:
    """What renaming *old* to *new* would do; *chosen* are keys of the literals that are replaced as well.

    Raises LookupError when there is no host *old*.
    """
    host = snapshot.host_by_name[old]
    moves = _names(snapshot, host, new)
    literal_moves, ambiguous = _unambiguous(snapshot, moves)
    found = literals(snapshot, literal_moves)
    picked = [one for one in found if one.key in chosen]
    places, sealed = named_elsewhere(snapshot, moves.keys(), drafts.naming(snapshot, host))
    offered = {(one.subject, one.where) for one in found}
    return Plan(
        "Rename",
        f"host {old}",
        snapshot,
        renamed(replaced(snapshot, picked), old, new),
        moves=tuple(_moves(snapshot, host, new)),
        follows=tuple(_follows(snapshot, host)),
        warnings=tuple(_warnings(snapshot, host, new, ambiguous)),
        problems=tuple(_problems(snapshot, host, new, now)),
        places=tuple(place for place in places if (place.subject, place.where) not in offered),
        sealed=sealed,
        literals=found,
        chosen=frozenset(one.key for one in picked),
    )


def _names(snapshot: Snapshot, host: HostFacts, new: str) -> dict[str, str]:
    """old → new of every name that the host has: its own, its interfaces', each bare and qualified."""
    found = {host.name: new}
    for interface in host.interfaces:
        label = snapshot.interface_label(host, interface)
        found[label] = new + label[len(host.name) :]
    return {**found, **{snapshot.fqdn(old): snapshot.fqdn(name) for old, name in found.items()}}


def _unambiguous(snapshot: Snapshot, moves: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What means the host wherever it stands alone, and what names something else as well."""
    others = {
        *(one.name for one in snapshot.groups),
        *(one.name for one in snapshot.profiles),
        *(one.name for one in snapshot.segments),
        *(one.slug for one in snapshot.roles),
        *(one.name for one in snapshot.aliases),
        *(service.label for host in snapshot.hosts for service in host.services),
        snapshot.site.slug,
    }
    clear = {old: new for old, new in moves.items() if old not in others}
    return clear, sorted(moves.keys() & others)


def _moves(snapshot: Snapshot, host: HostFacts, new: str) -> Iterator[Move]:
    yield Move("Host, in the inventory and in SSH", host.name, new)
    yield Move("FQDN", snapshot.fqdn(host.name), snapshot.fqdn(new))
    for interface in host.interfaces:
        label = snapshot.interface_label(host, interface)
        kinds = [("Address record", interface.a_record), ("Reservation name", interface.reservation)]
        if said := " and ".join(kind for kind, is_so in kinds if is_so):
            moved = new + label[len(host.name) :]
            yield Move(f"{said.capitalize()} of {interface.name}", label, moved)
    for service in host.services:
        yield Move(f"CNAME {service.label} points at", snapshot.fqdn(host.name), snapshot.fqdn(new))


def _follows(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    groups = [one.name for one in snapshot.groups if host.name in one.hosts]
    groups += [one.name for one in snapshot.profiles if host.name in one.hosts]
    guests = [one.name for one in snapshot.hosts if one.hypervisor == host.name]
    needing = [one.name for one in snapshot.hosts if host.name in one.needs]
    ports = [one for one in snapshot.live_interfaces if one.switch == host.name]
    if groups:
        yield f"It stays in {', '.join(groups)}."
    if guests:
        yield f"{len(guests)} machines run on it and follow: {', '.join(guests[:8])}{' …' if len(guests) > 8 else ''}."
    if needing:
        yield f"It is needed by {', '.join(needing[:8])}{' …' if len(needing) > 8 else ''}; that follows."
    if ports:
        yield f"{len(ports)} interfaces are plugged into it and follow."
    if behind := [
        one.name for one in snapshot.segments if host.name in (one.jump_host, one.jump_alternative)
    ]:
        yield f"People come through it into {', '.join(behind)}; that follows."
    if woken := [one.name for one in snapshot.segments if one.wake_relay == host.name]:
        yield f"It sends Wake-on-LAN on {', '.join(woken)}; that follows."
    if any(one.bootstrap_host == host.name for one in snapshot.authorities):
        yield "It is the bootstrap node in declarations of authority; they follow."
    yield "MACs, addresses and VMID stay. Boot files go by MAC and stay where they are."
    yield f"{host.name}, and its interfaces' names, go into quarantine until somebody frees them."


def _warnings(snapshot: Snapshot, host: HostFacts, new: str, ambiguous: list[str]) -> Iterator[str]:
    if departs := naming.problem(snapshot.site, replace(host, name=new)):
        yield departs
    if host.written:
        yield REIMPORT.format(old=host.name)
    for name in ambiguous:
        yield f"“{name}” names something else here as well; values that are exactly that are listed, and not replaced."


def _problems(snapshot: Snapshot, host: HostFacts, new: str, now: datetime) -> Iterator[str]:
    if host.is_retired:
        yield f"{host.name} is retired; reactivate it first."
    if new == host.name:
        yield f"It is called {new} already."
    elif problem := label_problem(new):
        yield problem
    elif new in snapshot.host_by_name:
        yield f"The site has a host {new}; a retired host keeps its name."
    elif any(service.label == new for service in host.services):
        yield f"{new} is the name of a service that it carries; a name is a host's or a service's."
    elif problem := free.ledger(snapshot, now).contest("name", new, mine=host.name):
        yield problem


def renamed(snapshot: Snapshot, old: str, new: str) -> Snapshot:
    """The site with the host called *new*, and everything that refers to it."""

    def name(text: str) -> str:
        return new if text == old else text

    def names(given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(map(name, given))) if old in given else given

    def host(one: HostFacts) -> HostFacts:
        touched = old in (one.name, one.hypervisor, *one.needs, *(i.switch for i in one.interfaces))
        return one if not touched else replace(
            one,
            name=name(one.name),
            hypervisor=name(one.hypervisor),
            needs=tuple(map(name, one.needs)),
            interfaces=tuple(
                replace(i, host=name(i.host), switch=name(i.switch) if i.switch else i.switch)
                for i in one.interfaces
            ),
            services=tuple(replace(service, host=name(service.host)) for service in one.services),
        )  # fmt: skip

    def segment(one: SegmentFacts) -> SegmentFacts:
        ways: dict[str, Any] = {
            key: name(getattr(one, key)) for key in ("jump_host", "jump_alternative", "wake_relay")
        }
        return replace(one, **ways)

    authorities = tuple(replace(a, bootstrap_host=name(a.bootstrap_host)) for a in snapshot.authorities)
    return replace(
        snapshot,
        hosts=tuple(sorted(map(host, snapshot.hosts), key=lambda one: one.name)),
        segments=tuple(map(segment, snapshot.segments)),
        groups=tuple(replace(one, hosts=names(one.hosts)) for one in snapshot.groups),
        profiles=tuple(replace(one, hosts=names(one.hosts)) for one in snapshot.profiles),
        authorities=authorities,
        authority=authorities[-1] if authorities else None,
        sealed=tuple(
            replace(one, owner=name(one.owner)) if one.owner_kind == "host" else one
            for one in snapshot.sealed
        ),
    )
