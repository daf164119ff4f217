"""Findings that a site's people looked at and live with, for a while."""

from __future__ import annotations

import difflib

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from inventory.models.base import SiteRow
from inventory.rules.catalogue import KNOWN
from inventory.rules.lowering import OWN


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
    expires = models.DateField("last day", help_text="The last day on which it counts as lowered.")

    class Meta:
        verbose_name = "lowered severity"
        verbose_name_plural = "lowered severities"
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

    def clean(self) -> None:
        problems = {}
        if self.differs("finding") and (problem := _finding_problem(self.finding)):
            problems["finding"] = problem
        if self.differs("expires") and self.expires and self.expires < timezone.localdate():
            problems["expires"] = f"{self.expires} is over; give a day from today on."
        if self.differs("why") and not self.why.strip():
            problems["why"] = "Say why the site may live with it."
        if problems:
            raise ValidationError(problems)


def _finding_problem(finding: str) -> str:
    """Say why *finding* cannot be lowered; empty when it can."""
    if finding in OWN:
        return f"“{finding}” is about lowering itself and cannot be lowered."
    if finding in KNOWN:
        return ""
    near = difflib.get_close_matches(finding, KNOWN, n=1)
    meant = f"did you mean {near[0]}?" if near else "the list of findings names them all."
    return f"There is no finding “{finding}”; {meant}"
