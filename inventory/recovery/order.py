"""In which order a site is rebuilt, from what stands on what. Pure.

A host needs what carries it (its hypervisor, its switches), and what it reaches others through (the gateway, the DNS
servers and the boot server of its primary segment, where hosts of the site have these addresses). A stage has what
needs nothing but earlier stages. The second kind of need is followed only towards what is nearer to the wire: a router
whose DNS server is a virtual machine behind it comes first all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.pictures.fate import carriers
from inventory.snapshot import HostFacts, Snapshot

#: nearer to the wire first; what is not listed comes after hypervisors
FORMS = ("rt", "sw", "ap", "ph", "pi", "em", "hv", "vm")


@dataclass(frozen=True, slots=True)
class Need:
    """One host that another one waits for; ``why`` is a phrase: “runs on it”."""

    host: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    host: str
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Hosts that can be rebuilt at the same time; ``circle``: they need each other, begin with the first."""

    number: int
    steps: tuple[Step, ...]
    circle: bool = False


def stages(snapshot: Snapshot) -> tuple[Stage, ...]:
    """Every live host once; computed once for each Snapshot."""
    return snapshot.once(_stages)


def _stages(snapshot: Snapshot) -> tuple[Stage, ...]:
    return arranged(snapshot, needs_of(snapshot))


def needs_of(snapshot: Snapshot) -> dict[str, tuple[Need, ...]]:
    """Live host → what it needs, nearest first; computed once for each Snapshot."""
    return snapshot.once(_all_needs)


def gateways(snapshot: Snapshot, name: str) -> Iterator[Need]:
    """The live hosts that are gateways of the primary segment of the host *name*, whatever their form."""
    primary = snapshot.host_by_name[name].primary
    segment = snapshot.segment_of(primary) if primary else None
    if segment is None:
        return
    owners = snapshot.once(_owners)
    found = (owners.get(address or "", "") for address in (segment.gateway4, segment.gateway6))
    for owner in dict.fromkeys(found):
        if owner not in ("", name):
            yield Need(owner, f"its gateway in {segment.name}")


def arranged(snapshot: Snapshot, needs: Mapping[str, tuple[Need, ...]]) -> tuple[Stage, ...]:
    """The hosts that *needs* names, in stages."""
    rank = {host.name: (_rank(host), host.name) for host in snapshot.live_hosts}
    left, done, found = dict(needs), set[str](), list[Stage]()
    while left:
        ready = [name for name, wants in left.items() if all(want.host in done for want in wants)]
        chosen = sorted(ready or _smallest_circle(left), key=rank.__getitem__)
        steps = tuple(Step(name, needs[name]) for name in chosen)
        found.append(Stage(len(found) + 1, steps, circle=not ready))
        done.update(chosen)
        left = {name: wants for name, wants in left.items() if name not in done}
    return tuple(found)


def _all_needs(snapshot: Snapshot) -> dict[str, tuple[Need, ...]]:
    """Host → what it needs, nearest first, each host once."""
    carried = {host.name: dict(_carried_by(snapshot, host)) for host in snapshot.live_hosts}
    found = {}
    for host in snapshot.live_hosts:
        known = dict(carried[host.name])
        for name, why in _reached_through(snapshot, host):
            if name not in known and host.name not in _reachable(name, carried):
                known[name] = why
        known.pop(host.name, None)
        found[host.name] = tuple(Need(name, why) for name, why in known.items())
    return found


def _reachable(name: str, needs: Mapping[str, Iterable[str]]) -> set[str]:
    """*name* and everything that it needs, directly or not."""
    found, open_ = {name}, [name]
    while open_:
        new = [other for other in needs.get(open_.pop(), ()) if other not in found]
        found.update(new)
        open_ += new
    return found


def _smallest_circle(left: Mapping[str, tuple[Need, ...]]) -> set[str]:
    """Of hosts that all wait for each other those that wait for the fewest."""
    needs = {name: [want.host for want in wants if want.host in left] for name, wants in left.items()}
    return min((_reachable(name, needs) for name in sorted(left)), key=len)


def _rank(host: HostFacts) -> int:
    return FORMS.index(host.form) if host.form in FORMS else FORMS.index("vm")


def _carried_by(snapshot: Snapshot, host: HostFacts) -> Iterator[tuple[str, str]]:
    known = dict.fromkeys(carriers(snapshot, host), "runs on it")
    known |= {
        interface.switch: "is plugged into it"
        for interface in host.interfaces
        if interface.switch is not None
    }
    for name, why in known.items():
        carrier = snapshot.host_by_name.get(name)
        if carrier is not None and not carrier.is_retired:
            yield name, why


def _reached_through(snapshot: Snapshot, host: HostFacts) -> Iterator[tuple[str, str]]:
    primary = host.primary
    segment = snapshot.segment_of(primary) if primary else None
    if segment is None:
        return
    owners = snapshot.once(_owners)
    wanted = [(segment.gateway4, "its gateway"), (segment.gateway6, "its gateway")]
    wanted += [(address, "its DNS server") for address in segment.dns_servers or ()]
    wanted += [(segment.next_server, "its boot server")]
    for address, what in wanted:
        name = owners.get(address or "", "")
        if name and _rank(snapshot.host_by_name[name]) < _rank(host):
            yield name, f"{what} in {segment.name}"


def _owners(snapshot: Snapshot) -> dict[str, str]:
    return {
        address: interface.host for interface in snapshot.live_interfaces for address in interface.addresses
    }
