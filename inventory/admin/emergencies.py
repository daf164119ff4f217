"""Uses of the emergency access: recorded when it was used, ticked off when it was tidied up after."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.admin.forms import DoorForm
from inventory.copying import copies
from inventory.models import EmergencyUse

OPEN, DONE = "open", "tidied up"


def _say_where(request: HttpRequest) -> None:
    """A copy that is read-only keeps no use, and that is when the access is used: say where it is written down."""
    if request.method == "GET" and any(one.is_read_only for one in copies.troubles()):
        messages.warning(
            request,
            "While this copy is read-only it records no use. Write who, when and why on the printed kit, at “Emergency "
            "access”, and record it once a copy is live: “when” may be long ago.",
        )


class EmergencyUseForm(DoorForm):
    why = forms.CharField(
        label="Reason",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=EmergencyUse._meta.get_field("why").help_text,
    )

    class Meta:
        model = EmergencyUse
        exclude = ()


@admin.register(EmergencyUse)
class EmergencyUseAdmin(DoorAdmin):
    form = EmergencyUseForm
    list_display = ["at", "site", "who", "shown_state", "why", "done_by"]
    list_select_related = ["site"]
    list_filter = [SiteFilter]
    search_fields = ["who", "why", "done_by"]
    search_help_text = "Who or reason"
    ordering = ["-at", "-id"]
    fields = ["site", "who", "at", "why", "done_at", "done_by"]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        _say_where(request)
        return super().add_view(request, form_url, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        _say_where(request)
        return super().changelist_view(request, extra_context)

    @display(description="state", ordering="done_at", label={OPEN: "warning", DONE: "success"})
    def shown_state(self, use: EmergencyUse) -> str:
        return DONE if use.done_at else OPEN
