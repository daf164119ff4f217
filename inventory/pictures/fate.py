"""What falls with a host: the failure domains of a site. Pure.

``fate_of(snapshot, "hv01")`` follows from one host to everything that stands on it, and says why for each. Three effects:

- ``down``: it does not run. Virtual machines of a hypervisor, services of a host, aliases of a service.
- ``cut off``: it runs and nobody reaches it. Hosts all of whose known switch ports lie on switches that fell, and what
  these carry.
- ``degraded``: it goes on with less. A segment without its gateway, DNS or boot server, a host that loses one of several
  switch ports or a host that it was declared to need, a site without its bootstrap node. Nothing falls because of it:
  a segment without a gateway still switches.

Declared is what counts: a wire that nobody wrote down holds nothing up. Retired hosts neither fall nor carry.
Machines that carry each other in a circle are followed once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, Snapshot

Kind = Literal["host", "service", "alias", "segment", "site"]
Effect = Literal["down", "cut off", "degraded"]

KINDS: tuple[Kind, ...] = ("host", "service", "alias", "segment", "site")
EFFECTS: tuple[Effect, ...] = ("down", "cut off", "degraded")


@dataclass(frozen=True, slots=True)
class Fallen:
    """One thing that falls. ``name`` is as findings name it; a service is ``artifacts on web-vm01``."""

    kind: Kind
    name: str
    effect: Effect
    #: a phrase: “runs on hv01”
    why: str
    #: the host or service by which it falls, which fell before it
    through: str
    #: how many steps it is away from the host in question
    depth: int

    @property
    def subject(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Fate:
    """What falls with ``host``, nearest first; hosts before what they carry."""

    host: str
    fallen: tuple[Fallen, ...] = ()

    def of_kind(self, kind: Kind) -> tuple[Fallen, ...]:
        return tuple(one for one in self.fallen if one.kind == kind)

    @property
    def lost(self) -> tuple[Fallen, ...]:
        """Without what is only degraded."""
        return tuple(one for one in self.fallen if one.effect != "degraded")

    def count(self, kind: Kind) -> int:
        return sum(one.kind == kind for one in self.fallen)

    @property
    def counts(self) -> dict[Kind, int]:
        """By kind, without what is only degraded but for segments and sites, which never fall altogether."""
        found = Counter(
            one.kind for one in self.fallen if one.effect != "degraded" or one.kind in ("segment", "site")
        )
        return {kind: found[kind] for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Shared:
    """Services that fall together because they stand on ``carrier``."""

    carrier: str
    form: str
    services: tuple[ServiceFacts, ...]


def fate_of(snapshot: Snapshot, host: str) -> Fate:
    """Everything that falls with the host of that name. Raises KeyError for an unknown one."""
    return _Falling(snapshot.once(_Ground), snapshot.host_by_name[host]).fate()


def fates(snapshot: Snapshot) -> tuple[Fate, ...]:
    """Every live host with which something falls, the worst first. Computed once for each Snapshot."""
    return snapshot.once(_fates)


def shared_fates(snapshot: Snapshot) -> tuple[Shared, ...]:
    """Hosts on which two or more services stand, by themselves or in virtual machines; the most first."""
    return snapshot.once(_shared_fates)


def weight(fate: Fate) -> tuple[int, ...]:
    """What to sort by: things lost, then things degraded."""
    lost = len(fate.lost)
    return lost, len(fate.fallen) - lost


def _fates(snapshot: Snapshot) -> tuple[Fate, ...]:
    ground = snapshot.once(_Ground)
    found = [_Falling(ground, host).fate() for host in snapshot.live_hosts if ground.carries(host)]
    return tuple(
        sorted((one for one in found if one.fallen), key=lambda one: (*(-n for n in weight(one)), one.host))
    )


def _shared_fates(snapshot: Snapshot) -> tuple[Shared, ...]:
    standing: dict[str, list[ServiceFacts]] = {}
    for host in snapshot.live_hosts:
        if host.services:
            for carrier in (host.name, *carriers(snapshot, host)):
                standing.setdefault(carrier, []).extend(host.services)
    shared = [
        Shared(
            carrier, _form_of(snapshot, carrier), tuple(sorted(found, key=lambda one: (one.label, one.host)))
        )
        for carrier, found in standing.items()
        if len(found) > 1
    ]
    return tuple(sorted(shared, key=lambda one: (-len(one.services), one.carrier)))


def _form_of(snapshot: Snapshot, host: str) -> str:
    found = snapshot.host_by_name.get(host)
    return found.form if found else ""


def carriers(snapshot: Snapshot, host: HostFacts) -> tuple[str, ...]:
    """The hypervisor of *host*, that one's own, and so on outwards. A circle is followed once."""
    found: list[str] = []
    while host.hypervisor and host.hypervisor not in found and host.hypervisor in snapshot.host_by_name:
        found.append(host.hypervisor)
        host = snapshot.host_by_name[host.hypervisor]
    return tuple(found)


@dataclass(slots=True)
class _Server:
    """What one address does for the segments."""

    gateway_of: list[SegmentFacts] = field(default_factory=list)
    dns_of: list[SegmentFacts] = field(default_factory=list)
    boots: list[SegmentFacts] = field(default_factory=list)


class _Ground:
    """Who stands on whom, looked up once for a Snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.machines: dict[str, list[HostFacts]] = {}
        self.needed_by: dict[str, list[HostFacts]] = {}
        self.plugged: dict[str, list[InterfaceFacts]] = {}
        self.switches: dict[str, frozenset[str]] = {}
        self.aliases: dict[str, list[str]] = {}
        self.servers: dict[str, _Server] = {}
        self.booted: dict[str, list[InterfaceFacts]] = {}
        for host in snapshot.live_hosts:
            self._add(host)
        for alias in snapshot.aliases:
            self.aliases.setdefault(alias.service, []).append(alias.name)
        for segment in snapshot.segments:
            self._serve(segment)

    def _add(self, host: HostFacts) -> None:
        if host.hypervisor:
            self.machines.setdefault(host.hypervisor, []).append(host)
        for name in host.needs:
            self.needed_by.setdefault(name, []).append(host)
        wired = [interface for interface in host.interfaces if interface.switch]
        for interface in wired:
            self.plugged.setdefault(interface.switch or "", []).append(interface)
        if wired:
            self.switches[host.name] = frozenset(interface.switch or "" for interface in wired)
        for interface in host.interfaces:
            if interface.pxe_server:
                self.booted.setdefault(interface.pxe_server, []).append(interface)

    def _serve(self, segment: SegmentFacts) -> None:
        gateways = [address for address in (segment.gateway4, segment.gateway6) if address]
        for address in gateways:
            self._server(address).gateway_of.append(segment)
        for address in segment.dns_servers or gateways:
            self._server(address).dns_of.append(segment)
        if segment.next_server:
            self._server(segment.next_server).boots.append(segment)

    def _server(self, address: str) -> _Server:
        return self.servers.setdefault(address, _Server())

    def carries(self, host: HostFacts) -> bool:
        """False where nothing can fall with *host*; cheap."""
        return bool(
            host.services
            or host.name in self.machines
            or host.name in self.needed_by
            or host.name in self.plugged
            or self.is_bootstrap_node(host)
            or any(a in self.servers or a in self.booted for i in host.interfaces for a in i.addresses)
        )

    def is_bootstrap_node(self, host: HostFacts) -> bool:
        node = self.snapshot.bootstrap_host
        return node is not None and node.name == host.name


class _Falling:
    """One host falls, and what stands on it, breadth first."""

    def __init__(self, ground: _Ground, host: HostFacts) -> None:
        self.ground, self.host = ground, host
        #: fallen hosts, with how far away they are and whether they run
        self.down: dict[str, tuple[int, Effect]] = {host.name: (0, "down")}
        self.found: dict[str, Fallen] = {}

    def fate(self) -> Fate:
        waiting = deque([self.host])
        while waiting:
            host = waiting.popleft()
            depth, effect = self.down[host.name]
            for one in self._with(host, depth + 1, effect):
                self._note(one)
                if one.kind == "host" and one.effect != "degraded" and one.name not in self.down:
                    self.down[one.name] = (one.depth, one.effect)
                    waiting.append(self.ground.snapshot.host_by_name[one.name])
        self.found.pop(self.host.subject, None)  # in a circle it would be its own victim
        ordered = sorted(
            self.found.values(),
            key=lambda one: (one.depth, KINDS.index(one.kind), EFFECTS.index(one.effect), one.name),
        )
        return Fate(self.host.name, tuple(ordered))

    def _note(self, one: Fallen) -> None:
        """The first, nearest reason stays, unless a worse effect comes later."""
        before = self.found.get(one.subject)
        if before is None:
            self.found[one.subject] = one
        elif before.effect == "degraded" and one.effect == "degraded":
            if one.why not in before.why.split("; "):
                why = f"{before.why}; {one.why}"
                self.found[one.subject] = Fallen(
                    one.kind, one.name, one.effect, why, before.through, before.depth
                )
        elif EFFECTS.index(one.effect) < EFFECTS.index(before.effect):
            self.found[one.subject] = one

    def _with(self, host: HostFacts, depth: int, effect: Effect) -> Iterator[Fallen]:
        name = host.name
        for machine in self.ground.machines.get(name, ()):
            if machine.name not in self.down:
                yield Fallen("host", machine.name, effect, f"runs on {name}", name, depth)
        for needing in self.ground.needed_by.get(name, ()):
            if needing.name not in self.down:
                yield Fallen("host", needing.name, "degraded", f"needs {name}", name, depth)
        yield from self._behind_ports(name, depth)
        for service in host.services:
            subject = f"{service.label} on {name}"
            yield Fallen("service", subject, effect, f"runs on {name}", name, depth)
            for alias in self.ground.aliases.get(service.label, ()):
                yield Fallen("alias", alias, effect, f"points at {service.label}", subject, depth + 1)
        yield from self._served(host, depth)
        if self.ground.is_bootstrap_node(host):
            slug, authority = self.ground.snapshot.site.slug, self.ground.snapshot.authority
            serves = authority is not None and authority.mode == "bootstrap"
            why = f"loses its bootstrap node {name}{', which serves DHCP and DNS now' if serves else ''}"
            yield Fallen("site", slug, "degraded", why, name, depth)

    def _behind_ports(self, switch: str, depth: int) -> Iterator[Fallen]:
        """A host falls when every switch that it is known to hang on fell; else it loses a port."""
        for interface in self.ground.plugged.get(switch, ()):
            if interface.host in self.down:
                continue
            port = f"port {interface.switch_port} of {switch}" if interface.switch_port else switch
            if self.ground.switches[interface.host] <= self.down.keys():
                yield Fallen("host", interface.host, "cut off", f"hangs on {port}", switch, depth)
            else:
                why = f"loses {interface.name}, on {port}"
                yield Fallen("host", interface.host, "degraded", why, switch, depth)

    def _served(self, host: HostFacts, depth: int) -> Iterator[Fallen]:
        for interface in host.interfaces:
            for address in interface.addresses:
                server = self.ground.servers.get(address, _Server())
                for whys, segments in (
                    (f"loses its gateway {address}", server.gateway_of),
                    (f"loses the DNS server {address}", server.dns_of),
                    (f"loses its boot server {address}", server.boots),
                ):
                    for segment in segments:
                        yield Fallen("segment", segment.name, "degraded", whys, host.name, depth)
                for booted in self.ground.booted.get(address, ()):
                    if booted.host not in self.down:
                        why = f"{booted.name} boots from {address}"
                        yield Fallen("host", booted.host, "degraded", why, host.name, depth)
