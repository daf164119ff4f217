"""Ways in that are not what they are declared for: second ways that cross what the first one crosses, open emergencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory.exports.known_hosts import shared
from inventory.findings import Finding
from inventory.pictures.fate import carriers
from inventory.recovery.power import not_started, unwakeable
from inventory.snapshot import HostFacts, Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    yield from shared(snapshot)
    yield from _same_switch(snapshot)
    yield from _relays(snapshot)
    yield from _unwakeable(snapshot)
    yield from _not_started(snapshot)
    yield from _open_uses(snapshot)


def _same_switch(snapshot: Snapshot) -> Iterator[Finding]:
    for segment in snapshot.segments:
        first = snapshot.host_by_name.get(segment.jump_host)
        second = snapshot.host_by_name.get(segment.jump_alternative)
        if first is None or second is None:
            continue
        for switch in sorted(_switches(snapshot, first) & _switches(snapshot, second)):
            yield Finding(
                "jump-alternative-same-switch",
                "warning",
                f"segment {segment.name}",
                f"has two ways in, {first.name} and {second.name}, and both cross {switch}.",
                "Plug the second one in elsewhere, or name a host with a way of its own, such as one on a mobile network.",
            )


def _switches(snapshot: Snapshot, host: HostFacts) -> set[str]:
    """The switches that *host*, or the machine that it runs on, is plugged into."""
    names = {host.name, *carriers(snapshot, host)}
    machines = [snapshot.host_by_name[name] for name in names if name in snapshot.host_by_name]
    return {card.switch for machine in machines for card in machine.interfaces if card.switch}


def _relays(snapshot: Snapshot) -> Iterator[Finding]:
    for segment in snapshot.segments:
        relay = snapshot.host_by_name.get(segment.wake_relay)
        if relay is None or any(card.segment == segment.name for card in relay.interfaces):
            continue
        yield Finding(
            "wake-relay-elsewhere",
            "warning",
            f"segment {segment.name}",
            f"has {relay.name} as its Wake-on-LAN relay, which has no interface on it: the packet does not get there.",
            "Name a host with an interface on the segment.",
        )


def _unwakeable(snapshot: Snapshot) -> Iterator[Finding]:
    if not any(segment.wake_relay for segment in snapshot.segments):
        return
    for name, relay in sorted(unwakeable(snapshot).items()):
        yield Finding(
            "wake-relay-waits",
            "warning",
            f"host {name}",
            f"is woken by {relay}, which is not up before it: it runs on it, or is reached through it.",
            "Name another relay for the segment, or declare how people switch the host on; until then that is by hand.",
        )


def _not_started(snapshot: Snapshot) -> Iterator[Finding]:
    if all(host.machine is None or host.machine.start_on_boot for host in snapshot.live_hosts):
        return
    for jump, name in sorted(not_started(snapshot).items()):
        yield Finding(
            "jump-host-not-on-boot",
            "warning",
            f"host {jump}",
            f"leads to {name}, which carries it and does not start it when it boots: after an outage nobody gets in.",
            "Have it started on boot, or declare a way to the hypervisor that does not cross its own machines.",
        )


def _open_uses(snapshot: Snapshot) -> Iterator[Finding]:
    for use in snapshot.emergency_uses:
        if use.is_open:
            yield Finding(
                "emergency-use-open",
                "warning",
                f"emergency access by {use.who} at {use.at[:16]}",
                "was used, and nobody said that what is to be done after it is done.",
                "Do it, and enter when it was done at Uses of the emergency access.",
            )
