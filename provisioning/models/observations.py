"""What runs have gathered of hosts: the newest of each kind, beside the declaration and never in its place."""

from __future__ import annotations

from typing import Any

from django.db import models

from inventory.models import Site
from provisioning.models.runs import PlaybookRun

NAME, SYSTEM, INTERFACES, HOST_KEYS = "name", "system", "interfaces", "host_keys"
#: kind → what people call it
KINDS = {
    NAME: "host name",
    SYSTEM: "operating system",
    INTERFACES: "interfaces",
    HOST_KEYS: "SSH host keys",
}


class Observation(models.Model):
    """One host as one run saw it, in one respect. Written by ``provisioning.observed.observing`` alone."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="observations")
    host_name = models.CharField("host", max_length=255)
    kind = models.CharField(max_length=12, choices=list(KINDS.items()))
    value: Any = models.JSONField()
    at = models.DateTimeField()
    run = models.ForeignKey(PlaybookRun, null=True, on_delete=models.SET_NULL, related_name="observations")

    class Meta:
        ordering = ["site", "host_name", "kind"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["site", "host_name", "kind"],
                name="observation_newest_once",
                violation_error_message="The host was observed in this respect already; the newest is kept.",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=tuple(KINDS)),
                name="observation_kind_known",
                violation_error_message=f"What is observed is {', '.join(KINDS.values())}.",
            ),
        ]

    def __str__(self) -> str:
        return f"{KINDS.get(self.kind, self.kind)} of {self.host_name}"


def said(row: Observation) -> list[str]:
    """What was observed, a line each, for people."""
    value = row.value
    if row.kind == INTERFACES:
        return [
            " ".join(filter(None, (one.get("name"), one.get("mac"), ", ".join(one.get("addresses") or ()))))
            for one in value
        ]
    if row.kind == HOST_KEYS:
        return [f"{kind} {key}" for kind, key in sorted(value.items())]
    if row.kind == NAME:
        return [value.get("fqdn") or value.get("hostname") or ""]
    words = (value.get(key) for key in ("distribution", "distribution_version", "kernel", "architecture"))
    return [" ".join(filter(None, words))]
