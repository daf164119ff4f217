"""What became of each declared project: which commit was taken last, and why the last attempt failed."""

from __future__ import annotations

from django.db import models


class ProjectState(models.Model):
    """One declared project, as it was last updated. A run does not depend on it: it freezes its own commit."""

    project = models.OneToOneField(
        "inventory.Project",
        on_delete=models.CASCADE,
        related_name="state",
        db_constraint=False,  # undo takes declared rows away in bulk; what is left of their state says nothing
    )
    #: source, location and ref that it was taken from; where they are others by now, all of this is of the past
    origin = models.CharField(max_length=800, blank=True)
    #: 40 hexadecimal digits of git, or ``tree:`` and the digest of a directory's content
    commit = models.CharField(max_length=80, blank=True)
    fetched = models.DateTimeField(null=True, blank=True)
    #: paths of the playbooks of that commit
    playbooks = models.JSONField(default=list, blank=True)
    #: commits between the one before and this, newest first: ``id``, ``when``, ``author``, ``subject``
    commits = models.JSONField(default=list, blank=True)
    #: what else there is to say of that commit
    note = models.TextField(blank=True)
    failed = models.DateTimeField("failed since", null=True, blank=True)
    fault = models.TextField(blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"state of {self.project}"
