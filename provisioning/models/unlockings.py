"""Who entered which secret, for how long, and who locked it again; never what it was."""

from __future__ import annotations

from django.db import models

from inventory.models import Site
from provisioning.models.jobs import Job

UNLOCKED, GIVEN, LOCKED = "unlocked", "given", "locked"
VERBS = (UNLOCKED, GIVEN, LOCKED)


class Unlocking(models.Model):
    """A secret entered for a site, given to one job, or locked before its time was over."""

    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    site_slug = models.CharField("site", max_length=63, blank=True)
    #: of what was given for one job
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=200)
    verb = models.CharField(max_length=10, choices=[(verb, verb) for verb in VERBS])
    at = models.DateTimeField()
    by_name = models.CharField("who", max_length=150, blank=True)
    #: until when it is held; none where it was locked
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("unlock", "Can enter secrets that jobs wait for, and lock them again")]
        indexes = [models.Index(fields=["site", "-id"], name="unlocking_by_site")]

    def __str__(self) -> str:
        return f"{self.name} {self.verb} by {self.by_name or 'nobody'}"
