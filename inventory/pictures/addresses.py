"""What is known of each address of a site, as marks, of which several may lie on one address. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from inventory.addressing import addresses_in
from inventory.numbers import number4, point
from inventory.snapshot import HostFacts, IdentityFacts, InterfaceFacts, SegmentFacts, Snapshot

State = Literal[
    "disputed",
    "gateway",
    "infrastructure",
    "reserved",
    "host",
    "quarantined",
    "edge",
    "delegated",
    "pool",
    "free",
    "outside",
]

#: Which state an address is shown in when several hold: the first of these. All of them are told.
PRECEDENCE: tuple[State, ...] = (
    "disputed",
    "gateway",
    "infrastructure",
    "reserved",
    "host",
    "quarantined",
    "edge",
    "delegated",
    "pool",
    "free",
    "outside",
)
RANK = {state: rank for rank, state in enumerate(PRECEDENCE)}


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that an address is. ``says`` is a phrase for people."""

    state: State
    says: str
    host: str = ""
    mac: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from ``first`` to ``last`` as numbers, both included, that somebody else hands out."""

    first: int
    last: int
    mark: Mark


@dataclass(frozen=True)
class Addresses:
    """``marks`` by address; ``numbers`` are those addresses in order; ``spans`` are pools and delegated ranges."""

    marks: dict[int, tuple[Mark, ...]] = field(default_factory=dict)
    numbers: tuple[int, ...] = ()
    spans: tuple[Span, ...] = ()

    def between(self, first: int, last: int) -> tuple[int, ...]:
        """The marked addresses from *first* to *last*, both included."""
        return self.numbers[bisect_left(self.numbers, first) : bisect_right(self.numbers, last)]

    def count(self, first: int, last: int) -> int:
        return bisect_right(self.numbers, last) - bisect_left(self.numbers, first)


def addresses_of(snapshot: Snapshot) -> Addresses:
    """The IPv4 ones. Computed once for each Snapshot."""
    return snapshot.once(_of_both_families)[0]


def addresses6_of(snapshot: Snapshot) -> Addresses:
    """The IPv6 ones, without ranges. Computed once for each Snapshot."""
    return snapshot.once(_of_both_families)[1]


def _of_both_families(snapshot: Snapshot) -> tuple[Addresses, Addresses]:
    four: dict[int, list[Mark]] = {}
    six: dict[int, list[Mark]] = {}
    for address, mark in _marks(snapshot):
        found = point(address)
        if found is not None:
            (four if found.version == 4 else six).setdefault(found.number, []).append(mark)
    spans = sorted(_spans(snapshot.segments), key=lambda span: (span.first, span.last, span.mark.says))
    return _in_order(four, tuple(spans)), _in_order(six, ())


def _in_order(marks: dict[int, list[Mark]], spans: tuple[Span, ...]) -> Addresses:
    ordered = {number: by_precedence(found) for number, found in marks.items()}
    return Addresses(ordered, tuple(sorted(ordered)), spans)


def by_precedence(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    return tuple(sorted(dict.fromkeys(marks), key=lambda mark: RANK[mark.state]))


def _marks(snapshot: Snapshot) -> Iterator[tuple[str, Mark]]:
    yield from _of_segments(snapshot.segments)
    for identity in snapshot.identities:
        if identity.kind == "ip":
            yield identity.value, _of_identity(identity)
    known = {identity.value for identity in snapshot.identities if identity.state == "disputed"}
    for (kind, value), hosts in snapshot.claimants.items():
        if kind == "ip" and value not in known:
            yield value, Mark("disputed", f"claimed by {' and '.join(hosts)}")
    for host in snapshot.live_hosts:
        yield from _of_host(host)


def _of_identity(identity: IdentityFacts) -> Mark:
    """Of what the ledger withholds: in quarantine, or disputed."""
    says = f"quarantined, given up by {identity.host}" if identity.state == "quarantined" else "disputed"
    state: State = "quarantined" if identity.state == "quarantined" else "disputed"
    return Mark(state, says, identity.host, "", identity.since, identity.until)


def _of_segments(segments: tuple[SegmentFacts, ...]) -> Iterator[tuple[str, Mark]]:
    for segment in segments:
        for gateway in (segment.gateway4, segment.gateway6):
            if gateway:
                yield gateway, Mark("gateway", f"gateway of {segment.name}")
        if segment.next_server:
            yield segment.next_server, Mark("infrastructure", f"boot server of {segment.name}")
        for server in segment.dns_servers:
            yield server, Mark("infrastructure", f"DNS server of {segment.name}")


def _of_host(host: HostFacts) -> Iterator[tuple[str, Mark]]:
    for interface in host.interfaces:
        if interface.ipv4:
            yield interface.ipv4, _of_interface(interface)
        for address in interface.ipv6:
            yield address, Mark("host", _named(interface), interface.host, interface.mac or "")
        if interface.bootstrap_ipv4:
            says = f"address of {host.name}/{interface.name} in bootstrap mode"
            yield interface.bootstrap_ipv4, Mark("infrastructure", says, host.name, interface.mac or "")
        if interface.pxe_server:
            yield interface.pxe_server, Mark("infrastructure", "boot server")
    for text in addresses_in(host.out_of_band):
        yield text, Mark("infrastructure", f"out-of-band access of {host.name}", host.name)


def _of_interface(interface: InterfaceFacts) -> Mark:
    name, mac = _named(interface), interface.mac or ""
    if interface.reservation:
        return Mark("reserved", f"{name}, with a DHCP reservation", interface.host, mac)
    return Mark("host", name, interface.host, mac)


def _named(interface: InterfaceFacts) -> str:
    return f"{interface.host}/{interface.name}"


def _spans(segments: tuple[SegmentFacts, ...]) -> Iterator[Span]:
    for segment in segments:
        ranges = [(segment.pool, "pool", f"DHCP pool of {segment.name}")] if segment.pool else []
        ranges += [
            (span, "delegated", f"delegated to others by {segment.name}") for span in segment.delegated
        ]
        for span, state, says in ranges:
            first, last = number4(span.first), number4(span.last)
            if first is not None and last is not None and first <= last:
                yield Span(first, last, Mark(state, says))  # type: ignore[arg-type]
