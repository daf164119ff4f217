"""Hypervisors: where the API of a host of form ``hv`` is, and how it is entered."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from inventory import validators
from inventory.models.hosts import Host, HostPart


class Hypervisor(HostPart):
    """The Proxmox API of one host. A credential is a reference that is resolved when it is used, never a value."""

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="proxmox")
    api_url = models.CharField(
        "API address",
        max_length=300,
        blank=True,
        validators=[validators.https_url],
        help_text="Such as https://10.20.99.21:8006; empty: the host's primary address, port 8006.",
    )
    node = models.CharField(max_length=63, blank=True, help_text="Name of the node; empty: the host's name.")
    token_id = models.CharField(
        "API token id",
        max_length=200,
        blank=True,
        validators=[validators.token_id],
        help_text="user@realm!name, such as mgmtplane@pve!write. For jobs that change something.",
    )
    secret = models.CharField(
        "API token secret",
        max_length=300,
        blank=True,
        validators=[validators.secret_reference],
        help_text="A reference: env:NAME, file:/path, vault:VARIABLE or unlock:NAME. The secret itself is not stored here.",
    )
    read_token_id = models.CharField(
        "reading token id",
        max_length=200,
        blank=True,
        validators=[validators.token_id],
        help_text="Such as mgmtplane@pve!survey, which may only look: for surveys. Empty: the one above reads, too.",
    )
    read_secret = models.CharField(
        "reading token secret",
        max_length=300,
        blank=True,
        validators=[validators.secret_reference],
        help_text="A reference as well.",
    )
    ca_file = models.CharField(
        "CA file",
        max_length=300,
        blank=True,
        help_text="Absolute path of the CA that signed its certificate.",
    )
    fingerprint = models.CharField(
        max_length=95,
        blank=True,
        validators=[validators.sha256_fingerprint],
        help_text="SHA-256 of its certificate, as Proxmox shows it, while there is no CA.",
    )
    storage = models.CharField(max_length=100, blank=True, help_text="Where new disks go by default.")
    bridge = models.CharField(max_length=40, blank=True, help_text="Bridge of new interfaces by default.")
    pool = models.CharField(max_length=100, blank=True, help_text="Resource pool of new machines by default.")

    class Meta:
        ordering = ["host"]

    def __str__(self) -> str:
        return f"API of {self.host}"

    def clean(self) -> None:
        if self.differs("host") and self.host.form != Host.Form.HYPERVISOR:
            raise ValidationError({"host": f"{self.host} is no hypervisor; set its form to hv first."})
