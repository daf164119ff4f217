"""What all declared rows share: a site, a history, and a door that must be open."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from inventory.door import require_open
from inventory.querysets import OfSite


class Change(models.Model):
    """One passage through the door: who changed which site to which revision, when, why, from where."""

    site = models.ForeignKey("inventory.Site", null=True, on_delete=models.SET_NULL, related_name="changes")
    site_slug = models.CharField(max_length=63)
    revision = models.BigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150, blank=True)
    why = models.TextField(blank=True)
    source = models.CharField(max_length=30)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    #: what one request wrote, at however many sites, has one of these in common
    batch = models.UUIDField(null=True, editable=False, db_index=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "revision"],
                name="change_once_per_revision",
                violation_error_message="Two changes claim the same revision of the site.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_slug} revision {self.revision}"


class HistoryBase(models.Model):
    """Extra columns of every history row."""

    change = models.ForeignKey(
        Change, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )

    class Meta:
        abstract = True


class Declared(models.Model):
    """A row that a person or an import declares. Written through the door only; remembered in history."""

    history = HistoricalRecords(inherit=True, bases=[HistoryBase], user_db_constraint=False)

    class Meta:
        abstract = True

    #: the row as it is stored, looked up once for each judgement
    _stored: Declared | None = None

    @property
    def owner_site_id(self) -> int | None:
        """The site whose revision a write of this row raises."""
        return getattr(self, "site_id", None)

    # --- what a person may say ---

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        """Judge what differs from the stored row.

        An import keeps what a living site says; who edits another field of the row later is not asked to repair that.
        """
        self._stored = type(self)._base_manager.filter(pk=self.pk).first() if self.pk else None
        super().full_clean(*args, **kwargs)

    def clean_fields(self, exclude: Any = None) -> None:
        unchanged = {field.name for field in self._meta.concrete_fields if not self.differs(field.name)}
        super().clean_fields({*(exclude or ()), *unchanged})

    def differs(self, *fields: str) -> bool:
        """Whether one of *fields* is not what is stored; inside ``clean()`` and what it calls."""
        columns = [self._meta.get_field(name).attname for name in fields]  # type: ignore[union-attr]
        return self._stored is None or any(
            getattr(self._stored, column) != getattr(self, column) for column in columns
        )

    # --- writing ---

    def save(self, *args: Any, **kwargs: Any) -> None:
        change = require_open(self.owner_site_id, f"{self._meta.verbose_name} “{self}”")
        change.refuse_code(self)
        if change.strict:
            self.full_clean()
        super().save(*args, **kwargs)
        change.touch(self)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        change = require_open(self.owner_site_id, f"{self._meta.verbose_name} “{self}”")
        change.touch(self)
        return super().delete(*args, **kwargs)


class SiteRow(Declared):
    """A declared row that belongs directly to a site."""

    site = models.ForeignKey("inventory.Site", on_delete=models.CASCADE, related_name="%(class)ss")

    objects = OfSite.as_manager()

    class Meta:
        abstract = True
