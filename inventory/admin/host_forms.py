"""What the page of a host asks: its own form, and those of its parts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from inventory.admin import allocating, fields
from inventory.admin.door import PartInline
from inventory.admin.forms import DoorForm, LinksField, PartForm
from inventory.models import Group, Host, HostNeed, Hypervisor, Interface, Membership, Service, VirtualMachine

RENAMED = (
    "Say why it gets another name. Acts, Rename shows every place that names the old one, before you do it."
)


class HostForm(DoorForm):
    host_keys = fields.LinesField(
        label="SSH host keys",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=Host._meta.get_field("host_keys").help_text,
    )
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
        before, status = self.initial.get("status"), self.cleaned_data.get("status")
        if status == Host.Status.RETIRED != before:
            self.require_reason("Say why; retiring is asked about later more than anything else.")
        elif before == Host.Status.RETIRED != status:
            self.require_reason("Say why it comes back; everything about it returns to the exports.")
        if "name" in self.changed_data and self.instance.pk:
            self.require_reason(RENAMED)
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
    site_path = "host__site"
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


class NeedInline(PartInline):
    """The hosts that this one needs; who needs this one is shown beside the form."""

    model = HostNeed
    site_path = "host__site"
    verbose_name_plural = "Needs"
    fk_name = "host"
    fields = ["needed"]
    autocomplete_fields = ["needed"]
    ordering = ["position", "needed_id"]
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("host", "needed")


class ServiceInline(PartInline):
    model = Service
    fields = [("name", "tenant"), ("health_check", "metrics_path"), ("port", "web_scheme")]


class HypervisorInline(PartInline):
    """Where the Proxmox API of this host is; on the page of hypervisors alone."""

    model = Hypervisor
    site_path = "host__site"
    verbose_name = verbose_name_plural = "Proxmox API"
    fk_name = "host"
    max_num = 1
    fields = [
        ("api_url", "node"),
        ("token_id", "secret"),
        ("read_token_id", "read_secret"),
        ("ca_file", "fingerprint"),
        ("storage", "bridge"),
        "pool",
    ]


class MachineInline(PartInline):
    """What this virtual machine is made from; on the page of virtual machines alone."""

    model = VirtualMachine
    site_path = "host__site"
    verbose_name = verbose_name_plural = "Machine specification"
    fk_name = "host"
    max_num = 1
    fields = [
        ("cores", "memory"),
        ("cpu", "rng"),
        ("os_disk", "data_disk"),
        ("data_disk_serial", "keep_data_disk"),
        ("boot", "template"),
        ("ciuser", "ssh_keys"),
        ("agent", "start_on_boot"),
        ("startup_order", "pool"),
        ("storage", "bridge"),
    ]

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "ssh_keys":
            kwargs["form_class"] = fields.LinesField
        return super().formfield_for_dbfield(db_field, request, **kwargs)
