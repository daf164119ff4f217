"""How full the segments of a site are, and the address map of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.pages import page, shown
from inventory.admin.pictures.cells import Shown, lasting, ledger_of, legend, page_of, require
from inventory.admin.sited import row_or_404
from inventory.models import Identity, Segment, Site
from inventory.permissions import may
from inventory.pictures.maps import Block, Cell, NoSuchNetwork
from inventory.pictures.maps import address_map as map_of
from inventory.pictures.use import SegmentUse, segment_use, use_by_name
from inventory.snapshot import SegmentFacts

PER_PAGE = 200
WORDS = {
    "disputed": "disputed",
    "gateway": "gateway",
    "infrastructure": "DNS, boot or out-of-band",
    "reserved": "host with a reservation",
    "host": "host",
    "quarantined": "quarantined",
    "edge": "network or broadcast",
    "delegated": "delegated to others",
    "pool": "DHCP pool",
    "free": "free, static range",
    "outside": "free, not static range",
}
#: what the marks themselves do not say; beside a line of the table it stands in a column of its own
NOT_SAID = {"disputed": "disputed, ", "host": "host ", "reserved": "host "}


@page("pictures/segments/<str:site>/", permission="inventory.view_segment")
def segments_picture(request: HttpRequest, site: Site) -> HttpResponse:
    """All segments of a site with how much of each is used; by VLAN, or the fullest first."""
    fullest = request.GET.get("order") == "use"
    uses = sorted(segment_use(reading.load(site.slug)), key=_by_use if fullest else _by_vlan)
    shown_page = Paginator(uses, PER_PAGE).get_page(request.GET.get("page"))
    names = [use.name for use in shown_page]
    rows = Segment.objects.filter(site=site, name__in=names).order_by()
    pks = dict(rows.values_list("name", "pk"))
    return shown(
        request,
        "pictures/segments.html",
        f"Segments of {site}",
        site=site,
        page=shown_page,
        rows=[(use, pks.get(use.name)) for use in shown_page],
        fullest=fullest,
        query="order=use" if fullest else "",
        may_add=may(request.user, "inventory.add_segment", site),
    )


def _by_use(use: SegmentUse) -> tuple[Any, ...]:
    return -use.percent, -use.used, use.name


def _by_vlan(use: SegmentUse) -> tuple[Any, ...]:
    return use.vlan is None, use.vlan or 0, use.name


@dataclass(frozen=True, slots=True)
class Line:
    """An address in the table below the map."""

    cell: Cell
    words: str
    told: str
    url: str


@page("pictures/map/<str:site>/<int:segment>/", permission="inventory.view_segment")
def address_map(request: HttpRequest, site: Site, segment: int) -> HttpResponse:
    """The addresses of a segment: each a cell, or in blocks where there are more."""
    require(request, site, "inventory.view_host")
    row = row_or_404(Segment.objects.filter(site=site), str(segment))
    snapshot = reading.load(site.slug)
    facts = snapshot.segment_by_name.get(row.name)
    if facts is None:
        raise Http404(f"Segment {row.name} is gone meanwhile; look at the list of segments.")
    part, state = request.GET.get("in", "").strip(), request.GET.get("state", "")
    try:
        found = map_of(snapshot, facts, part)
    except NoSuchNetwork as refusal:
        raise Http404(str(refusal)) from None
    state = state if state in WORDS else ""
    page6: Any = Paginator(found.known6, PER_PAGE).get_page(request.GET.get("page"))
    since = _held_since(site, [*found.cells, *page6])
    telling = _Telling(request, site, row, facts, since)
    return shown(
        request,
        "pictures/map.html",
        f"Address map of {row.name}",
        site=site,
        row=row,
        facts=facts,
        use=use_by_name(snapshot)[row.name],
        map=found,
        around=[(one, f"?{urlencode({'in': one})}") for one in found.around],
        keys=legend(found.counts, WORDS, state, **{"in": part}),
        cells=[telling.shown(cell, state) for cell in found.cells],
        blocks=[(block, f"?{urlencode({'in': block.network})}", _told_of(block)) for block in found.blocks],
        lines=[telling.line(c) for c in found.cells if (c.state == state if state else c.is_used)],
        state=WORDS.get(state, ""),
        page6=page6,
        lines6=[telling.line(cell) for cell in page6],
        segment_page=reverse("admin:inventory_segment_change", args=(row.pk,)),
    )


def _held_since(site: Site, cells: Iterable[Cell]) -> dict[str, str]:
    """Address → since when it is held, of those that are shown one by one. One query, and none without cells."""
    used = [cell.address for cell in cells if cell.is_used]
    if not used:
        return {}
    held = Identity.objects.filter(site=site, kind="ip", state="held", value__in=used).order_by()
    return {value: since.isoformat() for value, since in held.values_list("value", "since")}


def _told_of(block: Block) -> str:
    parts = [f"{block.network}: {block.used} of {block.total} used, {block.percent} percent"]
    parts += [f"{block.disputed} disputed"] if block.disputed else []
    parts += [f"{block.quarantined} quarantined"] if block.quarantined else []
    parts += ["with a pool"] if block.has_pool else []
    parts += ["with a delegated range"] if block.has_delegated else []
    return ", ".join(parts)


class _Telling:
    """What is said of an address, and where it leads this person."""

    def __init__(
        self, request: HttpRequest, site: Site, row: Segment, facts: SegmentFacts, since: dict[str, str]
    ) -> None:
        self.site, self.since = site, since
        self.may_give = all(
            may(request.user, f"inventory.{verb}_interface", site) for verb in ("change", "add")
        )
        self.sees_ledger = may(request.user, "inventory.view_identity", site)
        self.segment_page = reverse("admin:inventory_segment_change", args=(row.pk,))
        self.give = reverse("admin:give_address", args=(site.slug, row.pk))

    def shown(self, cell: Cell, state: str) -> Shown:
        label = cell.address.rpartition(".")[2]
        told, word = self.told(cell), NOT_SAID.get(cell.state, "")
        told = told if told.startswith(WORDS[cell.state]) else f"{word}{told}"
        return Shown(
            label, cell.state, f"{cell.address}: {told}", self.url(cell), bool(state) and cell.state != state
        )

    def line(self, cell: Cell) -> Line:
        return Line(cell, WORDS[cell.state], self.told(cell), self.url(cell))

    def told(self, cell: Cell) -> str:
        """All marks, each with its MAC and its moments."""
        parts = []
        for mark in cell.marks:
            since = mark.since or (
                self.since.get(cell.address, "") if mark.state in ("host", "reserved") else ""
            )
            details = ", ".join(
                filter(None, (f"MAC {mark.mac}" if mark.mac else "", lasting(since, mark.until)))
            )
            parts.append(f"{mark.says}, {details}" if details else mark.says)
        return "; ".join(parts)

    def url(self, cell: Cell) -> str:
        """To the host; to the ledger for what is withheld; to where it is given; else to the segment."""
        if cell.state in ("quarantined", "disputed") and self.sees_ledger:
            return ledger_of(self.site, "ip", cell.address)
        if cell.host:
            return page_of(self.site, "host", cell.host)
        if cell.can_be_given:
            return f"{self.give}?{urlencode({'address': cell.address})}" if self.may_give else ""
        return self.segment_page
