"""Segments: VLANs, their networks, and what DHCP may do there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.admin.many.editing import EditsMany
from inventory.admin.pictures.entries import SegmentPictures
from inventory.models import Interface, Segment


@admin.register(Segment)
class SegmentAdmin(SegmentPictures, EditsMany, DoorAdmin):
    actions_detail: list[Any] = ["address_map_for_this"]
    list_display = [
        "name",
        "site",
        "vlan",
        "network4",
        "network6",
        "policy",
        "trust",
        "use",
        "interface_count",
    ]
    list_select_related = ["site"]
    autocomplete_fields = ["jump_host", "jump_alternative", "wake_relay"]
    list_filter = [SiteFilter, ("policy", ChoicesDropdownFilter)]
    search_fields = ["name", "network4", "network6", "trust", "=vlan"]
    search_help_text = "Name, network, trust or VLAN id"
    ordering = ["site__slug", "vlan", "name"]
    fieldsets = [
        (None, {"fields": ["site", ("name", "vlan"), ("trust", "suffix"), "why"]}),
        (
            "Networks",
            {
                "fields": [
                    ("network4", "gateway4"),
                    ("network6", "gateway6"),
                    ("static_first", "static_last"),
                    "delegated",
                ]
            },
        ),
        (
            "DHCP and DNS",
            {
                "fields": [
                    "policy",
                    ("pool_first", "pool_last"),
                    "next_server",
                    "dns_servers",
                    "search_domains",
                ]
            },
        ),
        ("Ways in", {"fields": [("jump_host", "jump_alternative"), "wake_relay"]}),
        ("Variables", {"fields": ["variables"], "classes": ["collapse"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        interfaces = Interface.objects.filter(segment=OuterRef("pk")).order_by().values("segment")
        number = Subquery(interfaces.annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(interfaces_number=number)

    @display(description="interfaces", ordering="interfaces_number")
    def interface_count(self, segment: Any) -> int:
        return segment.interfaces_number or 0
