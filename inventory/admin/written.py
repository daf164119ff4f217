"""What one change wrote, told by noun; as many queries for a thousand rows as for one."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import OuterRef, QuerySet, Subquery

from inventory.admin.history import Differences
from inventory.models import Change, Declared

#: An import may have written twenty thousand rows; a page shows so many of each noun.
SHOWN_PER_NOUN = 100


def written_in(change: Change) -> list[dict[str, Any]]:
    """The rows that *change* wrote, by noun: what each was called and what became different."""
    nouns = []
    for model in _declared_models():
        rows = model.history.model.objects.filter(change=change).order_by("history_id")
        found = list(_with_previous(rows)[: SHOWN_PER_NOUN + 1])
        if not found:
            continue
        more = rows.count() - SHOWN_PER_NOUN if len(found) > SHOWN_PER_NOUN else 0
        told = _told(model, found[:SHOWN_PER_NOUN])
        nouns.append({"name": str(model._meta.verbose_name_plural), "rows": told, "more": more})
    return nouns


def _declared_models() -> list[type[Declared]]:
    return [
        model
        for model in apps.get_models()
        if issubclass(model, Declared) and not model._meta.proxy and hasattr(model, "history")
    ]


def _with_previous(rows: QuerySet[Any]) -> QuerySet[Any]:
    earlier = rows.model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    newest = earlier.order_by("-history_id").values("history_id")[:1]
    return rows.annotate(previous_id=Subquery(newest))


def _told(model: type[Declared], rows: list[Any]) -> list[dict[str, Any]]:
    changed = [row.previous_id for row in rows if row.history_type == "~" and row.previous_id]
    before = model.history.model.objects.in_bulk(changed) if changed else {}
    instances = [row.instance for row in rows]
    _introduce_relatives(model, instances)
    return [
        {
            "name": _called(instance),
            "how": row.get_history_type_display().lower(),
            "differences": _differences(model, row, before.get(row.previous_id)),
        }
        for row, instance in zip(rows, instances, strict=True)
    ]


def _differences(model: type[Declared], row: Any, previous: Any) -> list[dict[str, Any]]:
    if previous is None or row.history_type != "~":
        return []
    delta = row.diff_against(previous, foreign_keys_are_objs=False)
    return Differences(model, row).context_for_delta_changes(delta)


def _introduce_relatives(model: type[Declared], instances: list[Any]) -> None:
    """Give each row the rows it refers to, for rows name themselves by their relatives (``pi01/eth0``)."""
    for field in model._meta.concrete_fields:
        if not field.is_relation:
            continue
        wanted = {getattr(one, field.attname) for one in instances} - {None}
        referred: Any = field.related_model
        related = referred._base_manager.in_bulk(wanted) if wanted else {}
        for one in instances:
            if relative := related.get(getattr(one, field.attname)):
                setattr(one, field.name, relative)


def _called(instance: Any) -> str:
    """The row's name as it was; one whose relatives are gone has at least its number."""
    try:
        return str(instance)
    except ObjectDoesNotExist:
        return f"number {instance.pk}"
