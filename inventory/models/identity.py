"""The ledger of identities: which MAC, address, VMID or name is whose, and since when."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from inventory.door import open_change
from inventory.identity import dns_name
from inventory.querysets import IdentityQuerySet


class Identity(models.Model):
    """One claim on one value. Kept by ``inventory.ledger`` inside the door; never edited by hand, never deleted."""

    class Kind(models.TextChoices):
        MAC = "mac", "MAC"
        IP = "ip", "address"
        VMID = "vmid", "VMID"
        NAME = "name", "name"

    class State(models.TextChoices):
        HELD = "held"
        QUARANTINED = "quarantined"
        RELEASED = "released"
        DISPUTED = "disputed"

    site = models.ForeignKey("inventory.Site", on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=4, choices=Kind)
    value = models.CharField(max_length=253, db_index=True)
    state = models.CharField(max_length=11, choices=State, default=State.HELD)
    host = models.ForeignKey(
        "inventory.Host", null=True, on_delete=models.SET_NULL, related_name="identities"
    )
    host_name = models.CharField(max_length=253, help_text="Kept when the host's row is gone.")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(
        null=True, blank=True, help_text="When the quarantine passes, or when it was released."
    )

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "identities"
        ordering = ["site", "kind", "value", "state"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "value"],
                condition=Q(state__in=["held", "quarantined"]),
                name="identity_held_once",
                violation_error_message="Another host holds this value, or it is in quarantine.",
            ),
            models.UniqueConstraint(
                fields=["site", "kind", "value", "host"],
                condition=~Q(state="released"),
                name="identity_claimed_once_per_host",
                violation_error_message="The host claims this value already.",
            ),
        ]
        indexes = [models.Index(fields=["host", "state"], name="identity_of_host")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    @property
    def is_over(self) -> bool:
        """A quarantine that has passed, though nobody has swept it up yet."""
        return (
            self.state == self.State.QUARANTINED and self.until is not None and self.until <= timezone.now()
        )


def contested(
    site_id: int, kind: str, value: str, host_id: int | None, *, moved_from: int | None = None
) -> str:
    """Say who else has *value*, for the field in which a person typed it; empty when it is free for this host.

    What the host claims already is no news, disputed or not. What moves here from another host is free as well: that
    host gives it up in the same change. Inside a change nothing is asked here: another host may give the value up
    before the end, where the ledger looks at all of them and has the last word.
    """
    change = open_change()
    if change is not None and change.covers(site_id):
        return ""
    wanted = (dns_name(value) or value) if kind == "name" else value
    rows = list(Identity.objects.active().filter(site_id=site_id, kind=kind, value=wanted))
    if host_id and any(row.host_id == host_id and row.state != Identity.State.QUARANTINED for row in rows):
        return ""
    others = [
        row
        for row in rows
        if not row.is_over and (row.host_id is None or row.host_id not in (host_id, moved_from))
    ]
    if not others:
        return ""
    row = min(
        others, key=lambda row: (row.state == Identity.State.DISPUTED, row.host_name)
    )  # who holds it, first
    if row.state == Identity.State.QUARANTINED:
        until = f" until {row.until:%Y-%m-%d}" if row.until else ""
        return f"{value} was {row.host_name}'s and is in quarantine{until}; choose another, or free it first."
    return f"{value} belongs to {row.host_name}; choose another, or change it there first."
