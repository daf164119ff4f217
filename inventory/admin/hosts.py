"""Hosts: the list people live in, and the page with interfaces, services and groups."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from inventory.admin import allocating, lifecycle
from inventory.admin.door import DoorAdmin, PartInline, delete_selected
from inventory.admin.filters import FormFilter, SegmentFilter, SiteFilter
from inventory.admin.forms import DoorForm, LinksField, PartForm
from inventory.admin.lists import without_bulk
from inventory.admin.searching import hosts_found_by
from inventory.changes import SiteChange
from inventory.models import Group, Host, Hypervisor, Interface, Membership, Service, Site

STATUS_LABELS = {
    "provisioning": "info",
    "active": "success",
    "standby": "warning",
    "maintenance": "warning",
    "retired": "danger",
}


class HostForm(DoorForm):
    in_groups = LinksField(
        Membership._meta.get_field("group"),
        label="Groups",
        help_text="Ansible groups that name this host directly.",
    )
    in_profiles = LinksField(
        Membership._meta.get_field("group"),
        label="Workload profiles",
        help_text="What the host does now.",
    )

    class Meta:
        model = Host
        exclude = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        links: list[tuple[str, Group.Kind]] = [
            ("in_groups", Group.Kind.GROUP),
            ("in_profiles", Group.Kind.PROFILE),
        ]
        for name, kind in links:
            field = self.fields.get(name)
            if not isinstance(field, LinksField):
                continue
            field.limit(Group.objects.filter(kind=kind), getattr(self, "site_id", None), kind=str(kind.value))
            if self.instance.pk:
                self.initial[name] = list(
                    Group.objects.filter(hosts=self.instance, kind=kind).values_list("pk", flat=True)
                )

        if "form" in self.fields:
            self.fields["form"].widget = UnfoldAdminSelectWidget(choices=self._forms())

    def _forms(self) -> list[tuple[str, str]]:
        """The forms there are; an imported host may have one of its own, which stays."""
        known = [("", "unknown"), *Host.Form.choices]
        own = self.instance.form
        return known if own in dict(known) else [*known, (own, own)]

    def clean(self) -> Any:
        cleaned = super().clean()
        if "status" in self.changed_data and self.cleaned_data.get("status") == Host.Status.RETIRED:
            self.require_reason()
        return cleaned


class InterfaceFormSet(BaseInlineFormSet):
    """The interfaces of one host, which share one question: which of them is the primary one."""

    def clean(self) -> None:
        super().clean()
        primary = [form for form in self.forms if self._stays(form) and _cleaned(form).get("primary")]
        if len(primary) > 1:
            names = " and ".join(_cleaned(form).get("name", "?") for form in primary)
            raise ValidationError(f"{names} are both marked primary; a host has one primary interface.")

    def _stays(self, form: Any) -> bool:
        return bool(_cleaned(form)) and not _cleaned(form).get("DELETE")


def _cleaned(form: Any) -> dict[str, Any]:
    return getattr(form, "cleaned_data", None) or {}


class InterfaceForm(allocating.AssignedMac, PartForm):
    def _get_validation_exclusions(self) -> set[str]:
        # The mark moves between interfaces in one go: the formset looks at both, the database afterwards.
        return {*super()._get_validation_exclusions(), "primary"}  # type: ignore[misc]


class InterfaceInline(PartInline):
    model = Interface
    form = InterfaceForm
    formset = InterfaceFormSet
    fk_name = "host"
    autocomplete_fields = ["switch"]
    fieldsets = [
        (None, {"fields": [("name", "segment"), ("mac", "mac_kind"), ("addressing", "ipv4"), "ipv6"]}),
        (
            None,
            {
                "fields": [
                    ("primary", "management"),
                    ("a_record", "reservation"),
                    ("wake_on_lan", "bootstrap_ipv4"),
                    ("pxe_server", "pxe_file"),
                    ("switch", "switch_port"),
                    "variables",
                ],
            },
        ),
    ]
    ordering = ["position", "name"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("host", "segment", "switch")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A new host has a first interface to fill in; left empty it is none."""
        return 0 if obj else 1


class ServiceInline(PartInline):
    model = Service
    fields = [("name", "tenant"), ("health_check", "metrics_path"), "port"]


class HypervisorInline(PartInline):
    """Where the Proxmox API of this host is; on the page of hypervisors alone."""

    model = Hypervisor
    verbose_name = verbose_name_plural = "Proxmox API"
    fk_name = "host"
    max_num = 1
    fields = [
        ("api_url", "node"),
        ("token_id", "secret"),
        ("ca_file", "fingerprint"),
        ("storage", "bridge", "pool"),
    ]


@admin.register(Host)
class HostAdmin(DoorAdmin):
    form = HostForm
    inlines = [InterfaceInline, ServiceInline, HypervisorInline]
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
    actions = ["retire", "reactivate", delete_selected]
    actions_list = ["next_host"]
    actions_detail = ["allocate_for_this", "retire_this", "reactivate_this"]
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
        ("Access and out-of-band", {"fields": ["access", "out_of_band"], "classes": ["collapse"]}),
    ]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """The Proxmox API only where there is one: on hypervisors, and where it was declared before."""
        has_api = obj and (obj.form == Host.Form.HYPERVISOR or Hypervisor.objects.filter(host=obj).exists())
        return self.inlines if has_api else [part for part in self.inlines if part is not HypervisorInline]

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
        return mark_safe(f"<code>{interface.mac}</code>") if interface and interface.mac else ""  # noqa: S308

    @display(description="segment")
    def segment(self, host: Any) -> str:
        interface = primary_of(host.in_order)
        return str(interface.segment or "") if interface else ""

    @display(description="groups", ordering="groups_number")
    def group_count(self, host: Any) -> int:
        return host.groups_number or 0

    # --- writing ---

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        """Old primary first, so that the constraint never sees two; new interfaces come last on the host."""
        if formset.model is not Interface:
            super().save_formset(request, form, formset, change)
            return
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            row.delete()
        last = max((i.position for i in form.instance.interfaces.all()), default=-1)
        for row in sorted(rows, key=lambda row: row.primary):
            if row.pk is None:
                row.position = last = last + 1
            row.save()

    def write_links(self, the_change: SiteChange, form: Any) -> None:
        if {"in_groups", "in_profiles"} & set(form.changed_data):
            wanted = [*form.cleaned_data["in_groups"], *form.cleaned_data["in_profiles"]]
            the_change.set_links(Membership, {"host": form.instance}, "group", wanted)

    # --- handing out ---

    @action(permissions=["add"], description="Next host", url_path="next")
    def next_host(self, request: HttpRequest) -> Any:
        site_id = self.declared_site_id(request)
        if site_id is None:
            return self._choose_site(request)
        return allocating.next_host(self, request, get_object_or_404(Site, pk=site_id))

    @action(permissions=["change"], description="Allocate", url_path="allocate")
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
        useless = ("retire_this", "allocate_for_this") if retired else ("reactivate_this",)
        shown = super().get_actions_detail(request, object_id)
        return [one for one in shown if not one.action_name.endswith(useless)]

    @action(permissions=["change"], description="Retire", url_path="retire")
    def retire_this(self, request: HttpRequest, object_id: str) -> Any:
        return lifecycle.retire_one(self, request, object_id)

    @action(permissions=["change"], description="Reactivate", url_path="reactivate")
    def reactivate_this(self, request: HttpRequest, object_id: str) -> Any:
        return lifecycle.reactivate_one(self, request, object_id)


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
