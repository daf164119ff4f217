"""What a host needs of other hosts: a NAS whose storage it uses, a licence server."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from inventory.models.hosts import Host, HostPart


class HostNeed(HostPart):
    """One host that another one needs, so that it is up before that one and goes down after it."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="needs")
    needed = models.ForeignKey(
        Host,
        verbose_name="needed host",
        on_delete=models.RESTRICT,
        related_name="needed_by",
        help_text="It is powered up before this host, and shut down after it.",
    )
    position = models.PositiveIntegerField(default=0, help_text="Order on the host; lower comes first.")

    class Meta:
        verbose_name = "need"
        ordering = ["host", "position", "needed_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "needed"],
                name="host_need_once",
                violation_error_message="The host needs this one already.",
            ),
            models.CheckConstraint(
                name="host_need_not_itself",
                condition=~models.Q(host=models.F("needed")),
                violation_error_message="A host cannot need itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.needed} of {self.host}"

    def clean(self) -> None:
        host = getattr(self, "host", None)  # on the page of a new host it is not stored yet
        if host and self.needed_id and self.needed.site_id != host.site_id:
            raise ValidationError({"needed": f"{self.needed} belongs to another site."})
