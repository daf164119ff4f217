"""A site and who serves it."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from inventory import naming, validators
from inventory.models.automation import templates_elsewhere
from inventory.models.base import Declared, SiteRow
from inventory.models.fields import OrderedJSONField
from inventory.querysets import GuardedQuerySet


class Site(Declared):
    """A self-contained place: its own address block, router and DNS zone ``<slug>.<root domain>``."""

    class MacEncoding(models.TextChoices):
        ROLE = "role", "role: 02:organisation:environment:role:node:instance"
        VMID = "vmid", "vmid: 02:organisation:environment:VMID in three octets"

    slug = models.CharField(
        max_length=63,
        unique=True,
        validators=[validators.site_slug],
        help_text="Short name and DNS label, such as dvntm.",
        error_messages={"unique": "There is already a site of this name; choose another or open that one."},
    )
    name = models.CharField(
        max_length=200, blank=True, help_text="What people call it, such as “mobile lab”."
    )
    root_domain = models.CharField(
        max_length=180,
        blank=True,
        validators=[validators.domain_name],
        help_text="The zone of the site is <slug>.<root domain>. Without one of your own use home.arpa (RFC 8375).",
    )
    block = models.CharField(
        "address block",
        max_length=43,
        blank=True,
        validators=[validators.network],
        help_text="The site's own network, such as 10.20.0.0/16.",
    )
    organisation = models.CharField(
        max_length=2,
        blank=True,
        validators=[validators.hex_octet],
        help_text="Second octet of assigned MACs: two hex digits of text.",
    )
    environment = models.CharField(
        max_length=2,
        blank=True,
        validators=[validators.hex_octet],
        help_text="Third octet of assigned MACs: two hex digits of text.",
    )
    mac_encoding = models.CharField(max_length=4, choices=MacEncoding, default=MacEncoding.ROLE)
    vmid_first = models.PositiveIntegerField("first VMID", null=True, blank=True)
    vmid_last = models.PositiveIntegerField("last VMID", null=True, blank=True)
    naming = OrderedJSONField(
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="The naming pattern as data; empty until needed.",
    )
    variables = OrderedJSONField(
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="Ansible variables of the group “all”.",
    )
    mapping = OrderedJSONField(
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="Which Ansible variable means which noun, where it differs from the documented table.",
    )
    emergency_who = models.TextField(
        "who may", blank=True, help_text="Who may come in when nothing else works, and who has to be told."
    )
    emergency_how = models.TextField(
        "how", blank=True, help_text="The way in, step by step. No secret: say where it lies."
    )
    emergency_secret = models.CharField(
        "secret",
        max_length=300,
        blank=True,
        validators=[validators.secret_reference],
        help_text="A reference: env:NAME, file:/path, vault:VARIABLE or unlock:NAME. The secret itself is not stored here.",
    )
    emergency_after = models.TextField(
        "what to do after",
        blank=True,
        help_text="Change the password, seal the envelope anew, look at the log.",
    )
    written = OrderedJSONField(default=dict, blank=True, editable=False)
    sealed = OrderedJSONField(default=dict, blank=True, editable=False)
    #: zone → [serial, content hash]; moved on publication, see inventory.serving.publication
    zone_serials = OrderedJSONField(default=dict, blank=True, editable=False)
    uid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    revision = models.BigIntegerField(default=0, editable=False)
    #: how often another copy of the application became the one that writes; raised by a promotion, never lowered
    epoch = models.BigIntegerField(default=1, editable=False)
    #: ``Copy.uid`` of the one that writes; elsewhere the site is read-only
    live_copy = models.CharField(max_length=16, blank=True, editable=False)

    objects = GuardedQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        permissions = [("promote_site", "Can make this the copy that writes a site")]
        constraints = [
            models.CheckConstraint(
                name="site_vmid_range",
                condition=Q(vmid_first__isnull=True, vmid_last__isnull=True)
                | Q(vmid_first__gte=100, vmid_last__gte=F("vmid_first"), vmid_last__lte=999_999_999),
                violation_error_message="Give both ends of the VMID range, first before last, from 100 on.",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    #: moved by the door, by publication and by promotions alone; saving a form must not put old values back
    NOT_SAVED = frozenset({"id", "revision", "zone_serials", "uid", "epoch", "live_copy"})

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                f.name for f in self._meta.concrete_fields if f.name not in self.NOT_SAVED
            ]
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.differs("naming") and (errors := naming.check(self.naming)):
            raise ValidationError({"naming": errors})
        if self.pk and self.root_domain and self.differs("root_domain"):
            mine = self.aliases.values_list("name", flat=True)
            others = type(self).objects.filter(root_domain=self.root_domain, aliases__name__in=list(mine))
            if other := others.exclude(pk=self.pk).first():
                raise ValidationError(
                    {
                        "root_domain": f"Site {other} has aliases of the same names below {self.root_domain}; rename or "
                        "delete them on one side first."
                    }
                )

    @property
    def owner_site_id(self) -> int | None:
        return self.pk

    @property
    def zone(self) -> str:
        return f"{self.slug}.{self.root_domain}" if self.root_domain else self.slug


class Authority(SiteRow):
    """Who serves DHCP and DNS, as declared: append-only; the newest row counts, no row is a state of its own."""

    class Mode(models.TextChoices):
        GATEWAY = "gateway", "gateway: the core router"
        BOOTSTRAP = "bootstrap", "bootstrap: the bootstrap node"

    mode = models.CharField(max_length=9, choices=Mode)
    bootstrap_host = models.ForeignKey(
        "inventory.Host", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    by_name = models.CharField(max_length=150, blank=True, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    why = models.TextField(help_text="Why the authority is declared; people will ask.")

    class Meta:
        verbose_name = "authority declaration"
        ordering = ["site", "-at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_mode_display()} for {self.site}"

    def clean(self) -> None:
        if self.pk and Authority.objects.filter(pk=self.pk).exists():
            raise ValidationError("A declaration of authority is never edited; declare anew.")


class Role(SiteRow):
    """What a host is for, in names and in MACs: the registry of RR codes."""

    slug = models.CharField(
        max_length=40, validators=[validators.label], help_text="As in host names: netctrl."
    )
    code = models.CharField(
        "RR code",
        max_length=2,
        blank=True,
        validators=[validators.hex_octet],
        help_text="Fourth octet of assigned MACs: two hex digits. Empty until a MAC is assigned for this role.",
    )
    title = models.CharField(max_length=200, blank=True)
    configure_template = models.ForeignKey(
        "inventory.JobTemplate",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="configures_roles",
        help_text="Create and rebuild end with a run of it, limited to the host.",
    )
    retire_template = models.ForeignKey(
        "inventory.JobTemplate",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="retires_roles",
        help_text="Cleans up behind a host of this role before it is retired.",
    )

    class Meta:
        ordering = ["site", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "slug"],
                name="role_slug",
                violation_error_message="The site has a role of this name.",
            ),
            models.UniqueConstraint(
                fields=["site", "code"],
                condition=~Q(code=""),
                name="role_code",
                violation_error_message="Another role of the site has this RR code; a code names one role.",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        if problems := templates_elsewhere(self):
            raise ValidationError(problems)
