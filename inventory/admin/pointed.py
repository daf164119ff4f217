"""On the page of a host, when somebody asks: everything that points at it, and its latest changes."""

from __future__ import annotations

from itertools import groupby, islice
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from inventory import reading
from inventory.admin.judgement import pages_of
from inventory.admin.pages import page, shown
from inventory.admin.timeline import timeline
from inventory.models import Host, Site
from inventory.permissions import may
from inventory.pointing import pointing

#: so many of one kind, and so many places, are shown
MOST = 100
LATEST = 5


@page("pointing/<str:site>/host/<int:host>/", permission="inventory.view_host")
def points_at_host(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """What refers to a host, and every text that names it or one of its values."""
    row = _host(site, host)
    snapshot = reading.load(site.slug)
    facts = snapshot.host_by_name.get(row.name)
    if facts is None:
        raise Http404(f"{row.name} was renamed or deleted just now.")
    found = pointing(snapshot, facts)
    places = found.places[:MOST]
    pages = pages_of(
        site.pk, {*(one.subject for one in found.declared), *(place.subject for place in places)}
    )
    groups = []
    for heading, some in groupby(found.declared, lambda one: one.heading):
        rows = list(some)
        groups.append(
            (heading, [(one, pages.get(one.subject, "")) for one in rows[:MOST]], max(0, len(rows) - MOST))
        )
    return _answer(
        request,
        "_pointing.html",
        f"What points at {row.name}",
        groups=groups,
        places=[(place, pages.get(place.subject, "")) for place in places],
        more=max(0, len(found.places) - MOST),
        sealed=found.sealed,
        host=row,
    )


@page("latest/<str:site>/host/<int:host>/", permission="inventory.view_host")
def latest_of_host(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """The last changes of a host, its interfaces, services and memberships."""
    row = _host(site, host)
    moments = list(islice(timeline(row.pk), LATEST))
    may_open = may(request.user, "inventory.view_change", site)
    return _answer(
        request, "_latest.html", f"Latest changes of {row.name}", moments=moments, host=row, may_open=may_open
    )


def _host(site: Site, pk: int) -> Host:
    row = Host.objects.filter(site=site, pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise Http404(f"Site {site} has no such host.")
    return row


def _answer(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """A part of the host's page for htmx, a page of its own without."""
    if request.headers.get("HX-Request"):
        return render(request, f"admin/inventory/host/{template}", context)
    return shown(request, "host/part.html", title, part=f"admin/inventory/host/{template}", **context)
