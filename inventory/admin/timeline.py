"""The history of a host: every change that wrote it, its interfaces, needs, services or memberships, newest first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery

from inventory.admin.told import Item, Noun, names_of, told
from inventory.models import (
    Change,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    Membership,
    Service,
    VirtualMachine,
)
from inventory.undoing.gathering import called, introduce, noun_of, values_of
from inventory.undoing.plan import Touched

#: (model, column that names the host)
OF_HOST = [
    (Host, "id"),
    *((part, "host_id") for part in (Interface, HostNeed, Service, Hypervisor, VirtualMachine, Membership)),
]
CHANGES_SHOWN = 40


@dataclass(frozen=True)
class Moment:
    """One change, and what it did to the host and its parts."""

    change: Change
    nouns: list[Noun]


def timeline(host_id: int) -> list[Moment]:
    """The newest changes of the host; a fixed number of queries."""
    histories = [
        (model, model.history.model.objects.filter(**{column: host_id})) for model, column in OF_HOST
    ]
    ids: set[int] = set()
    for _, rows in histories:
        newest = rows.exclude(change=None).order_by("-history_id").values_list("change_id", flat=True)
        ids.update(newest[: CHANGES_SHOWN * 5])
    changes = list(Change.objects.filter(pk__in=ids).order_by("-at", "-pk")[:CHANGES_SHOWN])
    items: dict[int, list[Item]] = defaultdict(list)
    for model, rows in histories:
        for change_id, item in _items(model, rows.filter(change__in=changes)):
            items[change_id].append(item)
    names = names_of([item for mine in items.values() for item in mine])
    return [Moment(one, told(items[one.pk], names=names)) for one in changes]


def _items(model: Any, rows: Any) -> list[tuple[int, Item]]:
    earlier = model.history.model.objects.filter(
        id=OuterRef("id"), history_id__lt=OuterRef("history_id")
    ).order_by("-history_id")
    entries = list(
        rows.annotate(previous_id=Subquery(earlier.values("history_id")[:1])).order_by("history_id")
    )
    before = model.history.model.objects.in_bulk([row.previous_id for row in entries if row.previous_id])
    instances = [row.instance for row in entries]
    introduce(model, instances)
    found = []
    for row, instance in zip(entries, instances, strict=True):
        new = None if row.history_type == "-" else values_of(row, model)
        base = before.get(row.previous_id, row)
        old = None if row.history_type == "+" else values_of(base, model)
        if old != new:
            found.append(
                (
                    row.change_id,
                    Item(Touched(noun_of(model), row.id, called(instance), old, new, None), old, new),
                )
            )
    return found
