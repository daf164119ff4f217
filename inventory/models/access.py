"""Who may read from outside, and what was rendered for them. Neither is declared; neither has a history."""

from __future__ import annotations

import hashlib
import secrets
from typing import ClassVar

from django.db import models
from django.utils import timezone

from inventory.models.fields import OrderedJSONField


class Token(models.Model):
    """A bearer token. Only its SHA-256 is kept: 256 random bits need no slow hash."""

    SCOPES: ClassVar[tuple[str, ...]] = ("read", "write", "provision")

    name = models.CharField(max_length=100, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    site = models.ForeignKey(
        "inventory.Site",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="tokens",
        help_text="Empty: every site.",
    )
    formats = OrderedJSONField(
        default=list, blank=True, help_text="Formats it may read; empty: every format."
    )
    scope = models.CharField(max_length=9, default="read", choices=[(s, s) for s in SCOPES])
    expires = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, editable=False)
    last_etag = models.CharField(max_length=100, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(plain: str) -> str:
        return hashlib.sha256(plain.encode()).hexdigest()

    def issue(self) -> str:
        """Give the token its secret and return it; it cannot be had again."""
        plain = f"mgmt_{secrets.token_urlsafe(32)}"
        self.digest = self.digest_of(plain)
        return plain

    @property
    def is_expired(self) -> bool:
        return self.expires is not None and self.expires <= timezone.now()


class Rendering(models.Model):
    """One export of one revision as it was rendered: an index row; the bytes lie in the data directory by content."""

    site = models.ForeignKey("inventory.Site", on_delete=models.CASCADE, related_name="renderings")
    format = models.CharField(max_length=30)
    #: authority and other arguments that change the bytes; empty for the plain export
    variant = models.CharField(max_length=100, blank=True)
    revision = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField(help_text="Bytes before compression.")
    findings = models.JSONField(default=list)
    created = models.DateTimeField(default=timezone.now)
    fetched = models.DateTimeField(null=True, editable=False)
    applied = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "format", "variant", "revision"], name="rendering_once_per_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.site} at {self.revision}"
