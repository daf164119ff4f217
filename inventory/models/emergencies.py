"""Uses of a site's emergency access: who came in that way, when and why, and whether it was tidied up after."""

from __future__ import annotations

import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from inventory.models.base import SiteRow


class EmergencyUse(SiteRow):
    """One use. Open until what is to be done after it is done: until then a finding says so."""

    at = models.DateTimeField("when", default=timezone.now)
    who = models.CharField(max_length=150, help_text="Who came in.")
    why = models.TextField("reason", help_text="What was broken, and what was done.")
    done_at = models.DateTimeField(
        "tidied up", null=True, blank=True, help_text="When what is to be done after a use was done."
    )
    done_by = models.CharField("tidied up by", max_length=150, blank=True)

    class Meta:
        verbose_name = "use of the emergency access"
        verbose_name_plural = "uses of the emergency access"
        ordering = ["site", "-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "at", "who"],
                name="emergency_use_once",
                violation_error_message="This use is recorded already.",
            ),
            models.CheckConstraint(
                name="emergency_use_done_by",
                condition=Q(done_at__isnull=True, done_by="") | Q(done_at__isnull=False),
                violation_error_message="Say when it was tidied up as well, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.who} at {self.at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        problems = {}
        for field in ("who", "why"):
            if self.differs(field) and not getattr(self, field).strip():
                problems[field] = "Say it; people will ask."
        if self.at and self.differs("at") and self.at > timezone.now() + datetime.timedelta(minutes=5):
            problems["at"] = "That is yet to come; a use is recorded once it began."
        if self.done_at and self.at and self.differs("done_at") and self.done_at < self.at:
            problems["done_at"] = "It cannot be tidied up before it began."
        if problems:
            raise ValidationError(problems)
