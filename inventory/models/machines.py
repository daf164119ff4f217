"""Machine specifications: what a host of form ``vm`` is made from, and made from again when it breaks."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from inventory import specs, validators
from inventory.models.hosts import Host, HostPart


class VirtualMachine(HostPart):
    """What one virtual machine is made from. Its MACs, addresses and VLANs are its interfaces', its VMID the host's."""

    class Boot(models.TextChoices):
        CLOUD_INIT = "cloud-init", "cloud-init: a clone of the template"
        PXE = "pxe", "pxe: from the network, with UEFI"

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="machine")
    cores = models.PositiveIntegerField(default=2, help_text="Virtual processor cores.")
    memory = models.PositiveIntegerField(default=2048, help_text="In MiB: 2048 is 2 GiB.")
    os_disk = models.PositiveIntegerField(
        "OS disk", default=32, help_text="In GiB. Grown to this before the first boot; a disk never shrinks."
    )
    data_disk = models.PositiveIntegerField(
        null=True, blank=True, help_text="In GiB; empty: none. Made only where it is absent."
    )
    data_disk_serial = models.CharField(
        "serial of the data disk",
        max_length=specs.LONGEST_SERIAL,
        blank=True,
        validators=[validators.disk_serial],
        help_text="The guest finds the disk by it: /dev/disk/by-id. At most 20 characters, such as data01.",
    )
    keep_data_disk = models.BooleanField(
        "keep the data disk", default=True, help_text="A rebuild makes the OS disk anew and leaves this one."
    )
    boot = models.CharField(max_length=10, choices=Boot, default=Boot.CLOUD_INIT)
    template = models.CharField(
        max_length=100,
        blank=True,
        validators=[validators.template_prefix],
        help_text="How the template's name begins, such as debian-13-; of several the newest by version.",
    )
    ciuser = models.CharField(
        "cloud-init user",
        max_length=32,
        blank=True,
        validators=[validators.user_name],
        help_text="Empty: the template's own.",
    )
    ssh_keys = models.TextField(
        "SSH public keys",
        blank=True,
        validators=[validators.ssh_public_keys],
        help_text="One a line, as in authorized_keys; they let in as the cloud-init user.",
    )
    cpu = models.CharField(
        "CPU type",
        max_length=40,
        blank=True,
        default="host",
        help_text="As Proxmox calls it, such as host or x86-64-v2-AES; empty: Proxmox's default.",
    )
    agent = models.BooleanField(
        "guest agent", default=True, help_text="The QEMU guest agent is expected to answer after the start."
    )
    rng = models.BooleanField(
        "random number device",
        default=False,
        help_text="VirtIO RNG. Without it a UEFI guest never asks for an address while it boots from the network.",
    )
    start_on_boot = models.BooleanField(default=True, help_text="Starts when its hypervisor does (onboot).")
    startup_order = models.PositiveIntegerField(
        null=True, blank=True, help_text="Lower starts first; empty: after those that have one."
    )
    storage = models.CharField(
        max_length=100, blank=True, help_text="Where its disks go; empty: the hypervisor's default."
    )
    bridge = models.CharField(
        max_length=40, blank=True, help_text="Bridge of its interfaces; empty: the hypervisor's default."
    )
    pool = models.CharField(
        max_length=100, blank=True, help_text="Resource pool; empty: the hypervisor's default."
    )

    class Meta:
        verbose_name = "machine specification"
        ordering = ["host"]
        constraints = [
            models.CheckConstraint(
                name="machine_cores",
                condition=Q(cores__gte=1, cores__lte=1024),
                violation_error_message="A machine has 1 to 1024 cores.",
            ),
            models.CheckConstraint(
                name="machine_memory",
                condition=Q(memory__gte=16, memory__lte=16_777_216),
                violation_error_message="Memory is counted in MiB: 16 to 16777216.",
            ),
            models.CheckConstraint(
                name="machine_os_disk",
                condition=Q(os_disk__gte=1, os_disk__lte=131_072),
                violation_error_message="The OS disk is counted in GiB: 1 to 131072.",
            ),
            models.CheckConstraint(
                name="machine_data_disk",
                condition=Q(data_disk__isnull=True, data_disk_serial="")
                | (
                    Q(data_disk__isnull=False, data_disk__gte=1, data_disk__lte=131_072)
                    & ~Q(data_disk_serial="")
                ),
                violation_error_message="A data disk has 1 to 131072 GiB and a serial; without one there is neither.",
            ),
            models.CheckConstraint(
                name="machine_data_disk_serial",
                condition=LessThanOrEqual(Length(F("data_disk_serial")), specs.LONGEST_SERIAL),
                violation_error_message="A serial is cut off behind 20 characters; write a shorter one.",
            ),
            models.CheckConstraint(
                name="machine_startup_order",
                condition=Q(startup_order__isnull=True) | Q(startup_order__lte=99_999),
                violation_error_message="The startup order is a number up to 99999.",
            ),
            models.CheckConstraint(
                name="machine_no_private_key",
                condition=~Q(ssh_keys__icontains=specs.PRIVATE),
                violation_error_message="A private key is never stored; write the public one.",
            ),
        ]

    def __str__(self) -> str:
        return f"specification of {self.host}"

    def clean(self) -> None:
        self.ssh_keys = specs.lines_of(self.ssh_keys)
        problems: dict[str, Any] = {}
        if self.differs("host") and self.host.form != Host.Form.VIRTUAL:
            problems["host"] = f"{self.host} is no virtual machine; set its form to vm first."
        if self.differs("data_disk", "data_disk_serial") and (
            problem := specs.data_disk_problem(self.data_disk, self.data_disk_serial)
        ):
            problems["data_disk_serial"] = problem
        if problems:
            raise ValidationError(problems)
