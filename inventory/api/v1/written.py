"""What one change wrote, as values; as many queries for two hundred rows as for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import OuterRef, Subquery

from inventory.differences import readable
from inventory.models import Change, Declared

#: An import may have written twenty thousand rows; an answer tells so many of each noun.
MOST_ROWS = 200
#: Columns that the application keeps for itself.
INTERNAL = frozenset({"written", "sealed", "zone_serials", "revision", "uid", "live_copy"})
WHAT = {"+": "added", "~": "changed", "-": "removed"}


def rows_written(change: Change) -> list[dict[str, Any]]:
    """The rows that *change* wrote: noun, id, name, what was done, and each field before and after.

    History outlives what was sealed since: ciphertext and what looks like a secret are not told, as in the browser.
    """
    found: list[dict[str, Any]] = []
    for model in apps.get_app_config("inventory").get_models():
        if issubclass(model, Declared) and not model._meta.proxy:
            found += _of_noun(model, change)
    return found


def _of_noun(model: type[Declared], change: Change) -> Iterator[dict[str, Any]]:
    history: Any = model.history.model
    earlier = history.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    newest = earlier.order_by("-history_id").values("history_id")[:1]
    rows = history.objects.filter(change=change).order_by("history_id").annotate(previous_id=Subquery(newest))
    written = list(rows[:MOST_ROWS])
    before = history.objects.in_bulk([row.previous_id for row in written if row.previous_id])
    instances = [row.instance for row in written]
    _introduce_relatives(model, instances)
    for row, instance in zip(written, instances, strict=True):
        previous = before.get(row.previous_id) if row.history_type == "~" else None
        yield {
            "noun": str(model._meta.model_name),
            "id": row.id,
            "name": _called(instance),
            "what": WHAT[row.history_type],
            "fields_changed": list(_fields(row, previous)) if previous else [],
        }


def _introduce_relatives(model: type[Declared], instances: list[Any]) -> None:
    """Rows name themselves by their relatives (``pi01/eth0``)."""
    for field in model._meta.concrete_fields:
        related: Any = field.related_model
        if not field.is_relation or not issubclass(related, Declared):
            continue
        wanted = {getattr(one, field.attname) for one in instances} - {None}
        rows = related._base_manager.in_bulk(wanted) if wanted else {}
        for one in instances:
            if relative := rows.get(getattr(one, field.attname)):
                setattr(one, field.name, relative)


def _called(instance: Any) -> str:
    try:
        return str(instance)
    except ObjectDoesNotExist:
        return f"number {instance.pk}"


def _fields(row: Any, previous: Any) -> Iterator[dict[str, Any]]:
    for field in row.tracked_fields:
        old, new = getattr(previous, field.attname), getattr(row, field.attname)
        if field.name not in INTERNAL and old != new:
            yield {
                "field": field.attname,
                "before": _plain(readable(old, field.name)),
                "after": _plain(readable(new, field.name)),
            }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | dict | list | None) else str(value)
