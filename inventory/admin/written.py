"""What one change wrote, told by noun; as many queries for a thousand rows as for one."""

from __future__ import annotations

from collections import Counter

from inventory.admin.told import SHOWN_PER_NOUN, Item, Noun, told
from inventory.models import Change
from inventory.undoing.gathering import gather, numbers


def written_in(change: Change) -> list[Noun]:
    """The rows that *change* wrote, by noun: what each was called and what became different."""
    rows = gather([change], most=SHOWN_PER_NOUN + 1)
    items = [Item(row, row.before, row.after) for row in rows]
    most = max(Counter(row.noun.name for row in rows).values(), default=0)
    return told(items, numbers=numbers([change]) if most > SHOWN_PER_NOUN else None)
