"""Which copy of the application this database is, and what consumers say of others. Observed, not declared; no history.

A site is written by one copy (``Site.live_copy``). A restore gives the database another ``Copy.uid``: from that moment no
site is live in it, though no row of a site was touched.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone


def new_uid() -> str:
    """64 random bits in hex: it is told apart, not guessed."""
    return secrets.token_hex(8)


class Copy(models.Model):
    """This database, in its only row. ``uid`` is exchanged when an archive is put back."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    uid = models.CharField(max_length=16, default=new_uid)
    since = models.DateTimeField(default=timezone.now)
    restored_from = models.CharField(max_length=200, blank=True, help_text="The archive that it came from.")

    class Meta:
        verbose_name_plural = "copies"
        constraints = [
            models.CheckConstraint(
                name="copy_is_one",
                condition=models.Q(id=1),
                violation_error_message="A database is one copy of the application, and says so once.",
            )
        ]

    def __str__(self) -> str:
        return self.uid


class OtherCopy(models.Model):
    """A copy that a consumer met: live for a site at some epoch, and not the one that is live here."""

    site = models.ForeignKey("inventory.Site", on_delete=models.CASCADE, related_name="other_copies")
    epoch = models.BigIntegerField()
    uid = models.CharField(max_length=16)
    #: signed with this installation's own key: no consumer made it up
    proven = models.BooleanField(default=False)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    told_by = models.CharField(max_length=200, blank=True, help_text="The consumer that met it.")

    class Meta:
        verbose_name = "other copy"
        verbose_name_plural = "other copies"
        ordering = ["site", "-epoch", "uid"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "epoch", "uid"],
                name="other_copy_once",
                violation_error_message="This copy is known already.",
            )
        ]

    def __str__(self) -> str:
        return f"copy {self.uid} of {self.site} in epoch {self.epoch}"
