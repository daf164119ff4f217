"""Pages that belong to no list: each names its address and its permission in one line, and is registered by it.

    @page("map/<str:site>/<int:segment>/", permission="inventory.view_segment")
    def address_map(request, site, segment): ...

The page's name is the function's: ``{% url 'admin:address_map' site.slug segment.pk %}``. Where the address has
``<str:site>``, the page gets the Site itself: who may not have the permission there gets 404 or 403 before the page is
asked. Where it has none, the permission is asked for anywhere; the page then limits what it shows with
``inventory.permissions.within``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from inventory.models import Site
from inventory.permissions import may

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Page:
    """One registered page; the permission matrix and the list of permissions in the docs are made of these."""

    route: str
    name: str
    permission: str
    view: View
    #: what it answers to; a page that only shows takes GET alone
    methods: tuple[str, ...] = ("GET", "HEAD")

    @property
    def of_site(self) -> bool:
        return "<str:site>" in self.route


PAGES: list[Page] = []


def page(
    route: str, *, permission: str, methods: tuple[str, ...] = ("GET", "HEAD")
) -> Callable[[View], View]:
    """Register the decorated view below ``/admin/`` at *route*; *permission* is looked at before it runs."""

    def register(view: View) -> View:
        name = view.__name__
        if any(known.name == name or known.route == route for known in PAGES):
            raise ValueError(f"two pages are called {name}, or stand at {route}")

        @functools.wraps(view)
        def guarded(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if request.method not in methods:
                return HttpResponse(status=405, headers={"Allow": ", ".join(methods)})
            if "site" in arguments:
                arguments["site"] = site_or_404(request, arguments["site"])
            if not may(request.user, permission, arguments.get("site")):
                raise PermissionDenied(f"This page needs the permission {permission}.")
            return view(request, **arguments)

        PAGES.append(Page(route, name, permission, guarded, methods))
        return view

    return register


def site_or_404(request: HttpRequest, slug: str) -> Site:
    """The site *slug*, if the person may see it; who may not learns nothing of it."""
    site = Site.objects.filter(slug=slug).first() if "\0" not in slug else None
    if site is None or not may(request.user, "inventory.view_site", site):
        raise Http404(f"There is no site “{slug}”, or you may not see it.")
    return site


def shown(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    """*template* below ``admin/inventory/`` inside the admin's frame."""
    return TemplateResponse(
        request,
        f"admin/inventory/{template}",
        {**admin.site.each_context(request), "title": title, **context},
    )


def urls() -> list[URLPattern]:
    return [path(known.route, admin.site.admin_view(known.view), name=known.name) for known in PAGES]
