"""What the hypervisors of a site were seen to have. Who looks registers itself here; nothing of it is declared."""

from __future__ import annotations

from collections.abc import Callable, Collection

from inventory.allocation.choosing import Seen

#: each is asked with the name of a site; None: it has nothing to look at there
LOOKERS: list[Callable[[str], Seen | None]] = []


def seen(site: str, told: Collection[int] | None = None) -> Seen:
    """What all lookers saw at *site*, and the VMIDs that somebody *told* of: they are taken too, and replace no look."""
    found = [one for one in (look(site) for look in LOOKERS) if one is not None]
    return Seen(
        frozenset(told or ()).union(*(one.vmids for one in found)),
        bool(found) or told is not None,
        " ".join(one.unknown for one in found if one.unknown),
    )
