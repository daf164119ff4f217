"""Services that move to another host: one record each, and what stands and falls with it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from inventory.acts import drafts
from inventory.acts.plan import Move, Plan, named_elsewhere
from inventory.references import Place, needle
from inventory.snapshot import HostFacts, ServiceFacts, Snapshot


@dataclass(frozen=True)
class ServiceMove(Plan):
    #: places that name the old host, and none of the services
    beside: tuple[Place, ...] = ()


def plan(snapshot: Snapshot, services: Sequence[tuple[str, str]], to: str) -> ServiceMove:
    """What moving *services* (host, label) to the host *to* would do. Raises LookupError for what is not there."""
    target = snapshot.host_by_name[to]
    rows = [_service(snapshot, host, label) for host, label in services]
    leaving = [row for row in rows if row.host != to]
    old_hosts = [snapshot.host_by_name[name] for name in dict.fromkeys(row.host for row in leaving)]
    places, sealed = _places(snapshot, old_hosts)
    about, beside = _split(places, leaving, snapshot)
    labels = ", ".join(row.label for row in rows)
    return ServiceMove(
        "Move",
        f"{labels} to {to}",
        snapshot,
        moved(snapshot, leaving, to),
        moves=tuple(_moves(snapshot, leaving, to)),
        follows=tuple(_follows(snapshot, leaving, target)),
        warnings=tuple(_warnings(snapshot, leaving, target)),
        problems=tuple(_problems(rows, leaving, target)),
        places=about,
        sealed=sealed,
        beside=beside,
    )


def _service(snapshot: Snapshot, host: str, label: str) -> ServiceFacts:
    for one in snapshot.host_by_name[host].services:
        if one.label == label:
            return one
    raise LookupError(label)


def _places(snapshot: Snapshot, hosts: Sequence[HostFacts]) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    values, own = [], set()
    for host in hosts:
        own |= drafts.naming(snapshot, host)
        own |= {(one.subject, column) for one in host.interfaces for column in ("ipv4", "ipv6")}
        values += [host.name, *(address for one in host.interfaces for address in one.addresses)]
        values += [label for one in host.interfaces if (label := drafts.called(snapshot, host, one))]
    return named_elsewhere(snapshot, list(dict.fromkeys(values)), own)


def _split(
    places: Collection[Place], services: Sequence[ServiceFacts], snapshot: Snapshot
) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """Those that speak of one of the services as well, by path or by text, and the others."""
    names = {name for one in services for name in (one.name, one.label)}
    aliases = {one.name for one in snapshot.aliases if one.service in {row.label for row in services}}
    tests = [needle(name).in_text for name in names | aliases]
    about = [
        place
        for place in places
        if any(
            test(f"{place.subject} {place.where.replace('.', ' ').replace('_', ' ')} {place.text}")
            for test in tests
        )
    ]
    return tuple(about), tuple(place for place in places if place not in about)


def _moves(snapshot: Snapshot, services: Sequence[ServiceFacts], to: str) -> Iterator[Move]:
    for row in services:
        old, new = snapshot.fqdn(row.host), snapshot.fqdn(to)
        yield Move(f"CNAME {row.label}.{snapshot.site.zone}", old, new)
        if row.health_check:
            what = row.health_check if row.health_check != "tcp" else f"tcp {row.port or ''}".strip()
            yield Move(f"Health check {what} of {row.label} is answered by", row.host, to)
        if row.metrics_path and row.port:
            yield Move(f"Scrape target {row.label}.{snapshot.site.zone}:{row.port}, label host", row.host, to)


def _follows(snapshot: Snapshot, services: Sequence[ServiceFacts], target: HostFacts) -> Iterator[str]:
    labels = {row.label for row in services}
    root = snapshot.site.root_domain
    for alias in snapshot.aliases:
        if alias.service in labels:
            name = f"{alias.name}.{root}" if root else alias.name
            yield f"The alias {name} points at {alias.service}.{snapshot.site.zone} and follows."
    together = [row.label for row in target.services] + sorted(labels)
    if len(together) > 1:
        yield f"Afterwards {', '.join(together)} stand and fall with {target.name}."
    if target.hypervisor:
        yield f"{target.name} runs on {target.hypervisor}, and falls with it."
    yield "Consumers use the service's name and need no change; resolvers may keep the old answer for the record's TTL."


def _warnings(snapshot: Snapshot, services: Sequence[ServiceFacts], target: HostFacts) -> Iterator[str]:
    if not (target.primary and target.primary.a_record and target.primary.addresses):
        yield f"{target.name} has no address record; the CNAME would lead nowhere. Give it one first."
    if target.status not in ("active", "provisioning"):
        yield f"{target.name} is in {target.status}."
    for row in services:
        for other in target.services:
            if row.port and row.port == other.port:
                yield f"{target.name} carries {other.label} on port {row.port} too."
    for row in services:
        others = [
            host.name
            for host in snapshot.live_hosts
            if host.name not in (row.host, target.name)
            and any(one.label == row.label for one in host.services)
        ]
        if others:
            yield f"{row.label} is carried by {', '.join(others)} as well; a disputed name is in no export."


def _problems(
    rows: Sequence[ServiceFacts], leaving: Sequence[ServiceFacts], target: HostFacts
) -> Iterator[str]:
    if not rows:
        yield "Say which services move."
    elif not leaving:
        yield f"{', '.join(row.label for row in rows)}: on {target.name} already."
    if target.is_retired:
        yield f"{target.name} is retired; reactivate it first, or choose another host."
    there = {row.label for row in target.services}
    for row in leaving:
        if row.label in there:
            yield f"{target.name} carries {row.label} already; delete one of the two first."
    labels = [row.label for row in leaving]
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        yield f"{label} is carried by several of the hosts; one host carries a service once."


def moved(snapshot: Snapshot, services: Sequence[ServiceFacts], to: str) -> Snapshot:
    """The site with *services* on the host *to*."""
    changed = {}
    for name in {row.host for row in services}:
        host = snapshot.host_by_name[name]
        changed[name] = replace(host, services=tuple(row for row in host.services if row not in services))
    target = changed.get(to, snapshot.host_by_name[to])
    carried = [*target.services, *(replace(row, host=to) for row in services)]
    changed[to] = replace(target, services=tuple(sorted(carried, key=lambda row: (row.name, row.tenant))))
    return drafts.with_hosts(snapshot, changed)
