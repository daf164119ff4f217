"""What the application keeps by itself and people only read: the ledger of identities and the log of changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from inventory import quarantine
from inventory.admin.confirming import Act, Item, ask, confirmed_reason
from inventory.admin.filters import SiteFilter
from inventory.admin.lists import LeanLists
from inventory.admin.searching import identity_found_by
from inventory.admin.written import written_in
from inventory.models import Change, Identity

FREEING = Act(
    "Free",
    "Free from quarantine?",
    "They can be given to other hosts at once. A lease, a boot file or a router that still knows the old "
    "owner will then meet the new one.",
    dangerous=True,
)


class ReadOnly(LeanLists, ModelAdmin):
    """A list and its pages, for people with the permission to view; nobody writes here."""

    list_per_page = 100
    show_full_result_count = False
    list_filter_submit = True
    actions: list[Any] = []

    def has_add_permission(self, request: HttpRequest) -> bool:
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

    def has_free_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("inventory.change_identity"))

    @admin.action(permissions=["free"], description="Free from quarantine")
    def free(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset.filter(state=Identity.State.QUARANTINED).select_related("site"))
        if not rows:
            messages.info(request, "None of these is in quarantine.")
            return None
        reason = confirmed_reason(request)
        if not reason:
            items = [
                Item(row.pk, f"{row.site.slug}: {row}", note=f", last {row.host_name}'s") for row in rows
            ]
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


@admin.register(Change)
class ChangeAdmin(ReadOnly):
    list_display = ["revision", "site_shown", "when", "person", "source", "why"]
    list_filter = [SiteFilter, "source"]
    search_fields = ["why", "by_name", "=revision"]
    search_help_text = "Reason, person or revision"
    date_hierarchy = "at"
    fields = [("site_shown", "revision"), ("when", "person"), ("source", "why"), "what_changed"]
    readonly_fields = ["site_shown", "when", "person", "what_changed"]

    @display(description="site", ordering="site_slug")
    def site_shown(self, change: Change) -> str:
        return change.site_slug

    @display(description="who", ordering="by_name")
    def person(self, change: Change) -> str:
        return change.by_name

    @display(description="when", ordering="at")
    def when(self, change: Change) -> str:
        return iso(change.at)

    @display(description="what changed")
    def what_changed(self, change: Any) -> str:
        """Asked for several times by the template of one page; told once for the row that it shows."""
        if not hasattr(change, "told"):
            context = {"nouns": written_in(change)}
            change.told = render_to_string("admin/inventory/what_changed.html", context)
        told: str = change.told
        return told


def iso(moment: datetime) -> str:
    return localtime(moment).strftime("%Y-%m-%d %H:%M")
