"""What is not as declared: a row that opens once, and closes when a later survey sees it gone."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from inventory.models import Site
from provisioning.surveying import kinds_of_drift as words
from provisioning.surveying.kinds_of_drift import KINDS

#: whether its hypervisor could be looked at
SEEN, UNKNOWN, LOST = "seen", "unknown", "lost"
ACCEPTED, IGNORED = "accepted", "ignored"


class DriftFindings(models.QuerySet["DriftFinding"]):
    def judged(self, today: date | None = None) -> DriftFindings:
        """Each with its ``state`` (see ``STANDINGS``), as of *today*."""
        day = today or timezone.localdate()
        return self.annotate(
            state=Case(
                When(closed__isnull=False, then=Value(words.CLOSED)),
                When(sight=LOST, then=Value(words.LOST)),
                When(sight=UNKNOWN, then=Value(words.UNKNOWN)),
                When(decision=ACCEPTED, then=Value(words.ACCEPTED)),
                When(decision=IGNORED, ignored_until__gte=day, then=Value(words.IGNORED)),
                default=Value(words.OPEN),
                output_field=models.CharField(),
            )
        )

    def standing(self) -> DriftFindings:
        """Those that no survey has closed."""
        return self.filter(closed__isnull=True)


class DriftFinding(models.Model):
    """One fault. It is written by ``provisioning.drift`` alone."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="drift")
    kind = models.CharField(max_length=20, choices=[(kind.name, kind.title) for kind in KINDS.values()])
    #: that is to carry the machine, or carries the guest that nobody declares
    hypervisor = models.CharField(max_length=255)
    #: the host's name, or “VMID 300”
    subject = models.CharField(max_length=255)
    #: such as memory, net0 MAC, OS disk
    field = models.CharField(max_length=100)
    host_name = models.CharField("host", max_length=255, blank=True)
    vmid = models.PositiveIntegerField("VMID")
    wanted = models.TextField("declared", blank=True)
    found = models.TextField(blank=True)
    #: the hypervisor on which the machine is instead
    elsewhere = models.CharField(max_length=255, blank=True)

    opened = models.DateTimeField()
    last_seen = models.DateTimeField()
    closed = models.DateTimeField(null=True, blank=True)
    #: revision of the site that it was last judged against
    revision = models.PositiveIntegerField(default=0)
    sight = models.CharField(
        max_length=8, default=SEEN, choices=[(one, one) for one in (SEEN, UNKNOWN, LOST)]
    )

    decision = models.CharField(max_length=8, blank=True, choices=[(one, one) for one in (ACCEPTED, IGNORED)])
    ignored_until = models.DateField(null=True, blank=True)
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_why = models.TextField(blank=True)

    #: how it stands: of rows from ``judged`` alone
    state: str

    objects = DriftFindings.as_manager()

    class Meta:
        verbose_name = "drift"
        verbose_name_plural = "drift"
        ordering = ["site", "hypervisor", "vmid", "kind", "field", "id"]
        default_permissions = ("view",)
        permissions = [("decide_drift", "Can accept and ignore drift")]
        indexes = [models.Index(fields=["site", "closed"], name="drift_by_site")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "hypervisor", "subject", "field"],
                condition=Q(closed__isnull=True),
                name="drift_open_once",
                violation_error_message="This drift is open already.",
            ),
            models.CheckConstraint(
                condition=Q(sight__in=(SEEN, UNKNOWN, LOST)),
                name="drift_sight_known",
                violation_error_message="A hypervisor is seen, unknown or lost.",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=("", ACCEPTED), ignored_until__isnull=True)
                | Q(decision=IGNORED, ignored_until__isnull=False),
                name="drift_ignored_until_a_day",
                violation_error_message="What is ignored is ignored until a day, and nothing else is.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.title}" + (f" ({self.field})" if self.field != "machine" else "")

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.kind, self.hypervisor, self.subject, self.field

    @property
    def title(self) -> str:
        known = KINDS.get(self.kind)
        return known.title if known else self.kind

    def as_dict(self) -> dict[str, Any]:
        """What ``manage.py drift --json`` and the API show; the row comes from ``judged``."""
        return {
            "id": self.pk,
            "kind": self.kind,
            "state": self.state,
            "hypervisor": self.hypervisor,
            "host": self.host_name or None,
            "vmid": self.vmid,
            "field": self.field,
            "declared": self.wanted,
            "found": self.found,
            "elsewhere": self.elsewhere or None,
            "opened": self.opened.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "closed": self.closed.isoformat() if self.closed else None,
            "revision": self.revision,
            "ignored_until": self.ignored_until.isoformat() if self.ignored_until else None,
            "decided_by": self.decided_by,
            "decided_why": self.decided_why,
        }


class DriftDecision(models.Model):
    """What somebody decided about a drift, and why: kept when it is over."""

    VERBS = ("accept", "ignore", "withdraw", "changed", "declare")

    finding = models.ForeignKey(DriftFinding, on_delete=models.CASCADE, related_name="decisions")
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    verb = models.CharField(max_length=10, choices=[(verb, verb) for verb in VERBS])
    until = models.DateField(null=True, blank=True)
    why = models.TextField(blank=True)

    class Meta:
        ordering = ["finding", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.verb} {self.finding_id}"
