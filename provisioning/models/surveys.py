"""What was last seen of each hypervisor."""

from __future__ import annotations

from django.db import models

from inventory.models import Site


class Survey(models.Model):
    """One hypervisor: its newest complete survey, and how the newest attempt failed since. A part is never kept."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="surveys")
    #: name of the host of form hv; a survey outlives a rename as little as its hypervisor does
    hypervisor = models.CharField(max_length=255)
    taken = models.DateTimeField(null=True, blank=True)
    #: as ``provisioning.surveying.survey.as_json``
    document = models.JSONField(null=True, blank=True)
    #: of every guest in ``document``, of any kind: allocation asks for no more
    vmids = models.JSONField(default=list, blank=True)
    failed = models.DateTimeField("failed since", null=True, blank=True)
    failure = models.TextField(blank=True)
    lost = models.DateTimeField("declared lost", null=True, blank=True)
    lost_by = models.CharField(max_length=150, blank=True)
    lost_why = models.TextField(blank=True)

    class Meta:
        ordering = ["site", "hypervisor"]
        default_permissions = ("view",)
        permissions = [("declare_lost", "Can declare hypervisors lost")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "hypervisor"],
                name="survey_one_per_hypervisor",
                violation_error_message="This hypervisor has a survey already.",
            ),
        ]

    def __str__(self) -> str:
        return f"survey of {self.hypervisor}"
