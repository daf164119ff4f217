"""How each declared schedule does: up to when its due times are done with, and why it cannot be carried out."""

from __future__ import annotations

from django.db import models


class ScheduleState(models.Model):
    """One declared schedule, as the clock sees it."""

    schedule = models.OneToOneField(
        "inventory.Schedule",
        on_delete=models.CASCADE,
        related_name="state",
        db_constraint=False,  # undo takes declared rows away in bulk; what is left of their state says nothing
    )
    #: what it was declared to be when ``handled`` was set: another timing begins anew, without making anything up
    timing = models.CharField(max_length=250)
    #: due times up to this moment are done with
    handled = models.DateTimeField()
    #: what of the declaration is no longer valid; it asks for nothing until it is
    fault = models.TextField(blank=True)
    #: how asking was refused the last time
    refused = models.TextField(blank=True)
    #: what else there is to say of the last due time: skipped, missed
    note = models.TextField(blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"state of {self.schedule}"

    @property
    def problem(self) -> str:
        """Why it is red; empty: it is not."""
        return self.fault or self.refused
