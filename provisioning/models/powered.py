"""When this installation was powered on: the spans of time in which its workers were heard."""

from __future__ import annotations

from django.db import models


class PoweredSpan(models.Model):
    """From *began* on workers were heard again and again, last *until*; on the database's clock.

    One row for each time the lab is switched on.
    """

    began = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.began:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"
