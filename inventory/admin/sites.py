"""Sites, their roles, and who serves DHCP and DNS there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.admin.forms import DoorForm
from inventory.models import Authority, Role, Site


@admin.register(Site)
class SiteAdmin(DoorAdmin):
    site_path = ""
    fixed_fields = ()
    list_display = ["slug", "name", "zone", "block", "authority", "revision"]
    search_fields = ["slug", "name", "root_domain", "block"]
    search_help_text = "Name, domain or address block"
    readonly_fields = ["zone", "revision"]
    fieldsets = [
        (None, {"fields": ["slug", "name", "root_domain", "block", ("zone", "revision"), "why"]}),
        (
            "Assigned MACs and VMIDs",
            {"fields": ["mac_encoding", ("organisation", "environment"), ("vmid_first", "vmid_last")]},
        ),
        (
            "Emergency access",
            {
                "fields": ["emergency_who", "emergency_how", "emergency_secret", "emergency_after"],
                "classes": ["collapse"],
            },
        ),
        ("Variables of all hosts", {"fields": ["variables"]}),
        ("Naming and import", {"fields": ["naming", "mapping"], "classes": ["collapse"]}),
    ]

    def declared_site_id(self, request: HttpRequest, obj: Any = None) -> int | None:
        return obj.pk if obj is not None and obj.pk else 0  # a new one needs no site to be chosen

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newest = Authority.objects.filter(site=OuterRef("pk")).order_by("-at", "-id").values("mode")[:1]
        return super().get_queryset(request).annotate(authority_mode=Subquery(newest))

    @display(description="authority", label={"gateway": "success", "bootstrap": "warning"})
    def authority(self, site: Any) -> str:
        return site.authority_mode or "none declared"

    def sites_to_change(self, row: Any) -> list[Site]:
        return [row]

    def write_row(self, request: Any, form: Any, change: bool) -> None:
        """A new site is stored by the door itself: its first change refers to it."""
        if change:
            super().write_row(request, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Ledger, log, authority and consumers go with their site; alone nobody may delete them."""
        to_delete, count, lacking, protected = super().get_deleted_objects(objs, request)
        return (
            to_delete,
            count,
            lacking - {"identity", "change", "authority declaration", "consumer"},
            protected,
        )


@admin.register(Role)
class RoleAdmin(DoorAdmin):
    list_display = ["slug", "site", "code", "title"]
    list_select_related = ["site"]
    list_filter = [SiteFilter]
    search_fields = ["slug", "code", "title"]
    search_help_text = "Name, RR code or title"
    ordering = ["site__slug", "slug"]
    fields = ["site", "slug", "code", "title", "configure_template", "retire_template", "why"]
    change_form_outer_before_template = "admin/provisioning/runs/hosts_of.html"


class AuthorityForm(DoorForm):
    why = forms.CharField(
        label="Reason",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=Authority._meta.get_field("why").help_text,
    )

    class Meta:
        model = Authority
        exclude = ()


@admin.register(Authority)
class AuthorityAdmin(DoorAdmin):
    """Append-only: a declaration is a fact of the day it was made."""

    form = AuthorityForm
    actions: list[Any] = []
    autocomplete_fields = ["bootstrap_host"]
    list_display = ["site", "mode", "bootstrap_host", "by_name", "at", "why"]
    list_select_related = ["site", "bootstrap_host"]
    list_filter = [SiteFilter, ("mode", ChoicesDropdownFilter)]
    search_fields = ["why", "by_name"]
    ordering = ["-at", "-id"]
    fields = ["site", "mode", "bootstrap_host", "why"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        return (*shown, "by_name", "at") if obj else shown

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.fields, "by_name", "at"] if obj else self.fields

    def write_row(self, request: Any, form: Any, change: bool) -> None:
        form.instance.by, form.instance.by_name = request.user, request.user.get_username()
        super().write_row(request, form, change)
