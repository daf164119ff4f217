"""*What will change if I save this*: the real save, in a transaction that is undone, and what the site would then render.

Everything that a save asks is asked (permission, the forms, the other person's edits, the ledger), so a rehearsal that is
shown is a save that would have gone through. No revision is spent, no history is written and no rendering is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from inventory import reading
from inventory.exports.registry import MODULES, Export, all_exports, get_export
from inventory.findings import Finding, in_reading_order
from inventory.models import Site
from inventory.permissions import may
from inventory.rules import judge
from inventory.serving import consumers
from inventory.serving.comparison import FileChange, differences
from inventory.snapshot import Snapshot

#: A site of so many hosts is rendered and judged twice while somebody waits; of a larger one, what people ask for.
SMALL = 300
#: so many lines of one file are shown
MOST_LINES = 400
NOT_SAVED = "This is as you typed it, and not saved yet."
#: what a form sends besides its fields
OWN = frozenset({"csrfmiddlewaretoken", "_rehearse", "_edit", "_save", "_continue", "_addanother"})


class Rehearsed(Exception):
    """Ends the transaction in which everything was written, and carries out of it what the sites would be."""

    def __init__(self, after: list[Snapshot], row: str) -> None:
        self.after = after
        self.row = row


@dataclass(frozen=True)
class Moved:
    """One format of one site."""

    site: str
    export: Export
    files: tuple[FileChange, ...] = ()
    problem: str = ""
    #: who takes it, if the person may see that
    takers: tuple[str, ...] = ()
    #: not rendered yet: the site is large
    waits: bool = False

    @property
    def plus(self) -> int:
        return sum(one.counts[0] for one in self.files)

    @property
    def minus(self) -> int:
        return sum(one.counts[1] for one in self.files)

    @property
    def shown(self) -> Iterator[tuple[FileChange, tuple[str, ...], int]]:
        for one in self.files:
            yield one, one.lines[:MOST_LINES], max(0, len(one.lines) - MOST_LINES)


@dataclass
class Report:
    """What the page says."""

    formats: list[Moved] = field(default_factory=list)
    new: tuple[Finding, ...] = ()
    settled: tuple[Finding, ...] = ()
    #: findings were not looked for: the site is large
    unjudged: bool = False
    #: the form changes nothing
    idle: bool = True
    #: somebody else's change came between the two looks
    moved: bool = False

    @property
    def changed(self) -> list[Moved]:
        return [one for one in self.formats if one.files or one.problem]

    @property
    def waiting(self) -> list[Moved]:
        return [one for one in self.formats if one.waits]

    @property
    def unchanged(self) -> list[str]:
        return [one.export.name for one in self.formats if not (one.files or one.problem or one.waits)]

    @property
    def takers(self) -> list[str]:
        return sorted({name for one in self.changed for name in one.takers})


def is_asked(request: HttpRequest) -> bool:
    return request.method == "POST" and "_rehearse" in request.POST


def is_edited_again(request: HttpRequest) -> bool:
    """The page of a rehearsal was left by *Keep editing*."""
    return request.method == "POST" and "_edit" in request.POST


def ended(sites: list[Site], row: Any) -> Rehearsed:
    """What to raise once everything is written and settled; the caller's transaction is still open."""
    return Rehearsed([reading.load(site.slug) for site in sites], str(row))


def page(model_admin: Any, request: Any, object_id: str | None, done: Rehearsed) -> HttpResponse:
    """The page of a rehearsal, or the differences of the one format that a large site's page asks for."""
    asked = request.POST.get("_rehearse", "")
    only = asked if asked in MODULES else ""
    report = Report()
    for after in done.after:
        _compare(request, report, after, only)
    opts = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"What saving {done.row} will change",
        "opts": opts,
        "report": report,
        "sent": [
            (name, value) for name, values in request.POST.lists() if name not in OWN for value in values
        ],
        "original": model_admin.get_object(request, unquote(object_id)) if object_id else None,
        "here": request.get_full_path(),
    }
    template = "_format.html" if only and request.headers.get("HX-Request") else "rehearsal.html"
    return TemplateResponse(request, f"admin/inventory/rehearsal/{template}", context)


def _compare(request: Any, report: Report, after: Snapshot, only: str) -> None:
    slug = after.site.slug
    try:
        before: Snapshot | None = reading.load(slug)
    except reading.UnknownSite:  # it is the site itself that would be added
        before = None
    revision = before.revision if before else 0
    report.idle = report.idle and after.revision == revision
    report.moved = report.moved or after.revision > revision + 1
    large = len(after.hosts) > SMALL and not only
    takers = _takers(request, after.site.uid)
    for export in (get_export(only),) if only else all_exports():
        if large:
            report.formats.append(Moved(slug, export, waits=True, takers=takers.get(export.name, ())))
            continue
        try:
            old = export.render(before, None).files if before else {}
            files = tuple(differences(old, export.render(after, None).files))
            report.formats.append(Moved(slug, export, files, takers=takers.get(export.name, ())))
        except ValueError as error:  # what an import brought and this format cannot hold
            report.formats.append(Moved(slug, export, problem=str(error)))
    if large or only:
        report.unjudged = True
        return
    today = timezone.localdate()
    was, will = set(judge(before, today)) if before else set(), set(judge(after, today))
    report.new = in_reading_order([*report.new, *(will - was)])
    report.settled = in_reading_order([*report.settled, *(was - will)])


def _takers(request: Any, uid: str) -> Mapping[str, tuple[str, ...]]:
    """Format → the consumers that have the newest and will be behind."""
    site = Site.objects.filter(uid=uid).first()
    if site is None or not may(request.user, "inventory.view_consumer", site):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    rows = consumers.judged().filter(site=site, state="current").order_by("format", "name")
    for format, name in rows.values_list("format", "name"):
        found[format] = (*found.get(format, ()), name)
    return found


def refused(request: Any) -> None:
    """Have the form come back as it was typed, with nothing saved."""
    request.door_refusal = ValidationError(NOT_SAVED)
