"""What the find field found, as sections of lines: what is declared, then findings, the ledger and the log."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.findings import list_of
from inventory.admin.judgement import findings_of, pages_of
from inventory.admin.searching import identity_found_by
from inventory.findings import Finding
from inventory.knowledge import kinds_seen
from inventory.lookup import searching
from inventory.lookup.searching import Hit
from inventory.lookup.words import Word, pieces, words_of
from inventory.models import Change, Identity, Site
from inventory.permissions import may, within

WORDS = {
    "host": "Hosts",
    "interface": "Interfaces",
    "service": "Services",
    "alias": "Aliases",
    "segment": "Segments",
    "group": "Groups",
    "profile": "Workload profiles",
    "role": "Roles",
    "project": "Projects",
    "template": "Job templates",
    "site": "Sites",
}

#: text in pieces, with whether each is what was looked for
Pieces = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Line:
    """One result: where it leads, what it is called, what matched."""

    page: str
    name: Pieces
    matched: tuple[tuple[str, Pieces], ...] = ()
    site: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    lines: list[Line]
    count: int
    #: the page with all of them
    all: str = ""

    @property
    def has_more(self) -> bool:
        return self.count > len(self.lines)


def sections(user: Any, sites: list[Site], text: str, most: int) -> list[Section]:
    return [
        *declared(user, sites, text, most),
        *_findings(user, sites, text, most),
        *_ledger(user, text, most),
        *_changes(user, text, most),
    ]


def declared(
    user: Any, sites: list[Site], text: str, most: int, kinds: Collection[str] | None = None
) -> list[Section]:
    """What is declared at *sites*, a kind a section, the best first; of *kinds* alone, where they are given."""
    words = words_of(text)
    lines: dict[str, list[tuple[int, str, Line]]] = {}
    counts: dict[str, int] = {}
    for site in sites:
        seen = kinds_seen(site, lambda permission, where: may(user, permission, where))
        found = searching.search(
            reading.load(site.slug), text, most=most, kinds=seen if kinds is None else seen & set(kinds)
        )
        pages = pages_of(site.pk, {hit.subject for some in found.hits.values() for hit in some})
        for hit in (hit for some in found.hits.values() for hit in some):
            line = _line(hit, pages, words, site.slug if len(sites) > 1 else "")
            lines.setdefault(hit.kind, []).append((hit.rank, hit.name, line))
        for kind, count in found.counts.items():
            counts[kind] = counts.get(kind, 0) + count
    best = {kind: sorted(some, key=lambda one: one[:2])[:most] for kind, some in lines.items()}
    here = reverse("admin:find")
    return [
        Section(
            WORDS[kind],
            [line for _, _, line in best[kind]],
            counts[kind],
            f"{here}?{urlencode({'q': text, 'kind': kind})}",
        )
        for kind in sorted(best, key=lambda kind: (best[kind][0][0], searching.ORDER.index(kind)))
    ]


def _line(hit: Hit, pages: dict[str, str], words: list[Word], site: str) -> Line:
    matched = tuple((where, pieces(text, words)) for where, text in hit.matched if where != "name")
    return Line(pages.get(hit.subject, ""), pieces(hit.name, words), matched, site)


def _findings(user: Any, sites: Iterable[Site], text: str, most: int) -> list[Section]:
    wanted = text.lower()
    found: list[tuple[Site, Finding]] = [
        (site, finding)
        for site in sites
        if may(user, "inventory.view_site", site)
        for finding in findings_of(reading.load(site.slug))
        if wanted in finding.subject.lower() or wanted in finding.id
    ]
    words = words_of(text)
    lines = [
        Line(
            f"{reverse('admin:findings', args=(site.slug,))}?rule={one.id}",
            pieces(one.subject, words),
            ((one.severity, pieces(one.message, words)),),
            site.slug,
        )
        for site, one in found[:most]
    ]
    return [Section("Findings", lines, len(found))] if lines else []


def _ledger(user: Any, text: str, most: int) -> list[Section]:
    """Who held or withholds a value: what is held now is told by what is declared."""
    rows = within(Identity.objects.exclude(state="held"), user, "inventory.view_identity")
    rows = rows.filter(identity_found_by(text))
    words = words_of(text)
    lines = [
        Line(
            reverse("admin:inventory_identity_change", args=(row.pk,)),
            pieces(f"{row.get_kind_display()} {row.value}", words),
            ((row.state, pieces(f"{row.host_name}, since {row.since:%Y-%m-%d}", words)),),
            row.site.slug,
        )
        for row in rows.select_related("site").order_by("-since", "-pk")[:most]
    ]
    every = f"{list_of('identity')}?{urlencode({'q': text})}"
    return [Section("Given up, withheld, disputed", lines, _count(rows, lines, most), every)] if lines else []


def _changes(user: Any, text: str, most: int) -> list[Section]:
    rows: QuerySet[Change] = within(Change.objects.filter(why__icontains=text), user, "inventory.view_change")
    words = words_of(text)
    lines = [
        Line(
            reverse("admin:inventory_change_change", args=(row.pk,)),
            ((f"revision {row.revision}", False),),
            (("reason", pieces(f"{row.why[:120]} ({row.by_name or 'nobody'}, {row.at:%Y-%m-%d})", words)),),
            row.site_slug,
        )
        for row in rows.order_by("-at", "-pk")[:most]
    ]
    every = f"{list_of('change')}?{urlencode({'q': text})}"
    return [Section("Changes", lines, _count(rows, lines, most), every)] if lines else []


def _count(rows: QuerySet[Any], lines: list[Line], most: int) -> int:
    return len(lines) if len(lines) < most else rows.order_by().count()
