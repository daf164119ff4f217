"""The topology of a site as a drawing, and as a list for who cannot see it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.pages import page, shown
from inventory.admin.pictures.cells import page_of, require
from inventory.models import Host, Site
from inventory.pictures.drawing import Drawing, Node, Target, drawing_of
from inventory.pictures.topology import DRAWN, Wanted, choices, topology

#: the parts of the filter, as the query string names them
FILTERS = ("segment", "plane", "form", "status")
_LABELS: dict[str, dict[str, str]] = {
    "form": {value: str(label) for value, label in Host.Form.choices},
    "status": {value: str(label) for value, label in Host.Status.choices},
    "plane": {value: str(label) for value, label in Host.Plane.choices},
}


@page("pictures/topology/<str:site>/", permission="inventory.view_host")
def topology_picture(request: HttpRequest, site: Site) -> HttpResponse:
    """Routers, switches, segments, hosts and services; filtered by the query string."""
    require(request, site, "inventory.view_segment")
    snapshot = reading.load(site.slug)
    wanted = _wanted(request)
    found = topology(snapshot, wanted)
    drawing = drawing_of(snapshot, wanted)
    known = choices(snapshot)
    return shown(
        request,
        "pictures/topology.html",
        f"Topology of {site}",
        site=site,
        topology=found,
        drawing=drawing,
        nodes=_placed(drawing, site, wanted),
        selects=[(name, _options(name, known[name]), getattr(wanted, name) or "") for name in FILTERS],
        wanted=wanted,
        most=DRAWN,
        listed=f"{reverse('admin:inventory_host_changelist')}?{urlencode({'on_site': site.slug})}",
        host_add=f"{reverse('admin:inventory_host_add')}?{urlencode({'site': site.pk})}",
    )


def _wanted(request: HttpRequest) -> Wanted:
    given = {name: request.GET.get(name, "").strip() for name in (*FILTERS, "hypervisor")}
    segment = given.pop("segment")
    return Wanted(segment={"": None, "none": ""}.get(segment, segment), **given)


def _options(name: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    labels = _LABELS.get(name, {})
    return [(value, labels.get(value, value)) for value in values]


def _placed(drawing: Drawing, site: Site, wanted: Wanted) -> list[tuple[Node, str]]:
    """Each box with the address that it leads to."""
    leading = _Leading(site, wanted)
    return [(node, leading.to(node.target) if node.target else "") for node in drawing.nodes]


class _Leading:
    def __init__(self, site: Site, wanted: Wanted) -> None:
        self.site, self.wanted = site, wanted
        self.known: dict[Any, str] = {}

    def to(self, target: Target) -> str:
        if target not in self.known:
            self.known[target] = self._address(target)
        return self.known[target]

    def _address(self, target: Target) -> str:
        """Segments open in this picture, and lead to their own page once they are opened."""
        if target.kind != "segment":
            return page_of(self.site, target.kind, target.name)
        if target.name and self.wanted.segment == target.name:
            return page_of(self.site, "segment", target.name)
        given = {name: getattr(self.wanted, name) for name in FILTERS if getattr(self.wanted, name)}
        return f"?{urlencode({**given, 'segment': target.name or 'none'})}"
