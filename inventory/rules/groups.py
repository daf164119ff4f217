"""Groups that nobody is in."""

from __future__ import annotations

from collections.abc import Iterable

from inventory.findings import Finding
from inventory.rules.places import named
from inventory.snapshot import GroupFacts, Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    """Once for the outermost group that is empty with all its children."""
    live = {host.name for host in snapshot.live_hosts}
    empty = {group.name for group in snapshot.groups if not live.intersection(group.hosts)}
    filled = {group.name for group in snapshot.groups} - empty
    parents: dict[str, list[str]] = {}
    for group in snapshot.groups:
        for child in group.children:
            parents.setdefault(child, []).append(group.name)
    climbing = list(filled)
    while climbing:
        for parent in parents.get(climbing.pop(), ()):
            if parent in empty:
                empty.discard(parent)
                climbing.append(parent)
    for group in snapshot.groups:
        if group.name in empty and not any(parent in empty for parent in parents.get(group.name, ())):
            yield _finding(group)


def _finding(group: GroupFacts) -> Finding:
    below = f", with {named(group.children)} below it" if group.children else ""
    return Finding(
        "group-empty",
        "info",
        f"group {group.name}",
        f"has no host that is in use{below}: plays for it do nothing.",
        "Put hosts into it, or remove it from the inventory.",
    )
