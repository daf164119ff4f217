"""What is known of the newest recovery kit of each site, here and at each place that it is brought to."""

from __future__ import annotations

from django.db import models

from inventory.models import Site


class KitState(models.Model):
    """The newest kit of a site at one place; *place* is empty for where it is built (KIT_DIR)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="kit_states")
    #: name of the declared place; a state outlives a rename as little as its place does
    place = models.CharField(max_length=63, blank=True)
    #: when it was last brought there whole, and of which revision of the site
    arrived = models.DateTimeField(null=True, blank=True)
    revision = models.BigIntegerField(null=True, blank=True)
    tried = models.DateTimeField(null=True, blank=True)
    #: why the newest attempt failed; empty: it did not
    fault = models.TextField(blank=True)

    class Meta:
        ordering = ["site", "place"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["site", "place"],
                name="kitstate_one_per_place",
                violation_error_message="This place has a state already.",
            ),
        ]

    def __str__(self) -> str:
        return f"kit of {self.site} at {self.place or 'KIT_DIR'}"
