"""History as people read it: who, when, why, to which revision, and what changed. Never a way to write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from inventory.admin.sited import is_id
from inventory.differences import as_text, readable
from inventory.models.fields import to_text

#: Columns that the application keeps for itself.
INTERNAL = frozenset({"written", "sealed", "zone_serials", "revision", "uid", "live_copy"})


class Differences(HistoricalRecordContextHelper):
    """What one version changed, in words."""

    def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]:
        told = [change for change in delta.changes if change.field not in INTERNAL]
        found: list[dict[str, Any]] = super().context_for_delta_changes(replace(delta, changes=told))
        return found

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        if isinstance(value, dict | list):
            return to_text(readable(value, change.field))
        field = self.model._meta.get_field(change.field)
        if field.is_relation and isinstance(value, int):
            return name_of(field, value)
        return readable(value, change.field)


class DoorHistory(SimpleHistoryAdmin):
    """History pages without “revert”: a row of long ago may contradict the site of today."""

    object_history_list_template = "admin/inventory/history_list.html"

    def get_history_queryset(self, request: Any, history_manager: Any, pk_name: str, object_id: Any) -> Any:
        rows = super().get_history_queryset(request, history_manager, pk_name, object_id)
        return rows.select_related("history_user", "change")

    def history_view(self, request: Any, object_id: str, extra_context: Any = None) -> HttpResponse:
        if not is_id(object_id):
            raise Http404(f"There is no {self.opts.verbose_name} of that number.")
        answer: HttpResponse = super().history_view(request, object_id, extra_context)
        return answer

    def get_historical_record_context_helper(self, request: Any, historical_record: Any) -> Differences:
        return Differences(self.model, historical_record)

    def revert_disabled(self, request: Any, obj: Any = None) -> bool:
        return True

    def history_form_view(
        self, request: Any, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The row as it was: a page to read, where simple-history has a form to send back."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied("History is read only; change the row itself.")
        versions = self.model.history.model.objects.select_related("change")
        ids = (object_id, version_id) if is_id(object_id) and is_id(version_id) else (None, None)
        version = get_object_or_404(versions, id=ids[0], history_id=ids[1])
        row = version.instance
        if not self.has_view_history_or_change_history_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"{row} as it was",
            "opts": self.opts,
            "original": row,
            "version": version,
            "facts": list(facts_of(version)),
        }
        return TemplateResponse(request, "admin/inventory/version.html", context)


def facts_of(version: Any) -> Iterator[tuple[str, str]]:
    """Yield the columns of one version by their names for people; what is empty is left out."""
    for field in version.tracked_fields:
        value = getattr(version, field.attname)
        if field.name in {*INTERNAL, "id"} or value in (None, "", {}, []):
            continue
        yield capfirst(str(field.verbose_name)), _shown(version, field, value)


def name_of(field: Any, pk: int) -> str:
    """What a reference of long ago refers to, as it is called now."""
    related = field.related_model._base_manager.filter(pk=pk).first()
    return str(related) if related else f"number {pk}, which is gone"


def _shown(version: Any, field: Any, value: Any) -> str:
    if isinstance(value, dict | list):
        return as_text(value, field.name)
    if field.is_relation:
        return name_of(field, value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(readable(value, field.name))
