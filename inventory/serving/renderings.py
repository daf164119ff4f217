"""Exports as they were rendered: kept by content in the data directory, found by site, format and revision.

``described`` answers everything but the content itself (one query while nothing changed), ``rendering`` the
content too. Nothing kept is truth: what is missing or damaged is rendered again.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import FilteredRelation, Q
from django.utils import timezone

from inventory import reading
from inventory.door import open_change
from inventory.exports.registry import Document, Export, get_export
from inventory.findings import Finding
from inventory.models import Rendering, Site
from inventory.serving import contents, memory, publication
from inventory.serving.archives import gzipped, tarred
from inventory.serving.best_effort import best_effort
from inventory.snapshot import AuthorityMode, Snapshot

log = logging.getLogger(__name__)

KEEP_DAYS = 90
Key = tuple[str, str, str]  # uid of the site, format, variant


class NothingDeclared(LookupError):
    """The site exists and is empty: an export of it would tell a server to forget everything."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rendering without its content."""

    site_id: int
    uid: str
    slug: str
    format: str
    variant: str
    revision: int
    sha256: str
    #: bytes before compression
    size: int
    findings: tuple[Finding, ...]
    #: since when this has been the content
    created: datetime
    #: its index row; None when the database was too busy to take one
    row_id: int | None = None
    fetched: bool = False
    #: of the site: which copy of the application writes it, and since which promotion
    epoch: int = 1
    live_copy: str = ""

    @property
    def key(self) -> Key:
        return self.uid, self.format, self.variant

    @property
    def etag(self) -> str:
        return etag_of(self.epoch, self.revision, self.sha256)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


@dataclass(frozen=True, slots=True)
class Served:
    """A rendering as it goes out over HTTP."""

    etag: str
    body: bytes
    content_type: str
    filename: str
    findings: tuple[Finding, ...]
    revision: int
    created: datetime


_remembered: dict[Key, Kept] = {}
_locks: dict[Key, threading.Lock] = defaultdict(threading.Lock)


def forget() -> None:
    """Drop what this process remembers; for tests that roll the database back."""
    _remembered.clear()


def etag_of(epoch: int, revision: int, sha256: str) -> str:
    """``"<revision>-e<epoch>-<content>"``: the revision first and the content last, as clients know them of old."""
    return f'"{revision}-e{epoch}-{sha256[:20]}"'


def variant_of(authority: AuthorityMode | None) -> str:
    return f"authority={authority}" if authority else ""


def document(
    slug: str, format: str, *, authority: AuthorityMode | None = None
) -> tuple[Snapshot, Export, Document]:
    """Render afresh, with published zone serials, and keep nothing.

    Raises UnknownSite, UnknownFormat, NothingDeclared.
    """
    export = get_export(format)
    snapshot = _material(reading.current(slug), export, authority)
    return snapshot, export, export.render(snapshot, authority)


def rendering(
    slug: str, format: str, *, authority: AuthorityMode | None = None, fetched: bool = False
) -> Served:
    """Return the export of the site as it is now. Raises UnknownSite, UnknownFormat, NothingDeclared."""
    return body_of(described(slug, format, authority=authority, fetched=fetched), authority)


def described(
    slug: str, format: str, *, authority: AuthorityMode | None = None, fetched: bool = False
) -> Kept:
    """Return what is known of the rendering of the site as it is now, which is rendered if it has to be.

    ``fetched``: somebody outside is about to have it, so that it will be kept. Raises as ``rendering``.
    """
    export = get_export(format)
    now, newest = _look(slug, format, variant_of(authority))
    known = _known(now, newest)
    if known is not None:
        return known
    with _alone((now.uid, format, variant_of(authority))):
        known = _known(now, newest)  # another thread may have been faster
        if known is not None:
            return known
        kept, _ = _render(now, export, authority, newest, fetched=fetched)
        return kept


def body_of(kept: Kept, authority: AuthorityMode | None = None) -> Served:
    """Return *kept* with its content; what is lost is rendered again, perhaps of a newer revision."""
    export = get_export(kept.format)
    try:
        content, packed = contents.read(kept.sha256)
    except contents.Lost as lost:
        log.warning("rendering %s of %s is lost and is made again (%s)", kept.format, kept.slug, lost)
        now, newest = _look(kept.slug, kept.format, kept.variant)
        kept, content = _render(now, export, authority, newest, fetched=kept.fetched)
        packed = gzipped(content) if export.is_directory else b""
    return Served(
        etag=kept.etag,
        body=packed if export.is_directory else content,
        content_type="application/gzip" if export.is_directory else export.content_type,
        filename=f"{kept.slug}-{kept.format}.tar.gz" if export.is_directory else export.filename,
        findings=kept.findings,
        revision=kept.revision,
        created=kept.created,
    )


def note_fetched(kept: Kept) -> None:
    """Remember that somebody outside has *kept*: it is not tidied away."""
    if kept.fetched or kept.row_id is None:
        return
    with best_effort(f"fetch of {kept.format}"):
        Rendering.objects.filter(pk=kept.row_id, fetched=None).update(fetched=timezone.now())
        if _remembered.get(kept.key) == kept:
            _remembered[kept.key] = replace(kept, fetched=True)


# --- the index ---


def _look(slug: str, format: str, variant: str) -> tuple[reading.Now, dict[str, Any]]:
    """Return the newest state of the site and its newest rendering of that kind (None where there is none).

    One query: what a client costs that has the newest already.
    """
    row = (
        Site.objects.filter(slug=slug)
        .annotate(
            kind=FilteredRelation(
                "renderings", condition=Q(renderings__format=format, renderings__variant=variant)
            )
        )
        .order_by("-kind__revision")
        .values(
            "pk",
            "uid",
            "slug",
            "revision",
            "epoch",
            "live_copy",
            "kind__id",
            "kind__revision",
            "kind__sha256",
            "kind__created",
        )
    )
    # PostgreSQL sorts NULL first when descending, but then it is the only row.
    found = row.first()
    if found is None:
        raise reading.unknown_site(slug)
    newest = {
        "format": format,
        "variant": variant,
        "slug": found["slug"],
        "id": found["kind__id"],
        "revision": found["kind__revision"],
        "sha256": found["kind__sha256"],
        "created": found["kind__created"],
    }
    now = reading.Now(found["pk"], str(found["uid"]), found["revision"], found["epoch"], found["live_copy"])
    return now, newest


def _known(now: reading.Now, newest: dict[str, Any]) -> Kept | None:
    """The rendering of exactly this state, from memory or from its row; inside a change no state is exact.

    A row is believed by a process that has seen an older one of its kind: the row is younger than the process.
    Others may be the work of an earlier version of this application, so the first is rendered and compared.
    """
    if open_change() is not None:
        return None
    kept = _remembered.get((now.uid, newest["format"], newest["variant"]))
    expected = newest["sha256"] if newest["revision"] == now.revision else None
    if kept and kept.revision == now.revision and (kept.row_id is None or expected in (None, kept.sha256)):
        return kept
    if expected is None or kept is None:
        return None
    row = Rendering.objects.filter(pk=newest["id"]).first()
    if row is None:  # tidied away just now
        return None
    return _remember(_from_row(row, now, newest["slug"]))


def _from_row(row: Rendering, now: reading.Now, slug: str) -> Kept:
    return Kept(
        site_id=now.site_id,
        uid=now.uid,
        slug=slug,
        format=row.format,
        variant=row.variant,
        revision=row.revision,
        sha256=row.sha256,
        size=row.size,
        findings=tuple(Finding(**finding) for finding in row.findings),
        created=row.created,
        row_id=row.pk,
        fetched=row.fetched is not None,
        epoch=now.epoch,
        live_copy=now.live_copy,
    )


def _remember(kept: Kept) -> Kept:
    if not connection.in_atomic_block:  # what a transaction has not committed is nobody else's truth
        _remembered[kept.key] = kept
    return kept


def _alone(key: Key) -> AbstractContextManager[Any]:
    """One thread renders, the others wait for it; but nobody waits who may hold the database's lock."""
    return nullcontext() if connection.in_atomic_block else _locks[key]


def _render(
    now: reading.Now,
    export: Export,
    authority: AuthorityMode | None,
    newest: dict[str, Any],
    *,
    fetched: bool,
) -> tuple[Kept, bytes]:
    snapshot = _material(now, export, authority)
    made = export.render(snapshot, authority)
    content = tarred(made.files) if export.is_directory else next(iter(made.files.values()))
    kept = Kept(
        site_id=now.site_id,
        uid=snapshot.site.uid,
        slug=snapshot.site.slug,
        format=export.name,
        variant=variant_of(authority),
        revision=snapshot.revision,
        sha256=_stored(content),
        size=len(content),
        findings=made.findings,
        created=timezone.now(),
        fetched=fetched,
        epoch=snapshot.site.epoch,
        live_copy=snapshot.site.live_copy,
    )
    kept = _remember(_indexed(replace(kept, created=_since(kept, newest))))
    del made
    memory.give_back(len(content))
    return kept, content


def _material(now: reading.Now, export: Export, authority: AuthorityMode | None) -> Snapshot:
    """What *export* is rendered from: the site as it is now, with zone serials that are true."""
    snapshot = reading.load_at(now)
    if not export.is_whole:
        return publication.published(_not_empty(snapshot), export.name, authority)
    while True:
        published = publication.published(snapshot, export.name, authority)
        snapshot = reading.with_ledger(published, now.site_id)
        if snapshot.revision == published.revision:  # else the site moved on, and its zones with it
            return snapshot


def _not_empty(snapshot: Snapshot) -> Snapshot:
    if not (snapshot.hosts or snapshot.groups or snapshot.segments):
        raise NothingDeclared(
            f"Site “{snapshot.site.slug}” declares nothing yet: no host, group or segment. Import one."
        )
    return snapshot


def _stored(content: bytes) -> str:
    try:
        return contents.write(content)
    except OSError as error:
        log.error("a rendering cannot be kept in the data directory: %s", error.strerror)
        return contents.name_of(content)


def _since(kept: Kept, newest: dict[str, Any]) -> datetime:
    """Since when this is the content: HTTP's Last-Modified, in whole seconds, which must never go back."""
    before: datetime | None = newest["created"]
    if before is None:
        return kept.created
    if newest["sha256"] == kept.sha256:
        return before
    return max(kept.created, before + timedelta(seconds=1))


def _indexed(kept: Kept) -> Kept:
    """Give *kept* its index row, or the one of a faster process; what a change may yet alter has none."""
    if open_change() is not None:
        return kept
    row = Rendering(
        site_id=kept.site_id,
        format=kept.format,
        variant=kept.variant,
        revision=kept.revision,
        sha256=kept.sha256,
        size=kept.size,
        findings=[finding.as_dict() for finding in kept.findings],
        created=kept.created,
        fetched=timezone.now() if kept.fetched else None,
    )
    indexed = kept
    with best_effort(f"rendering {kept.format} of {kept.slug}"):
        try:
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                row.save(force_insert=True)
            indexed = replace(kept, row_id=row.pk)
        except IntegrityError:
            indexed = _agreed(kept, row)
    return indexed


def _agreed(kept: Kept, row: Rendering) -> Kept:
    """There is a row of this revision: take it when it says the same, correct it when it does not."""
    there = Rendering.objects.filter(
        site=kept.site_id, format=kept.format, variant=kept.variant, revision=kept.revision
    ).first()
    if there is None:  # the site is gone
        return kept
    if there.sha256 == kept.sha256:
        return replace(kept, row_id=there.pk, created=there.created, fetched=there.fetched is not None)
    for name in ("sha256", "size", "findings", "created"):
        setattr(there, name, getattr(row, name))
    there.save()
    return replace(kept, row_id=there.pk, fetched=there.fetched is not None)


# --- housekeeping ---


def prune(now: datetime | None = None) -> tuple[int, int]:
    """Tidy up; return how many index rows and how many files went.

    Stay: the newest of each kind, whatever was fetched or applied, and for 90 days one a day.
    """
    now = now or timezone.now()
    rows = Rendering.objects.order_by("site", "format", "variant", "-revision").values_list(
        "pk", "site", "format", "variant", "created", "fetched", "applied"
    )
    seen: set[tuple[Any, ...]] = set()
    gone: list[int] = []
    for pk, *kind, created, fetched, applied in rows:
        newest = (*kind, None) not in seen
        day = (*kind, created.date())
        young = created > now - timedelta(days=KEEP_DAYS) and day not in seen
        seen |= {(*kind, None), day}
        if not (newest or fetched or applied or young):
            gone.append(pk)
    for start in range(0, len(gone), 500):
        Rendering.objects.filter(pk__in=gone[start : start + 500]).delete()
    files = contents.remove_all_but(Rendering.objects.values_list("sha256", flat=True).distinct())
    return len(gone), files
