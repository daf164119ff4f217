"""The first page and the findings of a site: what there is, what is wrong with it, what can be taken away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.judgement import findings_of, pages_of
from inventory.exports.registry import MODULES, Export, get_export
from inventory.findings import SEVERITIES, Finding, count_by_severity
from inventory.models import Change, Host, Site
from inventory.rules.lowering import OWN
from inventory.serving import consumers
from inventory.snapshot import Snapshot

TOP_FINDINGS = 8
LATEST_CHANGES = 10
PER_PAGE = 100

#: as ``consumers.counted``: site, format, state, how many
Taken = Iterable[tuple[str, str, str, int]]


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


@dataclass(frozen=True)
class SiteCard:
    """Everything that the first page says of one site."""

    site: Site
    snapshot: Snapshot
    counts: list[Counted]
    statuses: list[Counted]
    forms: list[Counted]
    severities: list[Counted]
    worst: list[Told]
    number_of_findings: int
    exports: list[tuple[Export, str]]
    #: who takes them: all, then those that need a look; empty when nobody does
    consumers: list[Counted]


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold calls to fill the first page. One query a site while nothing changed, and three more."""
    user: Any = request.user
    may_see = user.has_perm("inventory.view_site")
    exports = known_exports()
    taken = consumers.counted() if may_see and user.has_perm("inventory.view_consumer") else []
    cards = [card_of(site, exports, taken) for site in Site.objects.all()] if may_see else []
    changes = Change.objects.all()[:LATEST_CHANGES] if user.has_perm("inventory.view_change") else []
    context.update(
        title="Overview",
        may_see=may_see,
        may_add_site=user.has_perm("inventory.add_site"),
        may_search=user.has_perm("inventory.view_host"),
        cards=cards,
        latest=changes,
    )
    return context


def known_exports() -> list[Export]:
    """The formats that this version has."""
    found = []
    for name in MODULES:
        try:
            found.append(get_export(name))
        except ImportError:  # a format that is listed and not written yet takes nothing else away
            continue
    return found


def card_of(site: Site, exports: list[Export], taken: Taken) -> SiteCard:
    snapshot = reading.load(site.slug)
    findings = findings_of(snapshot)
    here = urlencode({"on_site": site.slug})
    lists = {noun: f"{_list_of(noun)}?{here}" for noun in ("host", "interface", "segment", "service")}
    hosts = snapshot.hosts
    return SiteCard(
        site=site,
        snapshot=snapshot,
        counts=[
            Counted("hosts", len(hosts), lists["host"]),
            Counted("interfaces", sum(len(host.interfaces) for host in hosts), lists["interface"]),
            Counted("segments", len(snapshot.segments), lists["segment"]),
            Counted("services", sum(len(host.services) for host in hosts), lists["service"]),
        ],
        statuses=_split(hosts, "status", lists["host"] + "&status__exact=", dict(Host.Status.choices)),
        forms=_split(hosts, "form", lists["host"] + "&of_form=", dict(Host.Form.choices)),
        severities=_by_severity(site, findings),
        worst=told(site.pk, findings[:TOP_FINDINGS]),
        number_of_findings=len(findings),
        exports=[(export, reverse("export", args=(site.slug, export.name))) for export in exports],
        consumers=_consumers(site, taken),
    )


def _consumers(site: Site, taken: Taken) -> list[Counted]:
    """How many consumers the site has, and how many of them are behind or failed, and silent if any are."""
    page = f"{_list_of('consumer')}?{urlencode({'on_site': site.slug})}"
    states: Counter[str] = Counter()
    for slug, _, state, number in taken:
        states[state] += number if slug == site.slug else 0
    if not states.total():
        return []
    told = [state for state in ("behind", "failed", "silent") if states[state] or state != "silent"]
    return [
        Counted("consumers", states.total(), page),
        *(Counted(state, states[state], f"{page}&in_state={state}") for state in told),
    ]


def _split(hosts: Any, attribute: str, page: str, labels: dict[str, str]) -> list[Counted]:
    counted = Counter(getattr(host, attribute) for host in hosts)
    return [
        Counted(labels.get(value, value).partition(": ")[2] or value, number, f"{page}{value}")
        for value, number in counted.most_common()
        if value
    ]


def _by_severity(site: Site, findings: tuple[Finding, ...]) -> list[Counted]:
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


def _list_of(noun: str) -> str:
    return reverse(f"admin:inventory_{noun}_changelist")


def findings_page(request: HttpRequest, slug: str) -> HttpResponse:
    """All findings of one site, by severity or rule. Needs the permission to view sites."""
    if not request.user.has_perm("inventory.view_site"):
        raise PermissionDenied
    site = Site.objects.filter(slug=slug).first()
    if site is None:
        raise Http404(f"There is no site “{slug}”.")
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
        "severities": _by_severity(site, findings),
        "number": len(findings),
        "rules": sorted(Counter(f.id for f in findings if severity in ("", f.severity)).items()),
        "page": page,
        "rows": told(
            site.pk,
            list(page.object_list),
            may_lower=request.user.has_perm("inventory.add_severityoverride"),
        ),
        "query": urlencode({"severity": severity, "rule": rule}),
    }
    return TemplateResponse(request, "admin/inventory/findings.html", context)


def urls() -> list[URLPattern]:
    return [path("findings/<str:slug>/", admin.site.admin_view(findings_page), name="findings")]
