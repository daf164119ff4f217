"""What outside has been changed already: who fetched or applied what the undone revisions rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from inventory.models import Consumer, Rendering


@dataclass(frozen=True)
class Reader:
    """One consumer that has seen one of the revisions; without a name somebody who took the file, and is none."""

    format: str
    name: str
    #: ``applied`` or ``fetched``; ``taken`` without a name
    what: str
    revision: int
    at: datetime | None
    #: what it reported last is a failure, of whichever revision
    failed: bool = False

    def __str__(self) -> str:
        if not self.name:
            return f"{self.format} of revision {self.revision} was taken by somebody who is no consumer"
        report = "; its last report is a failure" if self.failed else ""
        return f"{self.format} on {self.name} {self.what} revision {self.revision}{report}"


def readers_since(site_id: int, revision: int) -> list[Reader]:
    """Who has the content of *revision* or a later one, where that is another than before it. Two queries.

    Consumers by name; of formats that no consumer took, whether anybody did: a browser, a person's script.
    """
    rows = (
        Consumer.objects.filter(site=site_id)
        .filter(Q(fetched_revision__gte=revision) | Q(applied_revision__gte=revision))
        .annotate(content_before=_before(site_id, revision))
        .order_by("format", "name")
    )
    found: list[Reader] = []
    kinds: set[tuple[str, str]] = set()
    for row in rows:
        if reader := _reader(row, revision):
            found.append(reader)
            kinds.add((row.format, row.variant))
    return sorted([*found, *_unnamed(site_id, revision, kinds)], key=lambda one: (one.format, one.name))


def _before(site_id: int, revision: int) -> Any:
    """The content that a row's format had before *revision*."""
    renderings = Rendering.objects.filter(
        site=site_id, format=OuterRef("format"), variant=OuterRef("variant"), revision__lt=revision
    )
    return Subquery(renderings.order_by("-revision", "-id").values("sha256")[:1])


def _reader(row: Any, revision: int) -> Reader | None:
    """What it applied of it, else what it fetched; None: the same bytes as before, so it has nothing of this."""

    def has(etag: str, number: int | None) -> bool:
        same = row.content_before and f"-{row.content_before[:20]}" in etag
        return number is not None and number >= revision and not same

    if has(row.applied_etag, row.applied_revision):
        return Reader(row.format, row.name, "applied", row.applied_revision, row.applied_at, row.ok is False)
    if has(row.fetched_etag, row.fetched_revision):
        return Reader(row.format, row.name, "fetched", row.fetched_revision, row.fetched_at, row.ok is False)
    return None


def _unnamed(site_id: int, revision: int, known: set[tuple[str, str]]) -> Iterator[Reader]:
    """The newest rendering of each further kind that went out to somebody."""
    rows = (
        Rendering.objects.filter(site=site_id, revision__gte=revision, fetched__isnull=False)
        .annotate(content_before=_before(site_id, revision))
        .order_by("-revision", "-id")
    )
    told = set(known)
    for row in rows.values_list("format", "variant", "sha256", "content_before", "revision", "fetched"):
        format, variant, content, before, number, at = row
        if content != before and (format, variant) not in told:
            told.add((format, variant))
            yield Reader(format, "", "taken", number, at)
