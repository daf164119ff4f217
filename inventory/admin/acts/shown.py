"""What the pages of acts share: at which site, and who may."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory.admin.pages import shown
from inventory.models import Site
from inventory.permissions import may, visible_sites


def only_site(request: HttpRequest, name: str, title: str) -> HttpResponse:
    """Lead to the page *name* of the only site at which a host may be added, or ask which."""
    sites = list(visible_sites(request.user, "inventory.add_host"))
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    places = [(site, reverse(f"admin:{name}", args=(site.slug,)) + query) for site in sites]
    if len(places) == 1:
        return redirect(places[0][1])
    return shown(request, "acts/at_which_site.html", title, places=places)


def need(request: HttpRequest, site: Site, *permissions: str) -> None:
    """Raise PermissionDenied for who may not do all of that at *site*."""
    for permission in permissions:
        if not may(request.user, permission, site):
            raise PermissionDenied(f"This needs the permission {permission} at {site}.")
