"""Interfaces as a list of their own: who is where, over all hosts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from inventory.admin import allocating
from inventory.admin.acts.entries import OF_INTERFACE, InterfaceActs
from inventory.admin.allocating import AssignedMac
from inventory.admin.door import DoorAdmin
from inventory.admin.filters import MacKnownFilter, SegmentOfInterfaceFilter, SiteOfHostFilter
from inventory.admin.forms import DoorForm
from inventory.admin.many.editing import EditsMany
from inventory.admin.searching import interface_found_by
from inventory.models import Interface


class InterfacePageForm(AssignedMac, DoorForm):
    """The page of one interface."""


@admin.register(Interface)
class InterfaceAdmin(EditsMany, InterfaceActs, DoorAdmin):
    form = InterfacePageForm
    site_path = "host__site"
    actions_detail: list[Any] = [OF_INTERFACE]
    autocomplete_fields = ["host", "switch"]
    fixed_fields = ("host",)
    list_display = [
        "name",
        "host_name",
        "site",
        "mac",
        "ipv4",
        "segment",
        "addressing",
        "a_record",
        "reservation",
    ]
    list_select_related = ["host__site", "segment"]
    list_filter = [
        SiteOfHostFilter,
        SegmentOfInterfaceFilter,
        ("addressing", ChoicesDropdownFilter),
        ("mac_kind", ChoicesDropdownFilter),
        MacKnownFilter,
    ]
    search_fields = ["name"]
    search_help_text = "Host, interface, address, switch port, or a MAC in any spelling, whole or in part"
    ordering = ["host__site__slug", "host__name", "position", "name"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("host", "name"),
                    ("mac", "mac_kind"),
                    ("segment", "addressing"),
                    "ipv4",
                    "ipv6",
                    ("primary", "management"),
                    ("a_record", "reservation"),
                    ("wake_on_lan", "bootstrap_ipv4"),
                    ("pxe_server", "pxe_file"),
                    ("switch", "switch_port"),
                    "position",
                    "why",
                ]
            },
        ),
        ("Variables", {"fields": ["variables"], "classes": ["collapse"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[Any, bool]:
        found, _ = super().get_search_results(request, queryset, "")
        return (found.filter(interface_found_by(search_term)) if search_term.strip() else found), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Re-identifying is for what was assigned, and a card is replaced where its MAC is its own."""
        assigned = Interface.objects.filter(pk=object_id, mac_kind="assigned").exclude(mac=None).exists()
        shown = super().get_actions_detail(request, object_id)
        useless = "replace_this_nic" if assigned else "reidentify_this"
        return [one for one in shown if not one.action_name.endswith(useless)]

    @action(permissions=["change"], description="Allocate", url_path="allocate", icon="add_circle")
    def allocate_for_this(self, request: HttpRequest, object_id: str) -> Any:
        return allocating.for_interface(self, request, object_id)

    @display(description="host", ordering="host__name")
    def host_name(self, interface: Interface) -> str:
        return interface.host.name

    @display(description="site", ordering="host__site__slug")
    def site(self, interface: Interface) -> str:
        return interface.host.site.slug
