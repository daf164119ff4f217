"""Which workers have been heard."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """A worker process, and when it last said that it lives: on the database's clock."""

    name = models.CharField(max_length=255, unique=True)
    queues = models.CharField(max_length=255, blank=True)
    #: jobs that it runs at a time
    slots = models.PositiveIntegerField(default=1)
    started = models.DateTimeField()
    seen = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
