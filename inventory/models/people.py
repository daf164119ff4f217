"""People at the application: what they may do at which site, and the lists they keep. Neither is declared."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from inventory import levels


class Grant(models.Model):
    """What one person may do at one site, or at every site. Adds to Django's own permissions, takes nothing away."""

    LEVELS = [
        (levels.VIEWER, "viewer: sees everything of the site"),
        (levels.OPERATOR, "operator: declares and changes"),
        (levels.ADMINISTRATOR, "administrator: also deletes, switches, and lets others in"),
    ]

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    site = models.ForeignKey(
        "inventory.Site",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="grants",
        help_text="Empty: every site, those to come included.",
    )
    level = models.CharField(max_length=13, choices=LEVELS)

    class Meta:
        ordering = ["user", "site"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "site"],
                name="grant_once_per_site",
                violation_error_message="This person has a level at that site already; change that one.",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(site__isnull=True),
                name="grant_once_for_all",
                violation_error_message="This person has a level at every site already; change that one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.level} of {self.site or 'every site'}"


class SavedFilter(models.Model):
    """A list as one person likes to see it: the query string of its page, under a name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    noun = models.CharField(max_length=60, help_text="The list: the model's name, such as host.")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, blank=True, help_text="As in the address, without “?”.")

    class Meta:
        ordering = ["noun", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "noun", "name"],
                name="saved_filter_name",
                violation_error_message="You have a filter of this name for this list; choose another, or delete that one.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class RememberedAnswer(models.Model):
    """What the API answered to a request with an Idempotency-Key, so that a repetition does nothing again."""

    #: who asked: ``token:<id>`` or ``user:<id>``; keys of others do not meet
    asker = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    #: SHA-256 of method, path and body: the same key with another request is a mistake
    request_sha256 = models.CharField(max_length=64)
    #: null while the first request is still being answered
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asker", "key"],
                name="remembered_answer_once",
                violation_error_message="This Idempotency-Key is in use.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.asker} {self.key}"
