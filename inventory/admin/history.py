"""History as people read it: who, when, why, to which revision, and what changed. Never a way to write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from inventory.models.fields import to_text

#: Columns that the application keeps for itself.
INTERNAL = frozenset({"written", "sealed", "zone_serials", "revision", "uid"})


class Differences(HistoricalRecordContextHelper):
    """What one version changed, in words."""

    def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]:
        told = [change for change in delta.changes if change.field not in INTERNAL]
        found: list[dict[str, Any]] = super().context_for_delta_changes(replace(delta, changes=told))
        return found

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        return to_text(value) if isinstance(value, dict | list) else value


class DoorHistory(SimpleHistoryAdmin):
    """History pages without “revert”: a row of long ago may contradict the site of today."""

    object_history_list_template = "admin/inventory/history_list.html"

    def get_history_queryset(self, request: Any, history_manager: Any, pk_name: str, object_id: Any) -> Any:
        rows = super().get_history_queryset(request, history_manager, pk_name, object_id)
        return rows.select_related("history_user", "change")

    def get_historical_record_context_helper(self, request: Any, historical_record: Any) -> Differences:
        return Differences(self.model, historical_record)

    def revert_disabled(self, request: Any, obj: Any = None) -> bool:
        return True

    def history_form_view(
        self, request: Any, object_id: str, version_id: str, extra_context: Any = None
    ) -> Any:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied("History is read only; change the row itself.")
        return super().history_form_view(request, object_id, version_id, extra_context)
