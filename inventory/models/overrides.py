"""Findings that a site's people looked at and live with, for a while."""

from __future__ import annotations

from django.db import models

from inventory.models.base import SiteRow


class SeverityOverride(SiteRow):
    """A severity lowered for one finding, or one finding of one subject, with a reason and an end."""

    class Severity(models.TextChoices):
        WARNING = "warning"
        INFO = "info"

    finding = models.CharField(max_length=60, help_text="Id of the finding, such as address-in-pool.")
    subject = models.CharField(
        max_length=300,
        blank=True,
        help_text="As the finding names it: host pi01, interface pi01/eth0. Empty: wherever it occurs in the site.",
    )
    severity = models.CharField("lowered to", max_length=7, choices=Severity)
    why = models.TextField("reason", help_text="Why the site may live with it; people will ask.")
    expires = models.DateField(help_text="The last day on which it counts as lowered.")

    class Meta:
        ordering = ["site", "finding", "subject"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "finding", "subject"],
                name="severity_override_once",
                violation_error_message="The severity of this finding is lowered already; change that one.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.finding} {self.subject}".strip()
