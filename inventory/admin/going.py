"""Stable addresses by name: ``/admin/go/<site>/<noun>/<name>`` leads to the row's page, whatever its number is here."""

from __future__ import annotations

import difflib

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory import reading
from inventory.admin.judgement import pages_of
from inventory.admin.pages import page, shown
from inventory.knowledge import PERMISSIONS
from inventory.lookup.searching import names_of
from inventory.models import Host, Site
from inventory.permissions import may

#: As findings name their subjects; ``fate`` is what falls with a host.
NOUNS = ("host", "interface", "service", "segment", "group", "profile", "role", "alias", "override", "fate")


@page("go/<str:site>/<str:noun>/<path:name>", permission="inventory.view_site")
def go(request: HttpRequest, site: Site, noun: str, name: str) -> HttpResponse:
    """Redirect to the page of the *noun* called *name*; an interface as ``host/interface``."""
    if noun not in NOUNS or "\0" in name:
        raise Http404(f"There is no “{noun}” to go to; nouns are {', '.join(NOUNS)}.")
    named = "host" if noun == "fate" else noun
    needed = PERMISSIONS.get(named, "inventory.view_severityoverride")
    sees = may(request.user, needed, site)
    found = (_fate(site, name) if noun == "fate" else _page(site, f"{noun} {name}")) if sees else None
    if found is not None:
        return redirect(found)
    alike = (
        difflib.get_close_matches(name.lower(), names_of(reading.load(site.slug), named), n=5) if sees else []
    )
    answer = shown(
        request, "find/nowhere.html", "Not found",
        site=site, noun=noun, name=name,
        near=[(one, reverse("admin:go", args=(site.slug, noun, one))) for one in alike],
    )  # fmt: skip
    answer.status_code = 404
    return answer


def _page(site: Site, subject: str) -> str | None:
    return pages_of(site.pk, [subject]).get(subject)


def _fate(site: Site, host: str) -> str | None:
    """What falls with a host, by its name."""
    pk = Host.objects.filter(site=site, name=host).values_list("pk", flat=True).first()
    return reverse("admin:falls_with", args=(site.slug, pk)) if pk else None
