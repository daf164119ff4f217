"""The first page: every site at a glance, or the only one in full; and the page of each site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading
from inventory.admin.findings import Counted, Told, by_severity, list_of, told
from inventory.admin.judgement import findings_of
from inventory.admin.pages import page, shown
from inventory.exports.registry import MODULES, Export, get_export
from inventory.findings import Finding
from inventory.models import Change, Consumer, Host, Site
from inventory.permissions import may, visible_sites, within
from inventory.pictures.use import SegmentUse, segment_use
from inventory.serving import consumers
from inventory.snapshot import Snapshot

TOP_FINDINGS = 8
LATEST_CHANGES = 10
MOST_CONSUMERS = 8
MOST_SEGMENTS = 12
#: of these states a person wants to know by name
NEEDS_A_LOOK = ("failed", "behind", "silent")

#: site, format, state, how many: as ``consumers.counted``
Taken = Iterable[tuple[str, str, str, int]]


@dataclass(frozen=True)
class Glance:
    """What the page over all sites says of one."""

    site: Site
    snapshot: Snapshot
    counts: list[Counted]
    severities: list[Counted]
    worst: list[Told]
    number_of_findings: int
    #: who takes its exports: all, then those that need a look; empty when nobody does
    consumers: list[Counted]
    page: str


@dataclass(frozen=True)
class Whole(Glance):
    """What its own page says of a site."""

    statuses: list[Counted] = field(default_factory=list)
    forms: list[Counted] = field(default_factory=list)
    exports: list[tuple[Export, str]] = field(default_factory=list)
    #: the fullest segments first, and how many there are
    segments: list[SegmentUse] = field(default_factory=list)
    number_of_segments: int = 0
    #: consumers that failed, are behind or silent, worst first
    late: list[Any] = field(default_factory=list)
    acts: list[tuple[str, str]] = field(default_factory=list)


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold calls to fill the first page. One query a site while nothing changed, and a few more."""
    user: Any = request.user
    sites = list(visible_sites(user))
    taken = list(consumers.counted()) if sites and user.has_perm("inventory.view_consumer") else []
    only = len(sites) == 1
    context.update(
        title=f"Overview of {sites[0]}" if only else "Overview",
        whole=whole_of(request, sites[0], taken) if only else None,
        cards=[] if only else [glance_of(user, site, taken) for site in sites],
        may_see=bool(sites) or user.has_perm("inventory.view_site"),
        may_start=user.has_perm("inventory.add_site"),
        latest=latest_changes(user),
    )
    return context


@page("site/<str:site>/", permission="inventory.view_site")
def site_overview(request: HttpRequest, site: Site) -> HttpResponse:
    """Everything at a glance about one site."""
    taken = consumers.counted(site.slug) if may(request.user, "inventory.view_consumer", site) else []
    return shown(
        request,
        "overview/site.html",
        f"Overview of {site}",
        whole=whole_of(request, site, taken),
        latest=latest_changes(request.user, site),
    )


def latest_changes(user: Any, site: Site | None = None) -> QuerySet[Change] | list[Change]:
    rows = within(Change.objects.all(), user, "inventory.view_change")
    return (rows.filter(site=site) if site else rows)[:LATEST_CHANGES]


def glance_of(user: Any, site: Site, taken: Taken) -> Glance:
    return Glance(**_glance(user, site, taken))


def whole_of(request: HttpRequest, site: Site, taken: Taken) -> Whole:
    user: Any = request.user
    facts = _glance(user, site, taken)
    hosts, lists = facts["snapshot"].hosts, _lists(site)
    return Whole(
        **facts,
        statuses=_split(hosts, "status", lists["host"] + "&status__exact=", dict(Host.Status.choices)),
        forms=_split(hosts, "form", lists["host"] + "&of_form=", dict(Host.Form.choices)),
        exports=[(export, reverse("export", args=(site.slug, export.name))) for export in known_exports()],
        segments=_fullest(facts["snapshot"]),
        number_of_segments=len(facts["snapshot"].segments),
        late=_late(site) if facts["consumers"] else [],
        acts=_acts(user, site),
    )


def known_exports() -> list[Export]:
    """The formats that this version has."""
    found = []
    for name in MODULES:
        try:
            found.append(get_export(name))
        except ImportError:  # a format that is listed and not written yet takes nothing else away
            continue
    return found


def _glance(user: Any, site: Site, taken: Taken) -> dict[str, Any]:
    snapshot = reading.load(site.slug)
    findings: tuple[Finding, ...] = findings_of(snapshot)
    lists, hosts = _lists(site), snapshot.hosts
    return {
        "site": site,
        "snapshot": snapshot,
        "page": reverse("admin:site_overview", args=(site.slug,)),
        "counts": [
            Counted("hosts", len(hosts), lists["host"]),
            Counted("interfaces", sum(len(host.interfaces) for host in hosts), lists["interface"]),
            Counted("segments", len(snapshot.segments), lists["segment"]),
            Counted("services", sum(len(host.services) for host in hosts), lists["service"]),
        ],
        "severities": by_severity(site, findings),
        "worst": told(site.pk, findings[:TOP_FINDINGS]),
        "number_of_findings": len(findings),
        "consumers": _consumers(site, taken) if may(user, "inventory.view_consumer", site) else [],
    }


def _lists(site: Site) -> dict[str, str]:
    here = urlencode({"on_site": site.slug})
    return {noun: f"{list_of(noun)}?{here}" for noun in ("host", "interface", "segment", "service")}


def _consumers(site: Site, taken: Taken) -> list[Counted]:
    """How many consumers the site has, and how many of them are behind or failed, and silent if any are."""
    listed = f"{list_of('consumer')}?{urlencode({'on_site': site.slug})}"
    states: Counter[str] = Counter()
    for slug, _, state, number in taken:
        states[state] += number if slug == site.slug else 0
    if not states.total():
        return []
    named = [state for state in ("behind", "failed", "silent") if states[state] or state != "silent"]
    return [
        Counted("consumers", states.total(), listed),
        *(Counted(state, states[state], f"{listed}&in_state={state}") for state in named),
    ]


def _fullest(snapshot: Snapshot) -> list[SegmentUse]:
    return sorted(segment_use(snapshot), key=lambda use: (-use.percent, use.vlan or 0, use.name))[
        :MOST_SEGMENTS
    ]


def _late(site: Site) -> list[Consumer]:
    rows = consumers.judged().filter(site=site, state__in=NEEDS_A_LOOK)
    return sorted(rows[: MOST_CONSUMERS * 4], key=lambda row: NEEDS_A_LOOK.index(row.state))[:MOST_CONSUMERS]


def _split(hosts: Any, attribute: str, listed: str, labels: dict[str, str]) -> list[Counted]:
    counted = Counter(getattr(host, attribute) for host in hosts)
    return [
        Counted(labels.get(value, value).partition(": ")[2] or value, number, f"{listed}{value}")
        for value, number in counted.most_common()
        if value
    ]


#: what people come here to do: words, page of the site, permission there
_ACTS = (
    ("New VM", "new_vm", "inventory.add_host"),
    ("New hardware", "new_machine", "inventory.add_host"),
    ("Address maps", "segments_picture", "inventory.view_segment"),
    ("Topology", "topology_picture", "inventory.view_host"),
    ("What changed", "what_changed", "inventory.view_change"),
)


def _acts(user: Any, site: Site) -> list[tuple[str, str]]:
    found = [
        (words, reverse(f"admin:{name}", args=(site.slug,)))
        for words, name, permission in _ACTS
        if may(user, permission, site)
    ]
    if may(user, "inventory.change_site", site):
        found.append(
            ("Import an Ansible tree", f"{reverse('admin:tree_import')}?{urlencode({'site': site.pk})}")
        )
    return found
