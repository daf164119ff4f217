"""In which order a site is rebuilt, from what stands on what. Pure.

A host needs what carries it: its hypervisor and its switches. Next come the hosts that people declared it to need, such
as the NAS whose storage it uses. Last, it needs who serves it: the gateway, the DNS servers and the boot server of its
primary segment, where hosts of the site have these addresses. A stage has what needs nothing but earlier stages.

What is declared, and who serves, gives way where it would close a circle with what was taken before. Declared needs are
taken by the names of the hosts, of one host in their order; of who serves, those towards what is nearer to the wire
first, then gateways, DNS servers and boot servers, in this order. Three are no needs at all: who serves a segment waits
for nobody else who serves it the same; routers, switches, access points and the bootstrap node are served by nothing
that is further from the wire than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.pictures.fate import carriers
from inventory.snapshot import HostFacts, SegmentFacts, Snapshot

#: nearer to the wire first; what is not listed comes after hypervisors
FORMS = ("rt", "sw", "ap", "ph", "pi", "em", "hv", "vm")
#: what carries the network, unless it is a virtual machine
NETWORK = frozenset({"rt", "sw", "ap"})
PLUGGED = "is plugged into it"
DECLARED = "needs it"
GATEWAY, DNS, BOOT = "its gateway", "its DNS server", "its boot server"


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


def carried(snapshot: Snapshot) -> dict[str, tuple[Need, ...]]:
    """Live host → what carries it, nearest first. A new dictionary."""
    return {host.name: tuple(_carried_by(snapshot, host)) for host in snapshot.live_hosts}


def declared(snapshot: Snapshot) -> Iterator[tuple[str, Need]]:
    """(live host, a live host that people declared it to need), in the order in which they count."""
    live = {host.name for host in snapshot.live_hosts}
    for host in sorted(snapshot.live_hosts, key=lambda one: one.name):
        for name in host.needs:
            if name in live and name != host.name:
                yield host.name, Need(name, DECLARED)


def served_by(snapshot: Snapshot) -> Iterator[tuple[str, str, Need]]:
    """(live host, what it is served with, by whom), in the order in which they count."""
    found = sorted(_servers_of(snapshot), key=lambda one: one[0])
    yield from ((name, what, need) for _, name, what, need in found)


def servers(snapshot: Snapshot) -> frozenset[str]:
    """The live hosts that are a gateway, DNS server or boot server of some segment; computed once for each Snapshot."""
    return snapshot.once(_servers)


def owners(snapshot: Snapshot) -> dict[str | None, str]:
    """Address, name or full name → the live host that has it; computed once for each Snapshot."""
    return snapshot.once(_owners)


def wait(needs: dict[str, tuple[Need, ...]], name: str, need: Need) -> bool:
    """Whether *name* waits for *need* now; not where that one waits for *name*, directly or not."""
    if name in everything(needs, need.host):
        return False
    if all(known.host != need.host for known in needs[name]):
        needs[name] += (need,)
    return True


def everything(needs: Mapping[str, Iterable[Need]], name: str) -> set[str]:
    """*name* and everything that it needs, directly or not."""
    found, open_ = {name}, [name]
    while open_:
        new = {need.host for need in needs.get(open_.pop(), ())} - found
        found |= new
        open_ += new
    return found


def is_network(host: HostFacts) -> bool:
    """Whether others cross *host*, and people switch it: a router, switch or access point that is no virtual machine."""
    return host.form in NETWORK and not host.hypervisor


def arranged(snapshot: Snapshot, needs: Mapping[str, tuple[Need, ...]]) -> tuple[Stage, ...]:
    """The hosts that *needs* names, in stages."""
    rank = {host.name: (_rank(host), host.name) for host in snapshot.live_hosts}
    left, done, found = dict(needs), set[str](), list[Stage]()
    while left:
        ready = [name for name, wants in left.items() if all(want.host in done for want in wants)]
        chosen = sorted(ready, key=rank.__getitem__) if ready else _begun(snapshot, _smallest_circle(left))
        steps = tuple(Step(name, needs[name]) for name in chosen)
        found.append(Stage(len(found) + 1, steps, circle=not ready))
        done.update(chosen)
        left = {name: wants for name, wants in left.items() if name not in done}
    return tuple(found)


def depth(snapshot: Snapshot, name: str) -> int:
    """How many machines carry the host *name*, one upon the other; 0: it is no virtual machine."""
    return len(carriers(snapshot, snapshot.host_by_name[name]))


def _begun(snapshot: Snapshot, circle: Iterable[str]) -> list[str]:
    """The hosts of a *circle*: who carries others first."""
    rank = {name: _rank(snapshot.host_by_name[name]) for name in circle}
    return sorted(rank, key=lambda name: (depth(snapshot, name), rank[name], name))


def _all_needs(snapshot: Snapshot) -> dict[str, tuple[Need, ...]]:
    """Host → what it needs, nearest first, each host once."""
    needs = carried(snapshot)
    for name, need in declared(snapshot):
        wait(needs, name, need)
    for name, _, need in served_by(snapshot):
        wait(needs, name, need)
    return needs


def _smallest_circle(left: Mapping[str, tuple[Need, ...]]) -> set[str]:
    """Of hosts that all wait for each other those that wait for the fewest."""
    needs = {name: [want for want in wants if want.host in left] for name, wants in left.items()}
    return min((everything(needs, name) for name in sorted(left)), key=len)


def _rank(host: HostFacts) -> int:
    known = host.form in FORMS and not host.hypervisor
    return FORMS.index(host.form if known else "vm")


def _carried_by(snapshot: Snapshot, host: HostFacts) -> Iterator[Need]:
    known = dict.fromkeys(carriers(snapshot, host), "runs on it")
    known |= {interface.switch: PLUGGED for interface in host.interfaces if interface.switch is not None}
    for name, why in known.items():
        carrier = snapshot.host_by_name.get(name)
        if carrier is not None and not carrier.is_retired and name != host.name:
            yield Need(name, why)


def _servers_of(snapshot: Snapshot) -> Iterator[tuple[tuple[int, ...], str, str, Need]]:
    """(when it counts: low first, host, what it is served with, by whom)."""
    node = snapshot.bootstrap_host
    known = owners(snapshot)
    for host in snapshot.live_hosts:
        segment = snapshot.segment_of(host.primary) if host.primary else None
        if segment is None:
            continue
        is_early = is_network(host) or host is node
        for kind, (what, addresses) in enumerate(_at(segment).items()):
            names = dict.fromkeys(known[address] for address in addresses if address in known)
            for name in () if host.name in names else names:
                away = _rank(snapshot.host_by_name[name]) - _rank(host)
                if away <= 0 or not is_early:
                    yield (away >= 0, kind, away), host.name, what, Need(name, f"{what} in {segment.name}")


def _servers(snapshot: Snapshot) -> frozenset[str]:
    known = owners(snapshot)
    at = (address for segment in snapshot.segments for ones in _at(segment).values() for address in ones)
    return frozenset(known[address] for address in at if address in known)


def _at(segment: SegmentFacts) -> dict[str, tuple[str | None, ...]]:
    """What a segment is served with → at which addresses."""
    return {
        GATEWAY: (segment.gateway4, segment.gateway6),
        DNS: segment.dns_servers,
        BOOT: (segment.next_server,),
    }


def _owners(snapshot: Snapshot) -> dict[str | None, str]:
    """Of several that claim an address the first by name has it here."""
    hosts = sorted(snapshot.live_hosts, key=lambda host: host.name)
    found: dict[str | None, str] = {}
    for words in (lambda host: [host.name], lambda host: [snapshot.fqdn(host.name)], _addresses):
        for host in hosts:
            for word in words(host):
                found.setdefault(word, host.name)
    return found


def _addresses(host: HostFacts) -> list[str]:
    return [address for interface in host.interfaces for address in interface.addresses]
