"""Hosts, and what every part of a host shares."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from inventory import host_keys, validators
from inventory.models.base import Declared, SiteRow
from inventory.models.fields import OrderedJSONField
from inventory.models.identity import contested
from inventory.models.segments import Segment
from inventory.querysets import GuardedQuerySet, HostQuerySet


class Host(SiteRow):
    """A machine, real or virtual, under a name that outlives it."""

    class Form(models.TextChoices):
        HYPERVISOR = "hv", "hv: hypervisor"
        VIRTUAL = "vm", "vm: virtual machine"
        PHYSICAL = "ph", "ph: physical host"
        PI = "pi", "pi: Raspberry Pi"
        EMBEDDED = "em", "em: embedded"
        ROUTER = "rt", "rt: router"
        SWITCH = "sw", "sw: switch"
        ACCESS_POINT = "ap", "ap: access point"

    class Status(models.TextChoices):
        PROVISIONING = "provisioning"
        ACTIVE = "active"
        STANDBY = "standby"
        MAINTENANCE = "maintenance"
        RETIRED = "retired"

    class Plane(models.TextChoices):
        MANAGEMENT = "management"
        TENANT = "tenant"

    class Console(models.TextChoices):
        SERIAL = "serial", "serial line"
        SOL = "sol", "serial over LAN (IPMI)"
        REDFISH = "redfish", "Redfish"
        KVM = "kvm", "KVM over IP"
        PROXMOX = "proxmox", "Proxmox console"
        LOCAL = "local", "screen and keyboard"

    class Power(models.TextChoices):
        PDU = "pdu", "PDU outlet"
        WOL = "wol", "Wake-on-LAN"
        IPMI = "ipmi", "IPMI"
        REDFISH = "redfish", "Redfish"
        PROXMOX = "proxmox", "Proxmox"
        HAND = "hand", "by hand"

    name = models.CharField(max_length=253, help_text="Lower-case letters, digits and hyphens: netctrl-vm01.")
    form = models.CharField(max_length=40, blank=True, help_text="hv, vm, ph, pi, em, rt, sw or ap.")
    role = models.ForeignKey(
        "inventory.Role", null=True, blank=True, on_delete=models.RESTRICT, related_name="hosts"
    )
    hypervisor = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="guests",
        help_text="The hypervisor that this virtual machine runs on.",
    )
    vmid = models.PositiveIntegerField(
        "VMID",
        null=True,
        blank=True,
        help_text="Proxmox's number of the virtual machine; unique over all hypervisors of the site.",
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE, db_index=True)
    plane = models.CharField(max_length=10, choices=Plane, default=Plane.MANAGEMENT)
    platform = models.CharField(
        max_length=100, blank=True, help_text="Hardware or image, such as “NUC 11” or fedora-43."
    )
    location = models.CharField(max_length=200, blank=True, help_text="Rack, shelf, room.")
    notes = models.TextField(blank=True)
    access = OrderedJSONField(
        default=dict, blank=True, validators=[validators.mapping], help_text="How people get in."
    )
    out_of_band = OrderedJSONField(
        "out-of-band",
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="IPMI, Redfish, console.",
    )
    console_kind = models.CharField(
        "console",
        max_length=10,
        blank=True,
        choices=Console,
        help_text="How one sees its screen without its network.",
    )
    console_address = models.CharField(
        max_length=300, blank=True, help_text="Where: an address, an URL, or “serial server 3, port 7”."
    )
    power_kind = models.CharField(
        "power", max_length=10, blank=True, choices=Power, help_text="How it is switched on from afar."
    )
    power_address = models.CharField(
        max_length=300, blank=True, help_text="Of the BMC, or name of the PDU. Wake-on-LAN needs none."
    )
    power_outlet = models.CharField(max_length=64, blank=True, help_text="The outlet at the PDU.")
    host_keys = models.TextField(
        "SSH host keys",
        blank=True,
        validators=[validators.ssh_host_keys],
        help_text="Public keys that somebody compared, one a line: ssh-ed25519 AAAA… Lines of ssh-keyscan may be pasted.",
    )
    variables = OrderedJSONField(
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="The host's own Ansible variables.",
    )
    written = OrderedJSONField(default=dict, blank=True, editable=False)
    sealed = OrderedJSONField(default=dict, blank=True, editable=False)

    objects = HostQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="host_name",
                violation_error_message="The site has a host of this name; retired hosts keep theirs.",
            ),
            models.CheckConstraint(
                name="host_vmid_range",
                condition=Q(vmid__isnull=True) | Q(vmid__gte=100, vmid__lte=999_999_999),
                violation_error_message="Proxmox numbers its guests from 100 to 999999999.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        problems: dict[str, list[str]] = {}
        self.host_keys = host_keys.lines_of(self.host_keys)
        if self.differs("name") and (problem := validators.label_problem(self.name)):
            problems.setdefault("name", []).append(problem)
        if self.form and self.form not in self.Form.values and self.differs("form"):
            problems.setdefault("form", []).append(
                f"“{self.form}” is not one of {', '.join(self.Form.values)}."
            )
        if (
            self.site_id
            and self.status != "retired"
            and (taken := contested(self.site_id, "name", self.name, self.pk))
        ):
            problems.setdefault("name", []).append(taken)
        if self.role and self.role.site_id != self.site_id:
            problems.setdefault("role", []).append(f"Role {self.role} belongs to another site.")
        self._check_hypervisor(problems)
        if (
            self.site_id
            and self.vmid
            and self.status != "retired"
            and (taken := contested(self.site_id, "vmid", str(self.vmid), self.pk))
        ):
            problems.setdefault("vmid", []).append(taken)
        if problems:
            raise ValidationError(problems)

    def _check_hypervisor(self, problems: dict[str, list[str]]) -> None:
        carrier = self.hypervisor
        if carrier is None or not self.differs("hypervisor", "site"):
            return
        if carrier.site_id != self.site_id:
            problems.setdefault("hypervisor", []).append(f"{carrier} belongs to another site.")
        elif carrier.pk == self.pk:
            problems.setdefault("hypervisor", []).append("A machine cannot run on itself.")
        elif carrier.form != self.Form.HYPERVISOR:
            problems.setdefault("hypervisor", []).append(
                f"{carrier} is no hypervisor; choose a host of form hv, or set its form first."
            )

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Ports of this switch, and segments behind this jump host, forget it first.

        Each with its history: the database would do it in silence.
        """
        for port in self.ports.exclude(host=self):
            port.switch = None
            port.save()
        for segment in Segment.objects.filter(
            Q(jump_host=self) | Q(jump_alternative=self) | Q(wake_relay=self)
        ):
            for field in ("jump_host", "jump_alternative", "wake_relay"):
                if getattr(segment, f"{field}_id") == self.pk:
                    setattr(segment, field, None)
            segment.save()
        return super().delete(*args, **kwargs)


class HostPart(Declared):
    """A declared row that belongs to a host."""

    objects = GuardedQuerySet.as_manager()

    #: the host that had the row when it was read; the door looks at its identities too when the row moves
    host_before: int | None = None

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Any:
        row = super().from_db(*args, **kwargs)
        row.host_before = row.__dict__.get("host_id")
        return row

    @property
    def owner_site_id(self) -> int | None:
        return self.host.site_id  # type: ignore[attr-defined]
