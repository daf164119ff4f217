"""Segments: VLANs with their networks and what DHCP may do there."""

from __future__ import annotations

import ipaddress

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from inventory import validators
from inventory.models.base import SiteRow
from inventory.models.fields import OrderedJSONField

#: columns that name a host by which people or packets come in
WAYS_IN = ("jump_host", "jump_alternative", "wake_relay")
IPV4_FIELDS = ("gateway4", "pool_first", "pool_last", "static_first", "static_last")


class Segment(SiteRow):
    """A VLAN of a site."""

    class Policy(models.TextChoices):
        STATIC = "static", "static: reservations only"
        DYNAMIC = "dynamic", "dynamic: pool only, no static mappings"
        BOTH = "both", "both: reservations and pool"
        NONE = "none", "none: no DHCP"

    name = models.CharField(max_length=63, help_text="As in Ansible: management, iot_backend.")
    vlan = models.PositiveIntegerField(
        "VLAN id",
        null=True,
        blank=True,
        validators=[MaxValueValidator(4094)],
        help_text="0 to 4094; empty when untagged.",
    )
    network4 = models.CharField(
        "IPv4 network",
        max_length=18,
        null=True,
        blank=True,
        validators=[validators.network],
        help_text="Such as 10.20.99.0/24.",
    )
    network6 = models.CharField(
        "IPv6 network",
        max_length=43,
        null=True,
        blank=True,
        validators=[validators.network],
        help_text="Such as fd00:20:99::/64.",
    )
    gateway4 = models.GenericIPAddressField("IPv4 gateway", protocol="IPv4", null=True, blank=True)
    gateway6 = models.GenericIPAddressField("IPv6 gateway", protocol="IPv6", null=True, blank=True)
    pool_first = models.GenericIPAddressField(
        "first address of the DHCP pool", protocol="IPv4", null=True, blank=True
    )
    pool_last = models.GenericIPAddressField(
        "last address of the DHCP pool", protocol="IPv4", null=True, blank=True
    )
    static_first = models.GenericIPAddressField(
        "first static address", protocol="IPv4", null=True, blank=True
    )
    static_last = models.GenericIPAddressField("last static address", protocol="IPv4", null=True, blank=True)
    delegated = OrderedJSONField(
        "delegated ranges",
        default=list,
        blank=True,
        validators=[validators.range_list],
        help_text="Ranges that another allocator hands out; skipped here.",
    )
    policy = models.CharField("DHCP policy", max_length=7, choices=Policy, default=Policy.STATIC)
    dns_servers = OrderedJSONField(
        "DNS servers",
        default=list,
        blank=True,
        validators=[validators.ip_list],
        help_text="Handed out by DHCP; empty means the gateway, since DNS lives on the core router.",
    )
    search_domains = OrderedJSONField(default=list, blank=True, validators=[validators.domain_list])
    next_server = models.GenericIPAddressField(
        "boot server (next-server)",
        protocol="IPv4",
        null=True,
        blank=True,
        help_text="What UEFI PXE reads as siaddr.",
    )
    jump_host = models.ForeignKey(
        "inventory.Host",
        verbose_name="jump host",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Operators come into this segment through it.",
    )
    jump_alternative = models.ForeignKey(
        "inventory.Host",
        verbose_name="second jump host",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The way in that does not cross the access switch: HOST.alt in the SSH configuration.",
    )
    wake_relay = models.ForeignKey(
        "inventory.Host",
        verbose_name="Wake-on-LAN relay",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="A host on this segment that sends the packet where this application is not.",
    )
    trust = models.CharField(max_length=40, blank=True)
    suffix = models.CharField(
        "interface suffix",
        max_length=40,
        blank=True,
        validators=[validators.label],
        help_text="Second interfaces here are named <host>-<suffix>.",
    )
    variables = OrderedJSONField(
        default=dict,
        blank=True,
        validators=[validators.mapping],
        help_text="Further keys of the segment in Ansible.",
    )
    written = OrderedJSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["site", "vlan", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="segment_name",
                violation_error_message="The site has a segment of this name.",
            ),
            models.CheckConstraint(
                name="segment_pool_ends",
                condition=Q(pool_first__isnull=True, pool_last__isnull=True)
                | Q(pool_first__isnull=False, pool_last__isnull=False),
                violation_error_message="Give both ends of the pool, or neither.",
            ),
            models.CheckConstraint(
                name="segment_static_ends",
                condition=Q(static_first__isnull=True, static_last__isnull=True)
                | Q(static_first__isnull=False, static_last__isnull=False),
                violation_error_message="Give both ends of the static range, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what contradicts itself; every problem at once."""
        problems: dict[str, list[str]] = {}
        self._check_networks(problems)
        self._check_ways_in(problems)
        for network, fields in (("network4", IPV4_FIELDS), ("network6", ("gateway6",))):
            changed = tuple(field for field in fields if self.differs(field, network))
            self._check_within(problems, getattr(self, network), changed)
        self._check_ranges(problems)
        self._check_overlap(problems)
        if problems:
            raise ValidationError(problems)

    def _check_networks(self, problems: dict[str, list[str]]) -> None:
        for field, version in (("network4", 4), ("network6", 6)):
            text = getattr(self, field)
            if not text:
                setattr(self, field, None)
                continue
            try:
                network = ipaddress.ip_network(text)
            except ValueError:
                continue  # the field's own validator says it
            if network.version != version:
                problems.setdefault(field, []).append(f"{text} is not an IPv{version} network.")

    def _check_ways_in(self, problems: dict[str, list[str]]) -> None:
        for field in WAYS_IN:
            host = getattr(self, field)
            if host is not None and self.differs(field, "site") and host.site_id != self.site_id:
                problems.setdefault(field, []).append(f"Host {host} belongs to another site.")
        first, second = self.jump_host_id, self.jump_alternative_id
        if second is not None and first == second and self.differs("jump_host", "jump_alternative"):
            problems.setdefault("jump_alternative", []).append(
                "It is the jump host itself; name another, or leave it empty."
            )

    def _check_within(
        self, problems: dict[str, list[str]], text: str | None, fields: tuple[str, ...]
    ) -> None:
        try:
            network = ipaddress.ip_network(text, strict=False) if text else None
        except ValueError:
            return  # the field's own validator says it
        for field in fields:
            value = getattr(self, field)
            if value and "%" in value:
                problems.setdefault(field, []).append(f"{value} names an interface; write the address alone.")
            elif value and network is None:
                problems.setdefault(field, []).append(
                    f"{value} needs a network; declare the segment's network first."
                )
            elif value and network and ipaddress.ip_address(value) not in network:
                problems.setdefault(field, []).append(f"{value} lies outside {network}.")

    def _check_ranges(self, problems: dict[str, list[str]]) -> None:
        for first, last in (("pool_first", "pool_last"), ("static_first", "static_last")):
            if not self.differs(first, last):
                continue
            low, high = getattr(self, first), getattr(self, last)
            if low and high and int(ipaddress.ip_address(low)) > int(ipaddress.ip_address(high)):
                problems.setdefault(last, []).append(f"The range ends at {high}, before it begins at {low}.")

    def _check_overlap(self, problems: dict[str, list[str]]) -> None:
        if not self.site_id:
            return
        others = list(Segment.objects.filter(site_id=self.site_id).exclude(pk=self.pk))
        for field in ("network4", "network6"):
            mine = getattr(self, field) if self.differs(field) else None
            try:
                network = ipaddress.ip_network(mine) if mine else None
            except ValueError:
                continue
            for other in others:
                theirs = getattr(other, field)
                if network and theirs and network.overlaps(ipaddress.ip_network(theirs)):
                    problems.setdefault(field, []).append(
                        f"{mine} overlaps {theirs} of segment {other.name}."
                    )
