"""Schedules: which job is asked for when. Whether there is such a kind of job, and what it does, is not known here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from inventory.automating import scheduled
from inventory.automating.timing import MOST_HOURS, Timing
from inventory.models.base import SiteRow
from inventory.models.fields import OrderedJSONField

#: What others have to say of a schedule that a person writes: field → sentences. Whoever carries schedules out appends.
JUDGES: list[Callable[[Any], dict[str, list[str]]]] = []


class Schedule(SiteRow):
    """One kind of job with its parameters, asked for by a clock in the name of its owner."""

    name = models.CharField(max_length=63, help_text="Such as nightly-survey.")
    kind = models.CharField(
        "kind of job", max_length=60, help_text="As in manage.py job KIND, such as survey."
    )
    parameters: Any = OrderedJSONField(
        default=dict, blank=True, help_text="What the kind asks for, such as “host: hv01”. Never a secret."
    )
    cron = models.CharField(
        "cron expression",
        max_length=100,
        blank=True,
        help_text="Minute, hour, day of month, month, day of week: 30 2 * * * is each day at 2:30. Or leave it empty and "
        "give hours.",
    )
    every_hours = models.PositiveIntegerField(
        "every so many hours",
        null=True,
        blank=True,
        help_text="Counted from midnight UTC; instead of a cron expression.",
    )
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="Of the cron expression, such as Europe/Berlin."
    )
    enabled = models.BooleanField(
        default=True, help_text="Without it nothing is asked for, and nothing is made up later."
    )
    owner = models.CharField(
        max_length=150,
        blank=True,
        help_text="In whose name it asks: whoever wrote it last. It stops when that one may no longer start such a job.",
    )
    why = models.TextField("reason", help_text="What it is for; each of its jobs says it.")

    class Meta:
        ordering = ["site", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="schedule_name_once",
                violation_error_message="The site has a schedule of this name already.",
            ),
            models.CheckConstraint(
                condition=Q(every_hours__isnull=True) & ~Q(cron="")
                | Q(every_hours__gte=1, every_hours__lte=MOST_HOURS, cron=""),
                name="schedule_cron_or_hours",
                violation_error_message="Give a cron expression, or a number of hours; one of the two.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def timing(self) -> Timing:
        return Timing(self.cron, self.every_hours, self.time_zone)

    def clean(self) -> None:
        self.cron = " ".join(self.cron.split())
        problems: dict[str, list[str]] = {}
        if self.differs("name") and (problem := scheduled.name_problem(self.name)):
            problems["name"] = [problem]
        if self.differs("cron", "every_hours", "time_zone"):
            for field, message in self.timing.problems():
                problems.setdefault(field, []).append(message)
        if self.differs("parameters") and (problem := scheduled.secret_problem(self.parameters)):
            problems["parameters"] = [problem]
        if self.differs("why") and not self.why.strip():
            problems["why"] = ["Say what it is for; each of its jobs says it."]
        if problems:
            raise ValidationError(problems)

    def judged(self) -> dict[str, list[str]]:
        """What forbids that somebody writes it so, beyond the row itself: such as that there are no jobs of its kind."""
        found: dict[str, list[str]] = {}
        for judge in JUDGES:
            for field, messages in judge(self).items():
                found.setdefault(field, []).extend(messages)
        return found
