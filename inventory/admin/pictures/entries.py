"""Entries of the pictures on the pages and lists of nouns."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from inventory import reading
from inventory.admin.lists import LeanChangeList
from inventory.admin.sited import row_or_404
from inventory.models import Host, Segment
from inventory.pictures.use import SegmentUse, use_by_name


class SegmentsWithUse(LeanChangeList):
    """Looks up the use of all rows of the page: one Snapshot a site, none a row."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)  # type: ignore[has-type]
        uses: dict[int, dict[str, SegmentUse]] = {}
        for row in self.result_list:
            if row.site_id not in uses:
                uses[row.site_id] = use_by_name(reading.load(row.site.slug))
            row.use_of_it = uses[row.site_id].get(row.name)


class SegmentPictures:
    """For the ModelAdmin of segments: the column *use*, and the way to the address map."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LeanChangeList]:
        return SegmentsWithUse

    @display(description="use")
    def use(self, segment: Any) -> SafeString | str:
        """A bar and the numbers; empty where they cannot be counted."""
        found: SegmentUse | None = getattr(segment, "use_of_it", None)
        if found is None or not found.total:
            return str(found.used) if found and found.network else ""
        return format_html(
            '<svg class="pic-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
            '<rect width="{}" height="8"/></svg>{}/{}',
            found.percent,
            found.used,
            found.total,
        )

    @action(permissions=["view"], description="Address map", url_path="address-map", icon="grid_on")
    def address_map_for_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = row_or_404(Segment.objects.select_related("site"), object_id)
        return redirect(reverse("admin:address_map", args=(row.site.slug, row.pk)))


class HostPictures:
    """For the ModelAdmin of hosts: the way to what falls with it."""

    @action(permissions=["view"], description="What falls with it", url_path="fate", icon="domino_mask")
    def show_what_falls(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = row_or_404(Host.objects.select_related("site"), object_id)
        return redirect(reverse("admin:falls_with", args=(row.site.slug, row.pk)))
