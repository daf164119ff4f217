"""The list of changes: who wrote what when and why, narrowed as people ask for it; and the page of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from inventory.admin.filters import SiteFilter
from inventory.admin.lists import LeanChangeList
from inventory.admin.log import ReadOnly, iso
from inventory.admin.moments import SINCE, moment_of
from inventory.admin.timeline import OF_HOST
from inventory.admin.undoing import undo_address
from inventory.admin.written import written_in
from inventory.models import (
    Change,
    Host,
)
from inventory.permissions import visible_sites, within
from inventory.undoing.gathering import models

#: so many sites have a link of their own above the list
MOST_SITES = 8


class PersonFilter(DropdownFilter):
    title = "who"
    parameter_name = "by"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        seen = within(Change.objects.all(), request.user, "inventory.view_change").order_by("by_name")
        return [(name, name) for name in seen.values_list("by_name", flat=True).distinct() if name]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(by_name=self.value()) if self.value() else queryset


class SinceFilter(DropdownFilter):
    """Changes from a moment on; the address takes any date as well."""

    title = "since"
    parameter_name = "since"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        given = request.GET.get(self.parameter_name, "")
        known = list(SINCE)
        return known if given in dict(known) or not moment_of(given) else [*known, (given, given)]

    def queryset(self, request: Any, queryset: Any) -> Any:
        moment = moment_of(self.value() or "")
        return queryset.filter(at__gte=moment) if moment else queryset


class UntilFilter(SinceFilter):
    title = "until"
    parameter_name = "until"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        known = [("today", "before today"), ("yesterday", "before yesterday"), ("7days", "7 days ago")]
        given = request.GET.get(self.parameter_name, "")
        return known if given in dict(known) or not moment_of(given) else [*known, (given, given)]

    def queryset(self, request: Any, queryset: Any) -> Any:
        moment = moment_of(self.value() or "", end=True)
        return queryset.filter(at__lt=moment) if moment else queryset


class NounFilter(DropdownFilter):
    """Changes that wrote rows of one kind."""

    title = "what"
    parameter_name = "noun"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, str(model._meta.verbose_name_plural)) for name, model in models().items()]

    def queryset(self, request: Any, queryset: Any) -> Any:
        model = models().get(self.value() or "")
        if model is None:
            return queryset
        return queryset.filter(Exists(model.history.model.objects.filter(change=OuterRef("pk"))))


def touching(name: str) -> Q:
    """The changes that wrote the host called *name*, now or once, or one of its parts."""
    hosts = Host.history.model.objects.filter(name__iexact=name).order_by().values("id")
    found = Q()
    for model, column in OF_HOST:
        rows = model.history.model.objects.filter(**{f"{column}__in": hosts}).order_by()
        found |= Q(pk__in=rows.values("change"))
    return found


def summarised(changes: Iterable[Change]) -> None:
    """Give each change its line, such as “3 hosts, 5 interfaces”. One query for each noun."""
    by_id: dict[int, list[str]] = {one.pk: [] for one in changes}
    for model in models().values():
        rows = model.history.model.objects.filter(change__in=by_id).order_by()
        counted = rows.values("change").annotate(number=Count("id", distinct=True))
        for pk, number in counted.values_list("change", "number"):
            noun = model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural
            by_id[pk].append(f"{number} {noun}")
    for one in changes:
        one.summary = ", ".join(by_id[one.pk]) or "the ledger only"  # type: ignore[attr-defined]


class Summing(LeanChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        summarised(self.result_list)


@admin.register(Change)
class ChangeAdmin(ReadOnly):
    list_display = ["revision", "site_shown", "when", "person", "source", "wrote", "why"]
    list_filter = [
        SiteFilter,
        PersonFilter,
        ("source", ChoicesDropdownFilter),
        SinceFilter,
        UntilFilter,
        NounFilter,
    ]
    search_fields = ["why", "by_name", "=revision"]
    search_help_text = "Reason, person, revision, or the whole name of a host that was touched"
    date_hierarchy = "at"
    fields = [("site_shown", "revision"), ("when", "person"), ("source", "why"), "what_changed"]
    readonly_fields = ["site_shown", "when", "person", "what_changed"]
    actions_detail = ["undo_this", "since_this"]
    list_before_template = "admin/inventory/changes_before.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the way to what changed since yesterday, at each site that the person sees."""
        sites = visible_sites(request.user, "inventory.view_change").values_list("slug", flat=True)[
            :MOST_SITES
        ]
        return super().changelist_view(request, {**(extra_context or {}), "changed_sites": list(sites)})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Summing]:
        return Summing

    def get_search_results(self, request: Any, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        found, several = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        if not term or " " in term or "\0" in term:
            return found, several
        return queryset.filter(Q(pk__in=found.order_by().values("pk")) | touching(term)), False

    # --- what can be done with one ---

    @action(permissions=["view"], description="Undo", url_path="undo")
    def undo_this(self, request: HttpRequest, object_id: str) -> Any:
        return redirect(undo_address(self._seen(request, object_id)))

    @action(permissions=["view"], description="What changed since", url_path="since")
    def since_this(self, request: HttpRequest, object_id: str) -> Any:
        one = self._seen(request, object_id)
        return redirect(f"{reverse('admin:what_changed', args=(one.site_slug,))}?since={one.revision - 1}")

    def _seen(self, request: HttpRequest, object_id: str) -> Change:
        found: Change = get_object_or_404(
            self.get_queryset(request),
            pk=object_id if object_id.isascii() and object_id.isdecimal() else None,
        )
        return found

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Nothing is undone at a site that is gone."""
        gone = not Change.objects.filter(pk=object_id).exclude(site=None).exists()
        return [] if gone else super().get_actions_detail(request, object_id)

    # --- columns ---

    @display(description="site", ordering="site_slug")
    def site_shown(self, change: Change) -> str:
        return change.site_slug

    @display(description="who", ordering="by_name")
    def person(self, change: Change) -> str:
        return change.by_name

    @display(description="when", ordering="at")
    def when(self, change: Change) -> str:
        return iso(change.at)

    @display(description="wrote")
    def wrote(self, change: Any) -> str:
        return getattr(change, "summary", "")

    @display(description="what changed")
    def what_changed(self, change: Any) -> str:
        """Asked for several times by the template of one page; told once for the row that it shows."""
        if not hasattr(change, "told"):
            context = {"nouns": written_in(change)}
            change.told = render_to_string("admin/inventory/what_changed.html", context)
        told: str = change.told
        return told
