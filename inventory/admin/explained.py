"""The page of one finding: what it means, why it matters, what to do. The same text as in the docs."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from inventory.permissions import may, visible_sites
from inventory.rules.catalogue import CATALOGUE, SUBJECTS


def finding_page(request: HttpRequest, finding: str) -> HttpResponse:
    """What *finding* means. Needs the permission to view sites, as the list that leads here does."""
    if not may(request.user, "inventory.view_site"):
        raise PermissionDenied
    page = CATALOGUE.get(finding)
    if page is None:
        raise Http404(f"There is no finding “{finding}”.")
    context = {
        **admin.site.each_context(request),
        "title": f"Finding {finding}",
        "finding": finding,
        "page": page,
        "severity": page.severity.partition(";")[0],
        "subject": next(subject for subject, pages in SUBJECTS.items() if finding in pages),
        "sites": visible_sites(request.user).values_list("slug", flat=True),
    }
    return TemplateResponse(request, "admin/inventory/finding.html", context)


def urls() -> list[URLPattern]:
    return [path("finding/<slug:finding>/", admin.site.admin_view(finding_page), name="finding")]
