"""What falls with a host, and which hosts take most with them."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.pages import page, shown
from inventory.admin.pictures.cells import page_of, require
from inventory.admin.sited import row_or_404
from inventory.models import Host, Site
from inventory.pictures.fate import EFFECTS, KINDS, Fallen, Fate, carriers, fate_of, fates, shared_fates

PER_PAGE = 50
#: of one kind, on the page of a host
LISTED = 200
#: services that share a fate, on the overview
SHARED = 20
TITLES = {
    "host": "Hosts",
    "service": "Services",
    "alias": "Aliases",
    "segment": "Segments",
    "site": "The site",
}
SAID = {"down": "does not run", "cut off": "cannot be reached", "degraded": "goes on with less"}


@page("pictures/fate/<str:site>/", permission="inventory.view_host")
def failure_domains(request: HttpRequest, site: Site) -> HttpResponse:
    """Every host with which something falls, the worst first; and services that share their fate."""
    require(request, site, "inventory.view_service", "inventory.view_segment")
    snapshot = reading.load(site.slug)
    found = fates(snapshot)
    shown_page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    names = [one.host for one in shown_page]
    shared = shared_fates(snapshot)
    names += [one.carrier for one in shared[:SHARED]]
    pks = dict(Host.objects.filter(site=site, name__in=names).order_by().values_list("name", "pk"))
    return shown(
        request,
        "pictures/failure_domains.html",
        f"Failure domains of {site}",
        site=site,
        page=shown_page,
        kinds=[TITLES[kind] for kind in KINDS[:-1]],
        rows=[(one, snapshot.host_by_name[one.host], pks.get(one.host), _counted(one)) for one in shown_page],
        shared=[(one, pks.get(one.carrier), _services(one.services)) for one in shared[:SHARED]],
        more_shared=max(len(shared) - SHARED, 0),
        query="",
        any_hosts=bool(snapshot.hosts),
        host_add=f"{reverse('admin:inventory_host_add')}?{urlencode({'site': site.pk})}",
    )


def _counted(fate: Fate) -> list[tuple[str, int, int]]:
    """For each kind its title, how many are lost (segments: degraded), and how many go on with less."""
    counts = fate.counts
    return [(TITLES[kind], counts[kind], fate.count(kind) - counts[kind]) for kind in KINDS[:-1]]


def _services(services: tuple[object, ...], most: int = 12) -> str:
    labels = [getattr(one, "label", "") for one in services]
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more


@page("pictures/fate/<str:site>/<int:host>/", permission="inventory.view_host")
def falls_with(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """Everything that falls with one host, with the reason for each."""
    require(request, site, "inventory.view_service", "inventory.view_segment")
    row = row_or_404(Host.objects.filter(site=site).only("name", "site"), str(host))
    snapshot = reading.load(site.slug)
    facts = snapshot.host_by_name.get(row.name)
    if facts is None:
        raise Http404(f"Host {row.name} is gone meanwhile; look at the list of hosts.")
    found = fate_of(snapshot, row.name)
    sections = []
    for kind in KINDS:
        fallen = sorted(found.of_kind(kind), key=lambda one: (EFFECTS.index(one.effect), one.depth, one.name))
        if fallen:
            lines = [(one, SAID[one.effect], _page(site, one)) for one in fallen[:LISTED]]
            sections.append((TITLES[kind], len(fallen), lines, max(len(fallen) - LISTED, 0)))
    return shown(
        request,
        "pictures/falls_with.html",
        f"What falls with {row.name}",
        site=site,
        row=row,
        host_page=reverse("admin:inventory_host_change", args=(row.pk,)),
        form=dict(Host.Form.choices).get(facts.form, facts.form),
        fate=found,
        lost=len(found.lost),
        degraded=len(found.fallen) - len(found.lost),
        sections=sections,
        stands_on=[(name, page_of(site, "host", name)) for name in carriers(snapshot, facts)],
        hangs_on=sorted({one.switch for one in facts.interfaces if one.switch}),
        retired=facts.is_retired,
    )


def _page(site: Site, one: Fallen) -> str:
    if one.kind == "site":
        return reverse("admin:site_overview", args=(site.slug,))
    return page_of(site, one.kind, one.name)
