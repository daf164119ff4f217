"""Services, which hosts carry, and the aliases that point at them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from inventory import validators
from inventory.local_ports import FIRST, LAST
from inventory.models.base import Declared
from inventory.models.hosts import Host, HostPart
from inventory.models.identity import contested
from inventory.querysets import GuardedQuerySet


class Service(HostPart):
    """A name that consumers use, carried now by one host: a CNAME. Moving it changes one record."""

    class WebScheme(models.TextChoices):
        HTTP = "http"
        HTTPS = "https"

    site = models.ForeignKey(
        "inventory.Site", on_delete=models.CASCADE, related_name="services", editable=False
    )
    name = models.CharField(max_length=190, help_text="DNS label below the site's zone: artifacts.")
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="services")
    tenant = models.CharField(
        max_length=63, blank=True, help_text="Tenant services are <service>.<tenant>.<zone>."
    )
    port = models.PositiveIntegerField(null=True, blank=True)
    health_check = models.CharField(
        max_length=200, blank=True, help_text="URL path or tcp; how to see that it answers."
    )
    metrics_path = models.CharField(max_length=200, blank=True)
    web_scheme = models.CharField(
        "web page",
        max_length=5,
        blank=True,
        choices=WebScheme,
        help_text="People open it in a browser: it gets a local port of its own in the SSH configuration.",
    )
    local_port = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Where a tunnel to the web page ends on the operator's machine; handed out once, and kept.",
    )

    class Meta:
        ordering = ["site", "name", "tenant"]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "name", "tenant"],
                name="service_once_per_host",
                violation_error_message="The host carries this service already.",
            ),
            models.UniqueConstraint(
                fields=["site", "local_port"],
                name="service_local_port",
                violation_error_message="Another web page of the site has this local port; leave it out, and one is given.",
            ),
            models.CheckConstraint(
                name="service_local_port_range",
                condition=Q(local_port__isnull=True) | Q(local_port__gte=FIRST, local_port__lte=LAST),
                violation_error_message=f"Local ports are from {FIRST} to {LAST}.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return f"{self.name}.{self.tenant}" if self.tenant else self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.site_id = self.host.site_id
        super().save(*args, **kwargs)

    def clean(self) -> None:
        problems: dict[str, list[str]] = {}
        for field in ("name", "tenant"):
            value = getattr(self, field)
            if (
                (value or field == "name")
                and self.differs(field)
                and (problem := validators.label_problem(value))
            ):
                problems.setdefault(field, []).append(problem)
        host = getattr(self, "host", None)  # none yet, or not stored yet, on the page of a new one
        lives = host and host.status != "retired"
        if lives and (taken := self._contest(host)):
            problems.setdefault("name", []).append(taken)
        if host and self.pk and host.site_id != self.site_id:
            problems.setdefault("host", []).append(f"{host} belongs to another site.")
        if problems:
            raise ValidationError(problems)

    def _contest(self, host: Any) -> str:
        return contested(host.site_id, "name", self.label, host.pk, moved_from=self.host_before)


class Alias(Declared):
    """A name directly below the root domain, such as ``artifacts.example.net``: a one-name zone of its own."""

    site = models.ForeignKey(
        "inventory.Site", on_delete=models.CASCADE, related_name="aliases", editable=False
    )
    name = models.CharField(max_length=63, validators=[validators.label])
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="aliases")

    objects = GuardedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="alias_name",
                violation_error_message="The site declares this alias already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owner_site_id(self) -> int | None:
        return self.service.site_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.site_id = self.service.site_id
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Below one root domain a name has one answer, whichever site declares it."""
        service = getattr(self, "service", None)  # neither that nor its host yet on the page of a new one
        host = getattr(service, "host", None)
        if host is None or not host.site.root_domain or not self.differs("name", "service"):
            return
        root = host.site.root_domain
        others = Alias.objects.filter(name=self.name, site__root_domain=root).exclude(site=host.site_id)
        if other := others.select_related("site").first():
            raise ValidationError(
                {
                    "name": f"{self.name}.{root} is an alias of site {other.site} already; choose another name, or "
                    "delete it there first."
                }
            )
