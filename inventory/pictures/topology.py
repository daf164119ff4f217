"""What is chosen for the picture of a site: routers, switches, and hosts by segment, in full or as counts. Pure.

``inventory.pictures.drawing`` gives it places. At most :data:`DRAWN` hosts are drawn one by one; where there are more, the
fullest segments are shown as counts until the rest fits, and are opened by the filter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from inventory.pictures.fate import carriers
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot

#: as many hosts are drawn one by one
DRAWN = 500
#: hosts in no segment are shown under this
NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; empty fields ask for everything."""

    segment: str | None = None
    plane: str = ""
    form: str = ""
    status: str = ""
    hypervisor: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Wanted()

    @property
    def is_plain(self) -> bool:
        """Whether all machines of a hypervisor that is shown are wanted."""
        return self in (Wanted(), Wanted(segment=self.segment))


@dataclass(frozen=True, slots=True)
class Machine:
    """A host as it is drawn: where it is, and what stands on it."""

    host: HostFacts
    address: str = ""
    #: its segment, where that is not the one that it is drawn in
    elsewhere: str = ""
    #: other segments that it has a leg in
    legs: tuple[str, ...] = ()
    #: switch and port of its wires
    ports: tuple[str, ...] = ()
    guests: tuple[Machine, ...] = ()
    #: machines on it that are not drawn
    more: int = 0
    #: its hypervisor, where it is not drawn inside it
    on: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A virtual machine of the segment that is drawn inside its hypervisor, in another segment."""

    host: str
    inside: str


@dataclass(frozen=True, slots=True)
class Band:
    """A segment with what lies in it. ``segment`` is None for hosts without one."""

    segment: SegmentFacts | None
    #: of the hosts that the filter leaves
    number: int
    forms: tuple[tuple[str, int], ...] = ()
    machines: tuple[Machine, ...] = ()
    references: tuple[Reference, ...] = ()
    #: hosts that have its gateway address
    routers: tuple[str, ...] = ()
    #: hosts that are not drawn, beyond the limit
    left_out: int = 0
    collapsed: bool = False

    @property
    def name(self) -> str:
        return self.segment.name if self.segment else NOWHERE


@dataclass(frozen=True, slots=True)
class Port:
    """What is plugged into one port of a switch; ``label`` may be empty."""

    label: str
    host: str
    interface: str


@dataclass(frozen=True, slots=True)
class Switch:
    host: HostFacts | None
    name: str
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True)
class Topology:
    """Bands in order of VLAN; hosts without a segment last."""

    routers: tuple[Machine, ...] = ()
    switches: tuple[Switch, ...] = ()
    bands: tuple[Band, ...] = ()
    number: int = 0

    @property
    def is_collapsed(self) -> bool:
        return any(band.collapsed or band.left_out for band in self.bands)


def topology(snapshot: Snapshot, wanted: Wanted = Wanted()) -> Topology:
    """The picture without a filter is computed once for each Snapshot."""
    return snapshot.once(_whole) if wanted.is_empty else _Choosing(snapshot, wanted).topology()


def _whole(snapshot: Snapshot) -> Topology:
    return _Choosing(snapshot, Wanted()).topology()


def choices(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """What a filter can ask for. Computed once for each Snapshot."""
    return snapshot.once(_choices)


def _choices(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    return {
        "segment": tuple(segment.name for segment in snapshot.segments),
        **{
            name: tuple(sorted({getattr(host, name) for host in snapshot.hosts} - {""}))
            for name in ("plane", "form", "status")
        },
    }


class _Choosing:
    """``drawn`` are the hosts that are shown one by one; a guest stands inside its hypervisor if that one is drawn."""

    def __init__(self, snapshot: Snapshot, wanted: Wanted) -> None:
        self.snapshot, self.wanted = snapshot, wanted
        self.homes, self.owners = snapshot.once(_homes), snapshot.once(_owners_of_gateways)
        self.by_home: dict[str, list[HostFacts]] = {}
        self.by_carrier: dict[str, list[HostFacts]] = {}
        for host in snapshot.hosts:
            if self._is_wanted(host):
                self.by_home.setdefault(self.homes[host.name], []).append(host)
        self.shown = self._segments()
        self.collapsed = self._collapsed()
        self.drawn: dict[str, HostFacts] = {}
        for name in self.shown:
            if name not in self.collapsed:
                self.drawn |= {host.name: host for host in self.by_home.get(name, [])[:DRAWN]}
        for host in self.drawn.values():
            if self._has_carrier(host):
                self.by_carrier.setdefault(host.hypervisor, []).append(host)

    def topology(self) -> Topology:
        routers, switches = self._routers(), self._switches()
        at_top = {one.host.name for one in routers} | {one.name for one in switches}
        bands = tuple(self._band(name, at_top - self.by_carrier.keys()) for name in self.shown)
        return Topology(routers, switches, bands, sum(band.number for band in bands))

    # --- which ---

    def _is_wanted(self, host: HostFacts) -> bool:
        wanted = self.wanted
        if host.is_retired if not wanted.status else host.status != wanted.status:
            return False
        if wanted.hypervisor and wanted.hypervisor not in (host.name, host.hypervisor):
            return False
        return wanted.plane in ("", host.plane) and wanted.form in ("", host.form)

    def _segments(self) -> list[str]:
        """Names in order of VLAN; only those that are asked for, and with a filter only those with hosts."""
        ordered = sorted(self.snapshot.segments, key=lambda one: (one.vlan is None, one.vlan or 0, one.name))
        names = [one.name for one in ordered] + ([NOWHERE] if self.by_home.get(NOWHERE) else [])
        if self.wanted.segment is not None:
            return [name for name in names if name == self.wanted.segment]
        return names if self.wanted.is_empty else [name for name in names if self.by_home.get(name)]

    def _collapsed(self) -> frozenset[str]:
        """The fullest segments, until the rest fits. One that is alone is cut instead."""
        sizes = {name: len(self.by_home.get(name, ())) for name in self.shown}
        total, collapsed = sum(sizes.values()), set()
        for name, size in sorted(sizes.items(), key=lambda one: (-one[1], one[0])):
            if total <= DRAWN or len(sizes) == 1:
                break
            collapsed.add(name)
            total -= size
        return frozenset(collapsed)

    def _has_carrier(self, host: HostFacts) -> bool:
        return host.hypervisor in self.drawn and not self._in_circle(host)

    def _in_circle(self, host: HostFacts) -> bool:
        """Whether hypervisors lead back to *host*: nobody is drawn inside himself."""
        return host.name in carriers(self.snapshot, host)

    # --- parts ---

    def _band(self, name: str, at_top: set[str]) -> Band:
        hosts = self.by_home.get(name, [])
        segment = self.snapshot.segment_by_name.get(name)
        forms = tuple(sorted(Counter(host.form for host in hosts).items(), key=lambda one: (-one[1], one[0])))
        routers = self.owners.get(name, ())
        if name in self.collapsed:
            return Band(segment, len(hosts), forms, routers=routers, collapsed=True)
        here = [host for host in hosts if host.name in self.drawn and host.name not in at_top]
        return Band(
            segment,
            len(hosts),
            forms,
            tuple(self._machine(host, name) for host in here if not self._has_carrier(host)),
            tuple(
                Reference(host.name, host.hypervisor)
                for host in here
                if self._has_carrier(host) and self.homes[self._outermost(host)] != name
            ),
            routers,
            sum(host.name not in self.drawn for host in hosts),
        )

    def _outermost(self, host: HostFacts) -> str:
        """The host in whose box, or in the boxes inside it, *host* is drawn."""
        while self._has_carrier(host):
            host = self.drawn[host.hypervisor]
        return host.name

    def _machine(self, host: HostFacts, band: str) -> Machine:
        inside = self.by_carrier.get(host.name, [])
        guests = tuple(self._machine(guest, band) for guest in inside)
        carried = (
            self.snapshot.once(_numbers_carried).get(host.name, 0) if self.wanted.is_plain else len(inside)
        )
        return self._described(host, band, guests, max(carried - len(inside), 0))

    def _described(
        self, host: HostFacts, band: str, guests: tuple[Machine, ...] = (), more: int = 0
    ) -> Machine:
        home = self.homes[host.name]
        legs = dict.fromkeys(
            i.segment for i in host.interfaces if i.segment and i.segment not in (home, band)
        )
        wires = [f"{i.switch} {i.switch_port}".strip() for i in host.interfaces if i.switch]
        main = _main(host)
        return Machine(
            host,
            next(iter(main.addresses), "") if main else "",
            home if home != band else "",
            tuple(legs),
            tuple(wires),
            guests,
            more,
            host.hypervisor if host.hypervisor and not self._has_carrier(host) else "",
        )

    def _routers(self) -> tuple[Machine, ...]:
        """Hosts that have the gateway of a segment that is shown; with nothing asked for, those of form rt too."""
        owners = {router for name in self.shown for router in self.owners.get(name, ())}
        return tuple(
            self._described(host, self.homes[host.name])
            for host in self.snapshot.live_hosts
            if host.name in owners or (host.form == "rt" and self.wanted.is_empty)
        )

    def _switches(self) -> tuple[Switch, ...]:
        """What ports of hosts name, with these hosts; with nothing asked for, all hosts of form sw too."""
        plugged: dict[str, list[Port]] = {}
        shown = {host.name for name in self.shown for host in self.by_home.get(name, ())}
        for interface in self.snapshot.once(_wired):
            if interface.host in shown:
                port = Port(interface.switch_port, interface.host, interface.name)
                plugged.setdefault(interface.switch or "", []).append(port)
        known = {host.name for host in self.snapshot.live_hosts if host.form == "sw"}
        return tuple(
            Switch(
                self.snapshot.host_by_name.get(name),
                name,
                tuple(sorted(plugged.get(name, ()), key=lambda port: (_number(port.label), port.host))),
            )
            for name in sorted(plugged.keys() | (known if self.wanted.is_empty else set()))
        )


def _main(host: HostFacts) -> InterfaceFacts | None:
    return host.primary or next((one for one in host.interfaces if one.segment), None)


def _homes(snapshot: Snapshot) -> dict[str, str]:
    """Host → the segment that it is drawn in: its primary interface's, else the first that it has."""
    found = {}
    for host in snapshot.hosts:
        named = [main.segment] if (main := _main(host)) and main.segment else []
        named += [interface.segment for interface in host.interfaces if interface.segment]
        found[host.name] = named[0] if named else NOWHERE
    return found


def _owners_of_gateways(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Segment → the hosts that have its gateway's address."""
    wanted: dict[str, list[str]] = {}
    for segment in snapshot.segments:
        for address in (segment.gateway4, segment.gateway6):
            if address:
                wanted.setdefault(address, []).append(segment.name)
    found: dict[str, set[str]] = {}
    for interface in snapshot.live_interfaces:
        for address in interface.addresses:
            for name in wanted.get(address, ()):
                found.setdefault(name, set()).add(interface.host)
    return {name: tuple(sorted(hosts)) for name, hosts in found.items()}


def _numbers_carried(snapshot: Snapshot) -> Counter[str]:
    return Counter(host.hypervisor for host in snapshot.live_hosts if host.hypervisor)


def _wired(snapshot: Snapshot) -> tuple[InterfaceFacts, ...]:
    return tuple(interface for interface in snapshot.live_interfaces if interface.switch)


def _number(label: str) -> tuple[int, int, str]:
    """Ports as people count them: 2 before 10, names after numbers."""
    return (0, int(label), "") if label.isascii() and label.isdecimal() else (1, 0, label)
