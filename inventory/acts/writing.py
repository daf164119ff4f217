"""The one way in which an act is carried out: its plan is made, compared with what was shown, and written in one change.

The plan is made outside of the door, of the Snapshot that everybody shares; inside, the site's revision says whether it
still is the plan. Nobody waits for a lock while ten thousand hosts are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from inventory import reading
from inventory.acts.literals import Literal, put
from inventory.acts.plan import Changed, Plan
from inventory.allocation.choosing import Refused
from inventory.allocation.patience import patiently
from inventory.changes import SiteChange, change
from inventory.models import Group, Host, Interface, Segment, Site
from inventory.snapshot import Snapshot

P = TypeVar("P", bound=Plan)
T = TypeVar("T")

ATTEMPTS = 5
TOO_BUSY = "Others changed the same site at the same moment, again and again; nothing was done. Try again."
SAY_WHY = "Say why; this is asked about later."


@dataclass(frozen=True, slots=True)
class Order:
    """Who has an act carried out, why, and from where; ``expected`` is the fingerprint that was shown."""

    by: Any
    why: str = ""
    source: str = "code"
    expected: str = ""


class _MovedOn(Exception):
    """The site has another revision than the one that the plan was made of."""


def carry_out(
    site: Site,
    order: Order,
    make: Callable[[Snapshot], P],
    write: Callable[[SiteChange, P], T],
    *,
    why_needed: bool = True,
) -> T:
    """Make the plan of the site as it is, see that it is the one that was shown, and write it in one change.

    Raises Changed with the new plan when it is another one; Refused with every problem; ValidationError for what the
    door refuses. Nothing is written then.
    """
    if why_needed and not order.why.strip():
        raise Refused(SAY_WHY)
    for _ in range(ATTEMPTS):
        snapshot = reading.load(site.slug)
        plan = make(snapshot)
        if order.expected and plan.fingerprint != order.expected:
            raise Changed(plan)
        plan.refuse()
        try:
            return patiently(partial(_in_one_change, site, order, snapshot, plan, write))
        except _MovedOn:
            continue
    raise Refused(TOO_BUSY)


def _in_one_change(
    site: Site, order: Order, snapshot: Snapshot, plan: P, write: Callable[[SiteChange, P], T]
) -> T:
    with change(site, by=order.by, why=order.why.strip(), source=order.source) as the_change:
        if reading.current(site.slug).revision != snapshot.revision:
            raise _MovedOn
        return write(the_change, plan)


# --- literals in variables ---

_MODELS: dict[str, Any] = {
    "site": Site,
    "segment": Segment,
    "host": Host,
    "interface": Interface,
    "group": Group,
    "profile": Group,
}


def write_literals(site: Site, chosen: list[Literal]) -> None:
    """Replace *chosen*. The caller holds the door; hosts still have their names of the plan."""
    rows: dict[tuple[str, str], Any] = {}
    for literal in chosen:
        key = literal.noun, literal.owner
        row = rows.setdefault(key, rows.get(key) or _row(site, literal))
        setattr(row, literal.column, put(getattr(row, literal.column), literal))
    for row in rows.values():
        row.save()


def _row(site: Site, literal: Literal) -> Any:
    model, name = _MODELS[literal.noun], literal.owner
    if literal.noun == "site":
        return Site.objects.get(pk=site.pk)
    if literal.noun == "interface":
        host, _, own = name.partition("/")
        return Interface.objects.get(host__site=site, host__name=host, name=own)
    only = {"kind": literal.noun} if model is Group else {}
    return model.objects.get(site=site, name=name, **only)
