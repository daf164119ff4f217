"""The entries of the menu: straight to the picture where a person sees one site, else a choice of sites."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory.admin.pages import page, shown
from inventory.permissions import visible_sites


@page("pictures/segments/", permission="inventory.view_segment")
def segments_somewhere(request: HttpRequest) -> HttpResponse:
    return _led(request, "segments_picture", "inventory.view_segment", "Use of segments")


@page("pictures/topology/", permission="inventory.view_host")
def topology_somewhere(request: HttpRequest) -> HttpResponse:
    return _led(request, "topology_picture", "inventory.view_host", "Topology")


@page("pictures/macs/", permission="inventory.view_host")
def macs_somewhere(request: HttpRequest) -> HttpResponse:
    return _led(request, "mac_namespace", "inventory.view_host", "MAC namespace")


@page("pictures/fate/", permission="inventory.view_host")
def fate_somewhere(request: HttpRequest) -> HttpResponse:
    return _led(request, "failure_domains", "inventory.view_host", "Failure domains")


@page("pictures/power/", permission="inventory.view_host")
def power_somewhere(request: HttpRequest) -> HttpResponse:
    return _led(request, "power_order", "inventory.view_host", "Shutdown and power-up")


def _led(request: HttpRequest, name: str, permission: str, title: str) -> HttpResponse:
    sites = list(visible_sites(request.user, permission))
    if len(sites) == 1:
        return redirect(reverse(f"admin:{name}", args=(sites[0].slug,)))
    links = [(site, reverse(f"admin:{name}", args=(site.slug,))) for site in sites]
    return shown(request, "pictures/somewhere.html", title, links=links)
