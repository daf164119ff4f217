"""Who fetched which export, and what they say became of it. Observed, not declared; no history."""

from __future__ import annotations

from django.db import models


class Consumer(models.Model):
    """A machine that fetches one export of one site: what it has, what it applied."""

    site = models.ForeignKey("inventory.Site", on_delete=models.CASCADE, related_name="consumers")
    format = models.CharField(max_length=30)
    #: as Rendering.variant: authority and other arguments that change the bytes
    variant = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=200, help_text="What it calls itself, else the name of its token.")
    token = models.ForeignKey(
        "inventory.Token", null=True, on_delete=models.SET_NULL, related_name="consumers"
    )
    first_seen = models.DateTimeField(auto_now_add=True)
    fetched_at = models.DateTimeField(null=True, help_text="When it last asked.")
    fetched_etag = models.CharField(max_length=100, blank=True)
    fetched_revision = models.BigIntegerField(null=True)
    applied_at = models.DateTimeField(null=True, help_text="When it last reported.")
    applied_etag = models.CharField(max_length=100, blank=True)
    applied_revision = models.BigIntegerField(null=True)
    ok = models.BooleanField(null=True, help_text="Whether what it reported last was applied.")
    message = models.TextField(blank=True, help_text="Its own words.")

    class Meta:
        ordering = ["site", "format", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "format", "variant", "name"],
                name="consumer_once",
                violation_error_message="This consumer is known already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.format} of {self.site}"
