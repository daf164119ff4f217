"""Small sites to be wrong in one thing: hosts in one segment, on the day TODAY."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from inventory.addressing import Range
from inventory.findings import Finding
from inventory.rules import judge
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot

TODAY = date(2030, 6, 15)
SITE = SiteFacts("lab", "example.net")
LAN = SegmentFacts(
    "lan", vlan=10, network4="192.0.2.0/24", gateway4="192.0.2.1", pool=Range("192.0.2.100", "192.0.2.200")
)


def judged(snapshot: Snapshot) -> Iterable[Finding]:
    return judge(snapshot, TODAY)


@dataclass(frozen=True)
class Pair:
    """A site that is wrong in one thing, and its twin in which just that is repaired."""

    wrong: Snapshot
    repaired: Snapshot
    #: who says it: the rules, or one export about itself
    said_by: Callable[[Snapshot], Iterable[Finding]] = judged


def card(host: str, ipv4: str | None = "192.0.2.10", name: str = "eth0", **more: Any) -> InterfaceFacts:
    """A static interface in lan with a record and a reservation, unless *more* says otherwise."""
    facts = {
        "mac": f"bc:24:11:00:00:{int((ipv4 or '0').split('.')[-1]):02x}",
        "segment": "lan",
        "addressing": "static" if ipv4 else "dhcp",
        "ipv4": ipv4,
        "a_record": bool(ipv4),
        "reservation": bool(ipv4),
    }
    return InterfaceFacts(host, name, **{**facts, **more})


def host(name: str = "h", *cards: InterfaceFacts, services: Iterable[str] = (), **more: Any) -> HostFacts:
    """*cards* empty: one of :func:`card`."""
    carried = [ServiceFacts(label.partition(".")[0], name, label.partition(".")[2]) for label in services]
    return HostFacts(name, interfaces=cards or (card(name),), services=tuple(carried), **more)


def with_card(**facts: Any) -> Snapshot:
    """A site of one host, whose one card has *facts*."""
    return of(host("h", card("h", **facts)))


def with_lan(*hosts: HostFacts, **facts: Any) -> Snapshot:
    """A site whose segment lan has *facts*."""
    return of(*(hosts or (host(),)), segments=(replace(LAN, **facts),))


def of(*hosts: HostFacts, site: SiteFacts = SITE, segments: Any = (LAN,), **more: Any) -> Snapshot:
    return Snapshot(site, segments=tuple(segments), hosts=hosts, **more)


def on_site(*hosts: HostFacts, **facts: Any) -> Snapshot:
    """A site with *facts* of its own."""
    return of(*(hosts or (host(),)), site=replace(SITE, **facts))
