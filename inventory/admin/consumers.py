"""Who takes exports: what each fetched and applied, and who is behind. Read-only; one that is gone can be deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from inventory.admin.filters import SiteFilter
from inventory.admin.log import ReadOnly
from inventory.admin.sited import Sited
from inventory.models import Consumer
from inventory.serving import consumers


class StateFilter(DropdownFilter):
    title = "state"
    parameter_name = "in_state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in consumers.STATES]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(state=self.value()) if self.value() else queryset


class FormatFilter(DropdownFilter):
    title = "format"
    parameter_name = "of_format"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        seen = model_admin.seen(Consumer.objects.all(), request)
        formats = seen.order_by("format").values_list("format", flat=True).distinct()
        return [(format, format) for format in formats]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(format=self.value()) if self.value() else queryset


@admin.register(Consumer)
class ConsumerAdmin(ReadOnly):
    list_display = ["named", "site", "taken", "shown_state", "fetched", "applied", "newest", "heard", "words"]
    list_select_related = ["site"]
    list_filter = [SiteFilter, FormatFilter, StateFilter]
    search_fields = ["name", "message"]
    search_help_text = "Name, or its own words"
    ordering = ["site__slug", "format", "name"]
    fields = [
        ("name", "site"),
        ("format", "variant"),
        ("shown_state", "newest"),
        ("fetched_at", "fetched_etag"),
        ("applied_at", "applied_etag"),
        ("ok", "message"),
        ("token", "first_seen"),
    ]
    readonly_fields = ["shown_state", "newest"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.seen(consumers.judged(), request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return Sited.has_delete_permission(self, request, obj)

    @display(description="name", ordering="name")
    def named(self, consumer: Any) -> str:
        return _cut(consumer.name, 30)

    @display(description="format", ordering="format")
    def taken(self, consumer: Any) -> str:
        return " ".join(filter(None, (consumer.format, consumer.variant)))

    @display(
        description="state",
        ordering="state",
        label={"current": "success", "behind": "warning", "failed": "danger", "silent": "info"},
    )
    def shown_state(self, consumer: Any) -> str:
        return str(consumer.state)

    @display(description="fetched", ordering=F("fetched_revision").asc(nulls_first=True))
    def fetched(self, consumer: Any) -> str:
        return _revision(consumer.fetched_revision)

    @display(description="applied", ordering=F("applied_revision").asc(nulls_first=True))
    def applied(self, consumer: Any) -> str:
        return _revision(consumer.applied_revision)

    @display(description="newest", ordering="newest_revision")
    def newest(self, consumer: Any) -> str:
        return _revision(consumer.newest_revision)

    @display(description="last seen", ordering="seen")
    def heard(self, consumer: Any) -> str:
        return f"{timesince(consumer.seen, depth=1)} ago"

    @display(description="its words")
    def words(self, consumer: Any) -> str:
        return _cut(consumer.message, 60)


def _cut(text: str, longest: int) -> str:
    """*text* so short that the table keeps its shape; the consumer's own page has all of it."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _revision(number: int | None) -> str:
    return "" if number is None else str(number)
