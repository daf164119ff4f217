"""Hosts: the list people live in, and the page with interfaces, services and groups."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from inventory.admin import allocating, lifecycle
from inventory.admin.acts.entries import OF_HOST, HostActs
from inventory.admin.door import DoorAdmin, delete_selected
from inventory.admin.filters import FormFilter, SegmentFilter, SiteFilter
from inventory.admin.host_forms import (
    HostForm,
    HypervisorInline,
    InterfaceInline,
    MachineInline,
    NeedInline,
    ServiceInline,
)
from inventory.admin.host_page import HostPage
from inventory.admin.launching import RunsPlaybooks
from inventory.admin.lists import without_bulk
from inventory.admin.many.editing import EditsMany
from inventory.admin.pictures.entries import HostPictures
from inventory.admin.searching import hosts_found_by
from inventory.admin.sited import is_id
from inventory.admin.timeline import timeline
from inventory.changes import SiteChange
from inventory.models import Host, HostNeed, Interface, Membership

STATUS_LABELS = {
    "provisioning": "info",
    "active": "success",
    "standby": "warning",
    "maintenance": "warning",
    "retired": "danger",
}


OF_FORM = {HypervisorInline: Host.Form.HYPERVISOR, MachineInline: Host.Form.VIRTUAL}


@admin.register(Host)
class HostAdmin(RunsPlaybooks, HostPictures, EditsMany, HostActs, HostPage, DoorAdmin):
    form = HostForm
    object_history_list_template = "admin/inventory/host_history_list.html"
    inlines = [InterfaceInline, ServiceInline, NeedInline, HypervisorInline, MachineInline]
    autocomplete_fields = ["role", "hypervisor"]
    list_display = [
        "shown_name",
        "site",
        "form_name",
        "role",
        "shown_status",
        "address",
        "mac",
        "segment",
        "group_count",
    ]
    list_display_links = ["shown_name"]
    list_select_related = ["site", "role"]
    list_filter = [
        SiteFilter,
        ("status", ChoicesDropdownFilter),
        FormFilter,
        SegmentFilter,
        ("plane", ChoicesDropdownFilter),
    ]
    search_fields = ["name"]
    search_help_text = "Name, address, service, notes, or a MAC in any spelling, whole or in part"
    ordering = ["site__slug", "name"]
    actions = ["run_playbook", "retire", "reactivate", delete_selected]
    actions_list = ["new_vm", "new_machine"]
    actions_detail: list[Any] = [OF_HOST, "show_what_falls"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "site",
                    "name",
                    ("form", "role"),
                    ("status", "plane"),
                    ("hypervisor", "vmid"),
                    ("platform", "location"),
                    "notes",
                    "in_groups",
                    "in_profiles",
                    "why",
                ]
            },
        ),
        ("Variables", {"fields": ["variables"], "classes": ["collapse"]}),
        (
            "Access and out-of-band",
            {
                "fields": [
                    ("console_kind", "console_address"),
                    ("power_kind", "power_address"),
                    "power_outlet",
                    "host_keys",
                    "access",
                    "out_of_band",
                ],
                "classes": ["collapse"],
            },
        ),
    ]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """What only some forms have: on hosts of that form, and where it was declared before."""
        return [part for part in self.inlines if part not in OF_FORM or (obj and _has(obj, part))]

    def history_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        """With the changes of its interfaces, needs, services and memberships."""
        moments = timeline(int(object_id)) if is_id(object_id) else []
        return super().history_view(request, object_id, {**(extra_context or {}), "moments": moments})

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Two queries for any number of hosts: the rows with their number of groups, and their interfaces."""
        groups = Membership.objects.filter(host=OuterRef("pk")).order_by().values("host")
        interfaces = without_bulk(Interface.objects.select_related("segment").order_by("position", "name"))
        return (
            super()
            .get_queryset(request)
            .annotate(groups_number=Subquery(groups.annotate(n=Count("pk")).values("n")))
            .prefetch_related(Prefetch("interfaces", queryset=interfaces, to_attr="in_order"))
        )

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found, _ = super().get_search_results(request, queryset, "")
        if search_term.strip():
            found = found.filter(pk__in=hosts_found_by(search_term).values("pk"))
        return found, False

    @display(description="name", ordering="name")
    def shown_name(self, host: Host) -> SafeString | str:
        if host.status == Host.Status.RETIRED:
            return format_html('<s title="retired">{}</s>', host.name)
        return host.name

    @display(description="form", ordering="form")
    def form_name(self, host: Host) -> str:
        return host.form

    @display(description="status", ordering="status", label=STATUS_LABELS)
    def shown_status(self, host: Host) -> str:
        return host.status

    @display(description="address")
    def address(self, host: Any) -> str:
        interface = primary_of(host.in_order)
        return (interface.ipv4 or next(iter(interface.ipv6), "")) if interface else ""

    @display(description="MAC")
    def mac(self, host: Any) -> SafeString | str:
        interface = primary_of(host.in_order)
        return format_html("<code>{}</code>", interface.mac) if interface and interface.mac else ""

    @display(description="segment")
    def segment(self, host: Any) -> str:
        interface = primary_of(host.in_order)
        return str(interface.segment or "") if interface else ""

    @display(description="groups", ordering="groups_number")
    def group_count(self, host: Any) -> int:
        return host.groups_number or 0

    # --- writing ---

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        """Old primary first, so that the constraint never sees two; new interfaces and needs come last on the host."""
        if formset.model not in (Interface, HostNeed):
            super().save_formset(request, form, formset, change)
            return
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            row.delete()
        present = formset.model.objects.filter(host=form.instance)
        last = max(present.values_list("position", flat=True), default=-1)
        for row in sorted(rows, key=lambda row: getattr(row, "primary", False)):
            if row.pk is None:
                row.position = last = last + 1
            row.save()

    def write_links(self, the_change: SiteChange, form: Any) -> None:
        if {"in_groups", "in_profiles"} & set(form.changed_data):
            wanted = [*form.cleaned_data["in_groups"], *form.cleaned_data["in_profiles"]]
            the_change.set_links(Membership, {"host": form.instance}, "group", wanted)

    # --- handing out ---

    @action(permissions=["change"], description="Allocate", url_path="allocate", icon="add_circle")
    def allocate_for_this(self, request: HttpRequest, object_id: str) -> Any:
        return allocating.for_host(self, request, object_id)

    # --- retiring ---

    @admin.action(permissions=["change"], description="Retire")
    def retire(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return lifecycle.retire(self, request, queryset)

    @admin.action(permissions=["change"], description="Reactivate")
    def reactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return lifecycle.reactivate(self, request, queryset)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what would do something."""
        retired = Host.objects.filter(pk=object_id, status=Host.Status.RETIRED).exists()
        useless = (
            ("_of_this", "_for_this", "rename_this", "relocate_this", "retire_this")
            if retired
            else ("reactivate_this",)
        )
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if not one.action_name.endswith(useless)]

    @action(permissions=["change"], description="Retire", url_path="retire", icon="archive")
    def retire_this(self, request: HttpRequest, object_id: str) -> Any:
        return lifecycle.retire_one(self, request, object_id)

    @action(permissions=["change"], description="Reactivate", url_path="reactivate", icon="unarchive")
    def reactivate_this(self, request: HttpRequest, object_id: str) -> Any:
        return lifecycle.reactivate_one(self, request, object_id)


def _has(host: Host, part: Any) -> bool:
    return host.form == OF_FORM[part] or part.model.objects.filter(host=host).exists()


def primary_of(interfaces: list[Interface]) -> Interface | None:
    """As the Snapshot has it: the flagged one, else the first with an A record, else the first static one."""
    for wanted in (
        lambda i: i.primary,
        lambda i: i.a_record and (i.ipv4 or i.ipv6),
        lambda i: i.addressing == "static" and (i.ipv4 or i.ipv6),
    ):
        for interface in interfaces:
            if wanted(interface):
                return interface
    return interfaces[0] if interfaces else None
