"""Which exports an act moves, on a site too large to be rendered twice while somebody waits. Pure.

Each host that changes is rendered with what its lines depend on (``inventory.contribution``), as it is and as it would be.
What other hosts' lines owe to it, such as values replaced in a group's variables, is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from inventory.acts.effects import Effect, effects
from inventory.contribution import Draft, drafted, reduced
from inventory.snapshot import Snapshot

#: So many hosts are looked at; a hypervisor that is renamed changes a line of each of its guests.
MOST = 4


def effects_nearby(before: Snapshot, after: Snapshot) -> tuple[Effect, ...]:
    """What differs in the lines of the hosts that change."""
    drafts = list(islice(_drafts(before, after), MOST))
    small = then = reduced(before, *drafts)
    for draft in drafts:
        then = drafted(then, draft)
    return effects(small, then)


def _drafts(before: Snapshot, after: Snapshot) -> Iterator[Draft]:
    """The hosts that differ; the one with another name first."""
    gone = [name for name in before.host_by_name if name not in after.host_by_name]
    for host in sorted(after.hosts, key=lambda one: one.name in before.host_by_name):
        known = before.host_by_name.get(host.name)
        if known is host or known == host:
            continue
        original = host.name if known else (gone[0] if gone else "")
        yield Draft(
            host,
            original,
            groups=[one.name for one in after.groups if host.name in one.hosts],
            profiles=[one.name for one in after.profiles if host.name in one.hosts],
        )
