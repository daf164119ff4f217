"""Services, which move between hosts, and the aliases that point at them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.decorators import display

from inventory.admin.acts.entries import ServiceActs
from inventory.admin.door import DoorAdmin, PartInline, delete_selected
from inventory.admin.filters import SiteFilter
from inventory.admin.many.editing import EditsMany
from inventory.models import Alias, Service


class AliasInline(PartInline):
    model = Alias
    fields = ["name"]


@admin.register(Service)
class ServiceAdmin(EditsMany, ServiceActs, DoorAdmin):
    actions = ["move", delete_selected]
    actions_detail = ["move_this"]
    inlines = [AliasInline]
    autocomplete_fields = ["host"]
    fixed_fields = ()
    list_display = ["label", "site", "host", "tenant", "port", "health_check", "shown_page"]
    list_select_related = ["host", "site"]
    list_filter = [SiteFilter, "tenant"]
    search_fields = ["name", "tenant", "host__name"]
    search_help_text = "Service, tenant or host"
    ordering = ["site__slug", "name", "tenant"]
    fields = [
        "name",
        "host",
        "tenant",
        "port",
        "health_check",
        "metrics_path",
        ("web_scheme", "local_port"),
        "why",
    ]
    readonly_fields = ["local_port"]

    @display(description="name", ordering="name")
    def label(self, service: Service) -> str:
        return service.label

    @display(description="web page", ordering="local_port")
    def shown_page(self, service: Service) -> str:
        """Where it is once a tunnel is open (``ssh -N HOST.web``)."""
        return (
            f"{service.web_scheme}://127.0.0.1:{service.local_port}/"
            if service.local_port and service.web_scheme
            else ""
        )


@admin.register(Alias)
class AliasAdmin(DoorAdmin):
    autocomplete_fields = ["service"]
    fixed_fields = ()
    list_display = ["name", "site", "service", "host"]
    list_select_related = ["site", "service__host"]
    list_filter = [SiteFilter]
    search_fields = ["name", "service__name"]
    search_help_text = "Alias or service"
    fields = ["name", "service", "why"]

    @display(description="host now", ordering="service__host__name")
    def host(self, alias: Any) -> str:
        return str(alias.service.host)
