"""Severities that people lower for a while: with a reason, until a day, one finding or one subject of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.admin.forms import DoorForm
from inventory.models import SeverityOverride
from inventory.rules.catalogue import CATALOGUE
from inventory.rules.lowering import OWN


def _choices() -> list[tuple[str, str]]:
    lowerable = sorted(set(CATALOGUE) - OWN)
    return [
        ("", "---------"),
        *((finding, f"{finding}: {CATALOGUE[finding].title}") for finding in lowerable),
    ]


class OverrideForm(DoorForm):
    finding = forms.ChoiceField(choices=_choices, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(
        label="Reason",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=SeverityOverride._meta.get_field("why").help_text,
    )

    class Meta:
        model = SeverityOverride
        exclude = ()


@admin.register(SeverityOverride)
class SeverityOverrideAdmin(DoorAdmin):
    form = OverrideForm
    list_display = ["finding", "shown_subject", "site", "severity", "last_day", "why", "by"]
    list_select_related = ["site"]
    list_filter = [SiteFilter, ("severity", ChoicesDropdownFilter)]
    search_fields = ["finding", "subject", "why"]
    search_help_text = "Finding, subject or reason"
    ordering = ["site__slug", "finding", "subject"]
    fields = ["site", "finding", "subject", "severity", "expires", "why"]

    def get_queryset(self, request: HttpRequest) -> Any:
        newest = SeverityOverride.history.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id")
        rows: Any = super().get_queryset(request)
        return rows.annotate(by_name=Subquery(newest.values("change__by_name")[:1]))

    @display(description="subject", ordering="subject")
    def shown_subject(self, override: SeverityOverride) -> str:
        return override.subject or "wherever it occurs"

    @display(description="until", ordering="expires")
    def last_day(self, override: SeverityOverride) -> str:
        over = " (over)" if override.expires < timezone.localdate() else ""
        return f"{override.expires:%Y-%m-%d}{over}"

    @display(description="by", ordering="by_name")
    def by(self, override: Any) -> str:
        return override.by_name or "-"
