"""Names that depart from the site's pattern, and service names that lead back to themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory import naming
from inventory.dns.names import host_label, service_label, zone_of
from inventory.findings import Finding
from inventory.rules.places import named
from inventory.snapshot import Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    yield from _departing(snapshot)
    yield from _loops(snapshot)


def _departing(snapshot: Snapshot) -> Iterator[Finding]:
    site = snapshot.site
    if not site.naming:
        return
    if errors := naming.check(site.naming):
        yield Finding(
            "naming-unusable",
            "error",
            f"site {site.slug}",
            f"has a naming pattern that cannot be used: {errors[0]}",
            "Correct the pattern; until then no name is judged and none is handed out.",
        )
        return
    for host in snapshot.live_hosts:
        if problem := naming.problem(site, host):
            yield Finding(
                "name-off-pattern",
                "warning",
                host.subject,
                f"has a name that departs from the site's pattern: {problem}",
                "Rename it when it is rebuilt; names from before the standard may be lowered until then.",
            )


def _loops(snapshot: Snapshot) -> Iterator[Finding]:
    """Chains of services whose host is known by no address, but by the name of a service again."""
    zone = zone_of(snapshot)
    if zone is None:
        return
    targets: dict[str, list[str]] = {}
    recorded: set[str] = set()
    for host in snapshot.live_hosts:
        own = host_label(zone, host)
        if own is None:
            continue
        if host.primary is not None and host.primary.a_record and host.primary.addresses:
            recorded.add(own)
        for service in host.services:
            label = service_label(zone, service)
            if label is not None and label != own:  # a service of its own host's name shadows it
                targets.setdefault(label, []).append(own)
    chains = {label: [t for t in own if t in targets and t not in recorded] for label, own in targets.items()}
    for loop in _cycles({label: ahead for label, ahead in chains.items() if ahead}):
        yield Finding(
            "cname-loop",
            "error",
            f"service {loop[0]}",
            f"leads back to itself: {' → '.join([*loop, loop[0]])}; none of {named(loop)} has an address.",
            "Give one of these hosts an address record under its own name, or rename the service that has a host's name.",
        )


def _cycles(ahead: dict[str, list[str]]) -> Iterator[list[str]]:
    """Each cycle once, from its first name in order."""
    done: set[str] = set()
    for start in sorted(ahead):
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in done and name not in path:
            path.append(name)
            name = next((following for following in ahead.get(name, ()) if following in ahead), None)
        if name is not None and name in path:
            loop = path[path.index(name) :]
            first = loop.index(min(loop))
            yield loop[first:] + loop[:first]
        done.update(path)
