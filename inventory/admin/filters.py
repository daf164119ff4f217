"""Filters of the lists. Their choices are few; what may be ten thousand is searched instead."""

from __future__ import annotations

from typing import Any

from unfold.contrib.filters.admin import DropdownFilter

from inventory.models import Host, Segment
from inventory.permissions import visible_sites, within


class SiteFilter(DropdownFilter):
    """Rows of one site. *path* leads from the listed row to its site."""

    title = "site"
    parameter_name = "on_site"
    path = "site"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """The sites whose rows the person may see in this list."""
        seen = visible_sites(request.user, model_admin.permission("view"))
        return [(slug, slug) for slug in seen.values_list("slug", flat=True)]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(**{f"{self.path}__slug": self.value()}) if self.value() else queryset


class SiteOfHostFilter(SiteFilter):
    path = "host__site"


class SegmentFilter(DropdownFilter):
    """Hosts with an interface on one segment."""

    title = "segment"
    parameter_name = "on_segment"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        seen = within(Segment.objects.all(), request.user, "inventory.view_segment")
        rows = seen.order_by("site__slug", "name").values_list("pk", "site__slug", "name")
        if site := request.GET.get("on_site"):
            rows = rows.filter(site__slug=site)
        found = list(rows)
        several = len({site for _, site, _ in found}) > 1
        return [(str(pk), f"{site}: {name}" if several else name) for pk, site, name in found]

    def queryset(self, request: Any, queryset: Any) -> Any:
        value = self.value()
        if not value or not value.isdecimal():
            return queryset
        return self.on_segment(queryset, int(value))

    def on_segment(self, queryset: Any, segment: int) -> Any:
        return queryset.filter(
            pk__in=Host.objects.filter(interfaces__segment=segment).order_by().values("pk")
        )


class SegmentOfInterfaceFilter(SegmentFilter):
    def on_segment(self, queryset: Any, segment: int) -> Any:
        return queryset.filter(segment=segment)


class FormFilter(DropdownFilter):
    """Forms that exist; an import may have brought some of its own."""

    title = "form"
    parameter_name = "of_form"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        named = dict(Host.Form.choices)
        seen = within(Host.objects.all(), request.user, "inventory.view_host")
        present = seen.order_by("form").values_list("form", flat=True).distinct()
        return [(form, named.get(form, form)) for form in present if form]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(form=self.value()) if self.value() else queryset


class MacKnownFilter(DropdownFilter):
    """Interfaces whose address somebody must still read off the hardware."""

    title = "MAC"
    parameter_name = "mac_known"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "known"), ("no", "unknown")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(mac__isnull=self.value() == "no")
