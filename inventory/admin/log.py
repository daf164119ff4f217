"""What the application keeps by itself and people only read; the ledger of identities."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from inventory import quarantine
from inventory.admin.confirming import Act, Item, ask, confirmed_reason
from inventory.admin.filters import SiteFilter
from inventory.admin.lists import LeanLists
from inventory.admin.many.list_csv import ListCsv
from inventory.admin.searching import identity_found_by
from inventory.admin.sited import Sited
from inventory.models import Identity
from inventory.permissions import may

FREEING = Act(
    "Free",
    "Free from quarantine?",
    "They can be given to other hosts at once. A lease, a boot file or a router that still knows the old "
    "owner will then meet the new one.",
    dangerous=True,
)


class ReadOnly(Sited, ListCsv, LeanLists, ModelAdmin):
    """A list and its pages, for people with the permission to view; nobody writes here."""

    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = True
    actions: list[Any] = []

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Identity)
class IdentityAdmin(ReadOnly):
    list_display = ["value", "kind", "shown_state", "site", "host_name", "since_when", "until_when"]
    list_select_related = ["site"]
    list_filter = [SiteFilter, ("kind", ChoicesDropdownFilter), ("state", ChoicesDropdownFilter)]
    search_fields = ["value"]
    search_help_text = "Address, name, VMID, host, or a MAC in any spelling, whole or in part"
    fields = ["site", "kind", "value", "state", "host", "host_name", "since", "until"]
    actions = ["free"]
    other_verbs = {"free": "inventory.change_identity"}

    def has_free_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, self.permission("free"), self.where(obj))

    @admin.action(permissions=["free"], description="Free from quarantine")
    def free(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset.filter(state=Identity.State.QUARANTINED).select_related("site"))
        if not rows:
            messages.info(request, "None of these is in quarantine.")
            return None
        items = [
            Item(row.pk, f"{row.site.slug}: {row}", note=f", last {row.host_name}'s", state=until(row))
            for row in rows
        ]
        reason = confirmed_reason(request, items)
        if not reason:
            return ask(self, request, FREEING, items)
        quarantine.free(rows, by=request.user, why=reason, source="admin")
        messages.success(request, f"{len(rows)} free to be used again.")
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[Any, bool]:
        return (queryset.filter(identity_found_by(search_term)) if search_term.strip() else queryset), False

    @display(description="since", ordering="since")
    def since_when(self, identity: Identity) -> str:
        return iso(identity.since)

    @display(description="until", ordering="until")
    def until_when(self, identity: Identity) -> str:
        return iso(identity.until) if identity.until else ""

    @display(
        description="state",
        ordering="state",
        label={"held": "success", "quarantined": "warning", "disputed": "danger", "released": "info"},
    )
    def shown_state(self, identity: Identity) -> str:
        return identity.state


def iso(moment: datetime) -> str:
    return localtime(moment).strftime("%Y-%m-%d %H:%M")


def until(row: Identity) -> str:
    return f"until {row.until:%Y-%m-%d}" if row.until else ""
