"""A site reduced to one host and what its lines in the exports depend on. Pure.

Kept are: who claims the same MAC, address, VMID or name; its hypervisor, switches, jump hosts and the hosts that it needs;
some of its guests and of those that need it; the bootstrap node, who holds a gateway, who may be the name server; for each
segment somebody who has a reservation there. The addresses of all others that lie in pools stay as held values, since they
split the pools.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from inventory.acts.drafts import with_hosts
from inventory.acts.renaming import renamed
from inventory.dns.names import host_label, name_below, zone_of
from inventory.exports import ssh_plan
from inventory.exports.reserved import has
from inventory.numbers import number4
from inventory.snapshot import GroupFacts, HostFacts, IdentityFacts, ProfileFacts, Snapshot, claims_of

Row = TypeVar("Row", GroupFacts, ProfileFacts)

#: So many hosts beside the one: disputes among dozens are shown by their first.
MOST = 60
#: How far who depends on whom is followed.
STEPS = 3
#: So many of those that are alike are kept: guests of one hypervisor, hosts that could be the name server.
FEW = 5


@dataclass(frozen=True)
class Draft:
    """One host as it would be."""

    host: HostFacts
    #: its name so far; empty for a new one
    original: str = ""
    #: the groups and profiles that name it directly; None: as they are
    groups: Collection[str] | None = None
    profiles: Collection[str] | None = None


def drafted(snapshot: Snapshot, draft: Draft) -> Snapshot:
    """*snapshot* with the draft in place."""
    old, new = draft.original, draft.host.name
    if old and old != new:
        snapshot = renamed(snapshot, old, new)
    return _in_groups(with_hosts(snapshot, {new: draft.host}), draft)


def without(snapshot: Snapshot, name: str) -> Snapshot:
    """*snapshot* as if the host had never been declared."""
    return replace(
        snapshot,
        hosts=tuple(host for host in snapshot.hosts if host.name != name),
        groups=tuple(_member(group, name, False) for group in snapshot.groups),
        profiles=tuple(_member(profile, name, False) for profile in snapshot.profiles),
        sealed=tuple(f for f in snapshot.sealed if (f.owner_kind, f.owner) != ("host", name)),
    )


def _in_groups(snapshot: Snapshot, draft: Draft) -> Snapshot:
    name, groups, profiles = draft.host.name, snapshot.groups, snapshot.profiles
    if draft.groups is not None:
        groups = tuple(_member(group, name, group.name in draft.groups) for group in groups)
    if draft.profiles is not None:
        profiles = tuple(_member(profile, name, profile.name in draft.profiles) for profile in profiles)
    return replace(snapshot, groups=groups, profiles=profiles)


def _member(group: Row, name: str, inside: bool) -> Row:
    if (name in group.hosts) is inside:
        return group
    others: set[str] = {host for host in group.hosts if host != name}
    return replace(group, hosts=tuple(sorted({*others, name} if inside else others)))


# --- reducing ---


def reduced(snapshot: Snapshot, *drafts: Draft) -> Snapshot:
    """*snapshot*, undrafted, reduced to what the lines of the drafts, and of the hosts as they are, depend on."""
    index = snapshot.once(_index)
    subjects = [draft.host for draft in drafts]
    originals = [draft.original for draft in drafts]
    subjects += [snapshot.host_by_name[name] for name in originals if name in snapshot.host_by_name]
    kept = _related(snapshot, index, subjects)
    kept |= {host.name for host in subjects if host.name in snapshot.host_by_name}
    given = {name for draft in drafts for name in draft.groups or ()}
    given |= {f"profile {name}" for draft in drafts for name in draft.profiles or ()}
    groups = _groups_around(snapshot, kept, given)
    return replace(
        snapshot,
        hosts=tuple(host for host in snapshot.hosts if host.name in kept),
        groups=groups,
        profiles=tuple(
            replace(profile, hosts=tuple(name for name in profile.hosts if name in kept))
            for profile in snapshot.profiles
            if f"profile {profile.name}" in given or not kept.isdisjoint(profile.hosts)
        ),
        identities=(*snapshot.identities, *(one for one in index.pooled if one.host not in kept)),
        sealed=tuple(
            file for file in snapshot.sealed if (file.owner in kept if file.owner_kind == "host" else True)
        ),
    )


def _groups_around(
    snapshot: Snapshot, kept: Collection[str], given: Collection[str]
) -> tuple[GroupFacts, ...]:
    """The groups of *kept* hosts, those *given*, and all above them."""
    names = set(kept)
    wanted = {g.name for g in snapshot.groups if g.name in given or not names.isdisjoint(g.hosts)}
    parents: dict[str, list[str]] = {}
    for group in snapshot.groups:
        for child in group.children:
            parents.setdefault(child, []).append(group.name)
    todo = list(wanted)
    while todo:
        above = [name for name in parents.get(todo.pop(), ()) if name not in wanted]
        wanted.update(above)
        todo += above
    return tuple(
        replace(
            group,
            hosts=tuple(name for name in group.hosts if name in names),
            children=tuple(name for name in group.children if name in wanted),
        )
        for group in snapshot.groups
        if group.name in wanted
    )


def _related(snapshot: Snapshot, index: _Index, subjects: list[HostFacts]) -> set[str]:
    kept = set(index.anchors)
    for host in subjects:
        kept.update(index.guests.get(host.name, ())[:FEW])
        kept.update(index.needed_by.get(host.name, ())[:FEW])
        kept.update(index.jumped_by.get(host_label(index.zone, host) or host.name, ())[:1])
        for interface in host.interfaces:
            kept.update(index.reserved_in.get(interface.segment or "", ())[:FEW])
    known = snapshot.host_by_name
    front = [*subjects, *(known[name] for name in kept if name in known)]
    for _ in range(STEPS):
        found = {name for host in front for name in _needed_by(snapshot, index, host)}
        new = sorted(name for name in found - kept if name in known)[: max(0, MOST - len(kept))]
        kept.update(new)
        front = [known[name] for name in new]
        if not front:
            break
    return {name for name in kept if name in known}


def _needed_by(snapshot: Snapshot, index: _Index, host: HostFacts) -> Iterator[str]:
    for key in _keys(snapshot, index.zone, host):
        yield from index.holders.get(key, ())
    if host.hypervisor:
        yield host.hypervisor
    yield from host.needs
    for interface in host.interfaces:
        if interface.switch:
            yield interface.switch
        if segment := snapshot.segment_of(interface):
            yield from filter(None, (segment.jump_host, segment.jump_alternative))
    for label in _ways(index.zone, host.access, host.out_of_band, host.variables):
        yield from index.holders.get(("name", label), ())


# --- what is looked up, made once for a Snapshot ---


@dataclass
class _Index:
    zone: str
    #: (kind, value) → who claims it; a word is what formats without free names call an interface
    holders: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    guests: dict[str, list[str]] = field(default_factory=dict)
    needed_by: dict[str, list[str]] = field(default_factory=dict)
    reserved_in: dict[str, list[str]] = field(default_factory=dict)
    #: label of a jump host → who is reached through it
    jumped_by: dict[str, list[str]] = field(default_factory=dict)
    #: every rendering leans on these
    anchors: set[str] = field(default_factory=set)
    #: addresses of hosts that lie in somebody's pool
    pooled: list[IdentityFacts] = field(default_factory=list)


def _index(snapshot: Snapshot) -> _Index:
    index = _Index(zone_of(snapshot) or "")
    in_pool = _Pools(snapshot)
    gateways = {a for s in snapshot.segments for a in (s.gateway4, s.gateway6) if a}
    first = FEW
    for host in snapshot.live_hosts:
        for key in _keys(snapshot, index.zone, host):
            index.holders.setdefault(key, []).append(host.name)
        if host.hypervisor:
            index.guests.setdefault(host.hypervisor, []).append(host.name)
        for needed in host.needs:
            index.needed_by.setdefault(needed, []).append(host.name)
        for label in _ways(index.zone, host.access, host.out_of_band, host.variables):
            index.jumped_by.setdefault(label, []).append(host.name)
        named = False
        for interface in host.interfaces:
            if interface.reservation and interface.ipv4 and interface.mac and interface.segment:
                index.reserved_in.setdefault(interface.segment, []).append(host.name)
            for address in {*interface.addresses, interface.bootstrap_ipv4 or ""}:
                if address in gateways:
                    index.anchors.add(host.name)
                if in_pool.has(address):
                    index.pooled.append(IdentityFacts("ip", address, "held", host.name))
            named = named or (interface.a_record and bool(interface.addresses))
        if named and first:
            first -= 1
            index.anchors.add(host.name)
        if any(service.label == "dns" for service in host.services):
            index.anchors.add(host.name)
    index.anchors |= {a.bootstrap_host for a in snapshot.authorities if a.bootstrap_host}
    for variables in (snapshot.site.variables, *(group.variables for group in snapshot.groups)):
        for label in _ways(index.zone, {}, {}, variables):
            index.anchors.update(index.holders.get(("name", label), ())[:FEW])
    return index


def _keys(snapshot: Snapshot, zone: str, host: HostFacts) -> Iterator[tuple[str, str]]:
    """What *host* claims, and the words that formats make of its interfaces; names as they stand below the zone."""
    for kind, value, _ in claims_of((host,), snapshot.segment_by_name):
        yield kind, ((name_below(zone, value) or value) if kind == "name" and zone else value)
    for interface in host.interfaces:
        yield "word", _word(host.name, interface.name)
        if interface.bootstrap_ipv4:
            yield "ip", interface.bootstrap_ipv4


def _word(host: str, interface: str) -> str:
    """As ``exports.text.tokens`` begins: whoever comes to the same is told apart by a number."""
    base = re.sub(r"[^a-z0-9]+", "-", f"{host}-{interface}".lower())[:60].strip("-") or "x"
    return re.sub(r"(-[0-9]+)+\Z", "", base)


def _ways(zone: str, access: Mapping[str, Any], second: Mapping[str, Any], variables: Any) -> Iterable[str]:
    """The labels of the hosts that these ways in lead through or to."""
    given: list[Any] = [dict(one) for one in (access, second) if one]
    if has(variables, ssh_plan.VARIABLE):
        given.append(variables[ssh_plan.VARIABLE])
    for one in given:
        if isinstance(one, Mapping):
            yield from _labels(zone, one)


def _labels(zone: str, way: Mapping[str, Any]) -> Iterator[str]:
    targets = [way.get("jump")]
    forwards = way.get("forward")
    for forward in forwards if isinstance(forwards, list) else ():
        if isinstance(forward, Mapping) and isinstance(forward.get("to"), str):
            targets.append(forward["to"].rpartition(":")[0].strip("[]"))
    for target in targets:
        if isinstance(target, str) and target:
            label = name_below(zone, target) if zone else target
            if label:
                yield label


class _Pools:
    """Whether an address lies in any pool of the site."""

    def __init__(self, snapshot: Snapshot) -> None:
        ends = ((number4(s.pool.first), number4(s.pool.last)) for s in snapshot.segments if s.pool)
        self.spans = [(first, last) for first, last in ends if first is not None and last is not None]

    def has(self, address: str) -> bool:
        number = number4(address) if address else None
        return number is not None and any(first <= number <= last for first, last in self.spans)
