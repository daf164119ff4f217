"""What people declared hosts to need, where it cannot be kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from inventory.findings import Finding
from inventory.recovery.order import carried, everything
from inventory.snapshot import Snapshot

Needs = Mapping[str, tuple[str, ...]]


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    yield from _retired(snapshot)
    yield from _circles(snapshot)
    yield from _carried(snapshot)


def _carried(snapshot: Snapshot) -> Iterator[Finding]:
    """Needs that every plan leaves out: who is needed stands on who needs it."""
    below = carried(snapshot)
    for host in snapshot.live_hosts:
        for name in host.needs:
            if name in below and name != host.name and host.name in everything(below, name):
                yield Finding(
                    "need-carried",
                    "warning",
                    host.subject,
                    f"needs {name}, which cannot run without it: it runs on it or is plugged into it, directly or not.",
                    "Take the need out, or let what is needed stand elsewhere; until then no plan keeps it.",
                )


def _retired(snapshot: Snapshot) -> Iterator[Finding]:
    for host in snapshot.live_hosts:
        for name in host.needs:
            needed = snapshot.host_by_name.get(name)
            if needed is not None and needed.is_retired:
                yield Finding(
                    "need-retired",
                    "warning",
                    host.subject,
                    f"needs {name}, which is retired.",
                    "Name the host that took its place, or take the need out.",
                )


def _circles(snapshot: Snapshot) -> Iterator[Finding]:
    """Each host is told of in one circle; another through the same host is told once that one is gone."""
    live = {host.name for host in snapshot.live_hosts}
    needs = {
        host.name: tuple(n for n in host.needs if n in live) for host in snapshot.live_hosts if host.needs
    }
    told: set[str] = set()
    for name in sorted(needs):
        way = () if name in told else _way_back(needs, name)
        if not way or not told.isdisjoint(way):
            continue
        told.update(way)
        yield Finding(
            "need-circle",
            "warning",
            f"host {name}",
            f"needs what needs it in turn: {' → '.join((name, *way))}.",
            "Take out the need that the site can start without; until then one of them gives way in every plan.",
        )


def _way_back(needs: Needs, start: str) -> tuple[str, ...]:
    """The hosts of the shortest way along *needs* from *start* to itself, which is last; empty: there is none."""
    ways: dict[str, tuple[str, ...]] = {start: ()}
    open_ = [start]
    for name in open_:
        for needed in needs.get(name, ()):
            if needed == start:
                return (*ways[name], start)
            if needed not in ways:
                ways[needed] = (*ways[name], needed)
                open_.append(needed)
    return ()
