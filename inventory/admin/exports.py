"""Exports: what each format of a site says now and said before, who caused it, and who fetched and applied which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header

from inventory.admin.pages import page, shown
from inventory.exports.registry import Export, UnknownFormat, all_exports, get_export
from inventory.models import Change, Consumer, Rendering, Site
from inventory.permissions import may, visible_sites
from inventory.serving import consumers, contents
from inventory.serving.archives import gzipped
from inventory.serving.consumers import named

PER_PAGE = 50
#: so many consumers of a format are told by name; of more, how many
MOST_TAKERS = 200
#: content of a rendering is what hosts say
LOOK = "inventory.view_rendering"
AUTHORITIES = ("gateway", "bootstrap")


@dataclass
class Row:
    """One format in the overview."""

    export: Export
    page: str
    newest: dict[str, Any] | None = None
    number: int = 0
    #: state → how many consumers
    states: dict[str, int] = field(default_factory=dict)

    @property
    def counted(self) -> list[tuple[str, int]]:
        return [
            (state, self.states[state])
            for state in ("failed", "behind", "silent", "current")
            if state in self.states
        ]


@dataclass
class Version:
    """One rendering in a format's history."""

    row: Rendering
    change: Change | None
    #: consumers that have this content, and whether they applied it
    had_by: list[tuple[str, bool]]
    #: and so many more
    more_had: int = 0
    size_moved: int | None = None
    #: the bytes are those of the version before
    same: bool = False


@page("exports/", permission=LOOK)
def exports_anywhere(request: HttpRequest) -> HttpResponse:
    """The sites whose exports can be looked at; the only one at once."""
    sites = list(visible_sites(request.user, LOOK))
    if len(sites) == 1:
        return redirect("admin:site_exports", sites[0].slug)
    return shown(request, "exports/sites.html", "Exports", sites=sites)


@page("exports/<str:site>/", permission=LOOK)
def site_exports(request: HttpRequest, site: Site) -> HttpResponse:
    """Every format of a site: its newest rendering and how its consumers are. Three queries, whatever was kept."""
    kept = Rendering.objects.filter(site=site).order_by()
    numbers = {
        row["format"]: row
        for row in kept.values("format").annotate(
            number=Count("pk"), last=Max("revision", filter=Q(variant=""))
        )
    }
    newest: dict[str, dict[str, Any]] = {}
    rows = kept.filter(
        variant="", revision__in={row["last"] for row in numbers.values() if row["last"] is not None}
    )
    for one in rows.order_by("revision").values(
        "format", "revision", "created", "size", "fetched", "applied", "pk"
    ):
        newest[one["format"]] = dict(one)
    states: dict[str, dict[str, int]] = defaultdict(dict)
    if may(request.user, "inventory.view_consumer", site):
        for _slug, format, state, number in consumers.counted(site.slug):
            states[format][state] = number
    table = [
        Row(
            export,
            reverse("admin:export_history", args=(site.slug, export.name)),
            newest.get(export.name),
            numbers[export.name]["number"] if export.name in numbers else 0,
            states.get(export.name, {}),
        )
        for export in all_exports()
    ]
    return shown(
        request, "exports/overview.html", f"Exports of {site}", site=site, rows=table, authorities=AUTHORITIES
    )


@page("exports/<str:site>/<str:format>/", permission=LOOK)
def export_history(request: HttpRequest, site: Site, format: str) -> HttpResponse:
    """One format: every rendering that is kept, newest first, with the change behind it."""
    export = _export(format)
    rows = Rendering.objects.filter(site=site, format=export.name).order_by("-revision", "variant")
    variants = sorted(set(rows.order_by().values_list("variant", flat=True)))
    chosen = request.GET.get("made_for", "")
    if chosen in variants:
        rows = rows.filter(variant=chosen)
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    takers = _takers(request, site, export)
    versions = list(found.object_list)
    holders = _holders(request, site, export, versions)
    return shown(
        request,
        "exports/history.html",
        f"{export.title} of {site}",
        site=site,
        export=export,
        page=found,
        versions=_versions(request, site, versions, holders),
        takers=takers[:MOST_TAKERS],
        more_takers=max(0, takers.count() - MOST_TAKERS),
        variants=variants,
        chosen=chosen,
        authorities=AUTHORITIES,
        may_consumers=may(request.user, "inventory.view_consumer", site),
    )


@page("exports/<str:site>/<str:format>/<int:rendering>/download/", permission="inventory.view_host")
def download_rendering(request: HttpRequest, site: Site, format: str, rendering: int) -> HttpResponse:
    """The bytes of one kept rendering, as they were served."""
    if not may(request.user, LOOK, site):
        raise Http404("You may not look at renderings of this site.")
    export = _export(format)
    row = (
        Rendering.objects.filter(site=site, format=export.name, pk=rendering).first()
        if rendering < 2**63
        else None
    )
    if row is None:
        raise Http404(f"No such rendering of {format} is kept; perhaps it was tidied away.")
    try:
        content, _packed = contents.read(row.sha256)
    except contents.Lost:
        raise Http404(
            f"The content of {row} is gone from the data directory. The newest one is made again when it is fetched."
        ) from None
    suffix = ".tar.gz" if export.is_directory else f"-{export.filename}"
    answer = HttpResponse(
        gzipped(content) if export.is_directory else content,
        content_type="application/gzip" if export.is_directory else export.content_type,
    )
    name = f"{site.slug}-{export.name}-{row.revision}{suffix}"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return answer


def _export(format: str) -> Export:
    try:
        return get_export(format)
    except UnknownFormat as error:
        raise Http404(str(error)) from None


def _takers(request: HttpRequest, site: Site, export: Export) -> QuerySet[Any]:
    rows = consumers.judged().filter(site=site, format=export.name).order_by("variant", "name")
    return rows if may(request.user, "inventory.view_consumer", site) else rows.none()


def _holders(request: HttpRequest, site: Site, export: Export, rows: Iterable[Rendering]) -> list[Consumer]:
    """The consumers that have one of *rows*, or applied it."""
    if not may(request.user, "inventory.view_consumer", site):
        return []
    names = {(row.revision, row.sha256[:20]) for row in rows}
    revisions = {revision for revision, _ in names}
    has_one = Q(applied_revision__in=revisions) | Q(fetched_revision__in=revisions)
    near = Consumer.objects.filter(has_one, site=site, format=export.name).order_by("variant", "name")
    return [one for one in near if {named(one.applied_etag), named(one.fetched_etag)} & names]


def _versions(
    request: HttpRequest, site: Site, rows: list[Rendering], takers: Iterable[Consumer]
) -> list[Version]:
    changes: dict[int, Change] = {}
    if may(request.user, "inventory.view_change", site):
        known = Change.objects.filter(site=site, revision__in={row.revision for row in rows})
        changes = {one.revision: one for one in known}
    found = []
    for row in rows:
        had = list(_had(row, takers))
        more = max(0, len(had) - MOST_TAKERS)
        found.append(Version(row, changes.get(row.revision), had[:MOST_TAKERS], more))
    for place, version in enumerate(found):
        older = next((one.row for one in found[place + 1 :] if one.row.variant == version.row.variant), None)
        if older is not None:
            version.size_moved = version.row.size - older.size
            version.same = version.row.sha256 == older.sha256
    return found


def _had(row: Rendering, takers: Iterable[Consumer]) -> Iterable[tuple[str, bool]]:
    """The consumers whose newest is *row*; True: they applied it."""
    name = row.revision, row.sha256[:20]
    for one in takers:
        if one.variant != row.variant:
            continue
        if named(one.applied_etag) == name:
            yield one.name, True
        elif named(one.fetched_etag) == name:
            yield one.name, False
