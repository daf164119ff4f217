"""The findings of a site: what is wrong with it, where it stands, what can be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.judgement import findings_of, pages_of
from inventory.admin.pages import site_or_404
from inventory.findings import SEVERITIES, Finding, count_by_severity
from inventory.models import Site
from inventory.permissions import may
from inventory.rules.lowering import OWN

PER_PAGE = 100


@dataclass(frozen=True)
class Told:
    """A finding beside the address of what it speaks of."""

    finding: Finding
    page: str
    #: where its severity can be lowered, with everything filled in but the reason and the day
    lower: str = ""


@dataclass(frozen=True)
class Counted:
    """A number on the first page and the list behind it."""

    label: str
    number: int
    page: str


def by_severity(site: Site, findings: tuple[Finding, ...]) -> list[Counted]:
    page = reverse("admin:findings", args=(site.slug,))
    counts = count_by_severity(findings)
    return [Counted(name, counts[name], f"{page}?severity={name}") for name in SEVERITIES]


def told(site_id: int, findings: Any, *, may_lower: bool = False) -> list[Told]:
    pages = pages_of(site_id, {finding.subject for finding in findings})
    return [
        Told(finding, pages.get(finding.subject, ""), _lowering_of(site_id, finding) if may_lower else "")
        for finding in findings
    ]


def _lowering_of(site_id: int, finding: Finding) -> str:
    """The page that lowers *finding*; empty where nothing is left to lower, or somebody did."""
    if finding.severity == "info" or finding.lowered_from or finding.id in OWN:
        return ""
    below = "warning" if finding.severity == "error" else "info"
    given: dict[str, str] = {
        "site": str(site_id),
        "finding": finding.id,
        "subject": finding.subject,
        "severity": below,
    }
    return f"{reverse('admin:inventory_severityoverride_add')}?{urlencode(given)}"


def list_of(noun: str) -> str:
    return reverse(f"admin:inventory_{noun}_changelist")


def findings_page(request: HttpRequest, slug: str) -> HttpResponse:
    """All findings of one site, by severity or rule. Needs the permission to view sites."""
    if not may(request.user, "inventory.view_site"):
        raise PermissionDenied
    site = site_or_404(request, slug)
    findings = findings_of(reading.load(slug))
    severity, rule = request.GET.get("severity", ""), request.GET.get("rule", "")
    chosen = [f for f in findings if severity in ("", f.severity) and rule in ("", f.id)]
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": f"Findings of {slug}",
        "site": site,
        "severity": severity,
        "rule": rule,
        "severities": by_severity(site, findings),
        "number": len(findings),
        "rules": sorted(Counter(f.id for f in findings if severity in ("", f.severity)).items()),
        "page": page,
        "rows": told(
            site.pk,
            list(page.object_list),
            may_lower=may(request.user, "inventory.add_severityoverride", site),
        ),
        "query": urlencode({"severity": severity, "rule": rule}),
    }
    return TemplateResponse(request, "admin/inventory/findings.html", context)


def urls() -> list[URLPattern]:
    return [path("findings/<str:slug>/", admin.site.admin_view(findings_page), name="findings")]
