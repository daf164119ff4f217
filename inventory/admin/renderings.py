"""Renderings: what was handed out when, and what lies between any two."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from unfold.decorators import display

from inventory.admin.filters import SiteFilter
from inventory.admin.log import ReadOnly, iso
from inventory.admin.sited import row_or_404
from inventory.models import Rendering
from inventory.serving.comparison import CannotCompare, FileChange, compare

#: A page with more lines of differences than this is no help, and slow.
MOST_SHOWN = 5_000


@admin.register(Rendering)
class RenderingAdmin(ReadOnly):
    #: contents are what hosts say: who may not see hosts may not see them here
    look_needs = ("inventory.view_host",)
    list_display = ["format", "site", "made_for", "revision", "since", "size", "fetched", "applied"]
    list_select_related = ["site"]
    list_filter = [SiteFilter, "format"]
    search_fields = ["format", "=revision", "sha256"]
    search_help_text = "Format, revision or checksum"
    ordering = ["-created", "-id"]
    actions = ["compare_two"]
    fields = [
        ("site", "format"),
        ("made_for", "revision"),
        ("since", "size"),
        "sha256",
        ("fetched", "applied"),
    ]
    readonly_fields = ["made_for", "since"]

    @display(description="made for")
    def made_for(self, row: Rendering) -> str:
        return row.variant.removeprefix("authority=")

    @display(description="since", ordering="created")
    def since(self, row: Rendering) -> str:
        return iso(row.created)

    @admin.action(permissions=["view"], description="Compare two")
    def compare_two(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset.order_by("revision", "pk")[:3])
        if len(rows) != 2:
            messages.error(request, "Choose exactly two renderings of one site and one format.")
            return None
        return redirect(comparison_page(*rows))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.compare_view)
        return [path("compare/", view, name="inventory_rendering_compare"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A rendering's page is its difference from the one before it."""
        row = row_or_404(Rendering.objects.all(), object_id)
        return self._page(request, earlier(row) or row, row)

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        old, new = (
            row_or_404(Rendering.objects.all(), given)
            for given in (request.GET.get("old", ""), request.GET.get("new", ""))
        )
        return self._page(request, old, new)

    def _page(self, request: HttpRequest, old: Rendering, new: Rendering) -> HttpResponse:
        if not all(self.has_view_permission(request, row) for row in (old, new)):
            raise PermissionDenied
        if (old.site_id, old.format) != (new.site_id, new.format):
            messages.error(
                request, f"{old} and {new} are not comparable; choose two of one site and one format."
            )
            return redirect("admin:inventory_rendering_changelist")
        problem = ""
        changes: tuple[FileChange, ...] = ()
        try:
            changes = compare(old, new)
        except CannotCompare as error:
            problem = str(error)
        lines = sum(len(change.lines) for change in changes)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{new.format} of {new.site}: revision {old.revision} → {new.revision}",
            "opts": self.opts,
            "old": old,
            "new": new,
            "problem": problem,
            "changes": changes if lines <= MOST_SHOWN else [],
            "too_many": lines if lines > MOST_SHOWN else 0,
            "others": Rendering.objects.filter(site=new.site_id, format=new.format).order_by(
                "-revision", "variant"
            )[:100],
        }
        return TemplateResponse(request, "admin/inventory/comparison.html", context)


def earlier(row: Rendering) -> Rendering | None:
    """The newest rendering of the same kind before *row* that says something else."""
    kind = Rendering.objects.filter(site=row.site_id, format=row.format, variant=row.variant)
    older = kind.filter(revision__lt=row.revision).exclude(sha256=row.sha256)
    return older.order_by("-revision").first()


def comparison_page(old: Rendering, new: Rendering) -> str:
    return f"{reverse('admin:inventory_rendering_compare')}?{urlencode({'old': old.pk, 'new': new.pk})}"
