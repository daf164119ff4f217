"""A file of site documents, planned or applied: read, judged and compared as a whole, or not at all."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from inventory import reading
from inventory.changes import LENIENT_SOURCES, change
from inventory.document import applying, facts, text, writing
from inventory.document.comparing import compare
from inventory.document.drafting import draft_of
from inventory.document.judging import judge
from inventory.document.plans import Plan
from inventory.document.strictly import judge_rows
from inventory.document.text import Complaint, Read
from inventory.document.work import Work
from inventory.findings import Finding
from inventory.models import Site
from inventory.rules import judge as findings_of
from inventory.snapshot import Snapshot


class Refused(Exception):
    """Why nothing was stored: every complaint, in the order of the file."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__("; ".join(map(str, complaints)))
        self.complaints = sorted(set(complaints))


Compared = tuple[Work, Snapshot, Snapshot | None]


@dataclass
class Declared:
    """What one document does, or did, to its site."""

    plan: Plan
    #: findings that the site has after it and not before, and those that it gets rid of
    new_findings: tuple[Finding, ...]
    settled_findings: tuple[Finding, ...]


def declare(
    content: bytes,
    file: str,
    *,
    apply: bool = False,
    by: Any = None,
    why: str = "",
    judged: bool = True,
    source: str = "declare",
    confirm: Callable[[list[Declared]], None] = lambda plans: None,
) -> list[Declared]:
    """Plan or apply every document of *content*. Raises Refused, and then nothing is stored.

    One transaction for all of them, one revision for each site that changes. *confirm* sees the plans before anything
    is written and the sites can no longer move; what it raises undoes everything. A person is a strict *source*.
    """
    with without_collecting():
        documents, complaints = text.read(content, file)
        if not documents:
            raise Refused(complaints)
        strict = source not in LENIENT_SOURCES
        if apply:
            return _applied(documents, complaints, by, why, source, judged=judged, confirm=confirm)
        worked = [_settled(document, strict=strict) for document in documents]
        _refuse(documents, complaints)
        return [_declared(*one, judged=judged) for one in worked]


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """A large site is millions of objects that all stay: looking for cycles among them takes most of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _applied(
    documents: Sequence[Read],
    complaints: Sequence[Complaint],
    by: Any,
    why: str,
    source: str,
    *,
    judged: bool,
    confirm: Callable[[list[Declared]], None],
) -> list[Declared]:
    sites = [_stored(document.slug) or _new(document) for document in documents]
    new = {site.slug for site in sites if site.pk is None}
    try:
        with change(*sites, by=by, why=why, source=source) as the_change:
            worked = []
            for document, site in zip(documents, sites, strict=True):
                site.refresh_from_db()
                worked.append(
                    _compared(document, site, is_new=site.slug in new, strict=source not in LENIENT_SOURCES)
                )
            _refuse(documents, complaints)
            done = [_declared(*one, judged=judged) for one in worked]
            confirm(done)
            for one, (work, *_) in zip(done, worked, strict=True):
                if not one.plan.is_empty:
                    writing.write(work, the_change)
    except ValidationError as error:
        raise Refused([Complaint(documents[0].file, 0, message) for message in error.messages]) from error
    for one, site in zip(done, sites, strict=True):
        one.plan.revision = site.revision
    return done


def _settled(document: Read, *, strict: bool) -> Compared:
    """The comparison for a plan, made again while the site moves on."""
    so_far = list(document.complaints)
    while True:
        site = _stored(document.slug)
        compared = _compared(document, site, strict=strict)
        now = _stored(document.slug)
        if (now and now.revision) == (site and site.revision):
            return compared
        document.complaints[:] = so_far


def _stored(slug: str) -> Site | None:
    return Site.objects.filter(slug=slug).first()


def _compared(document: Read, site: Site | None, *, is_new: bool = False, strict: bool = False) -> Compared:
    """The document beside its site as it is now; complaints are left in the document."""
    stored = reading.load(document.slug) if site is not None and not is_new else None
    post = facts.merged(stored, document.values)
    judge(document, post, stored)
    if document.complaints:
        return Work(draft_of(post, {"site": document.slug}), None), post, stored
    work = compare(draft_of(post, document.values), site)
    if is_new:
        work.entries = applying.as_new(work.entries)
    if strict:
        judge_rows(work, document, site or Site(slug=document.slug))
    for noun, sentence in work.refused:
        document.complaints.append(Complaint(document.file, document.line(noun), sentence))
    return work, post, stored


def _new(document: Read) -> Site:
    """The site of *document* before anything else is known of it."""
    return Site(slug=document.slug, epoch=document.values.get("epoch", 1))


def _refuse(documents: Sequence[Read], complaints: Sequence[Complaint]) -> None:
    found = [*complaints, *(one for document in documents for one in document.complaints)]
    if found:
        raise Refused(found)


def _declared(work: Work, post: Snapshot, stored: Snapshot | None, *, judged: bool) -> Declared:
    plan = applying.plan_of(work, work.site.revision if work.site else 0)
    if not judged or plan.is_empty:
        return Declared(plan, (), ())
    before = set(findings_of(stored)) if stored else set()
    after = findings_of(post)
    new = tuple(finding for finding in after if finding not in before)
    return Declared(plan, new, tuple(before - set(after)))
