"""``/metrics``: numbers about each site, as Prometheus text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from inventory import reading, rules
from inventory.api import degraded
from inventory.api.answers import Endpoint, unshared
from inventory.api.auth import READING, reader_of
from inventory.copying import copies
from inventory.findings import count_by_severity
from inventory.models import Site
from inventory.serving import consumers
from inventory.snapshot import Snapshot

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via")

#: uid of a site → (revision, day), findings by severity as the site's people lowered them
_judged: dict[str, tuple[tuple[int, date], dict[str, int]]] = {}


#: what other applications count: slugs of the sites that the reader sees (None: all) → metrics
OTHERS: list[Callable[[frozenset[str] | None], Iterable[Metric]]] = []


class Metrics(Endpoint):
    """For any token (a site's own sees that site), for staff (their sites), and for who asks from this very machine."""

    permission = READING

    def get(self, request: HttpRequest) -> HttpResponse:
        degraded.require_reachable()
        only = None if _is_local(request) else reader_of(request).sites
        registry = CollectorRegistry()
        registry.register(_Sites(only))
        return unshared(HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST))


def _is_local(request: HttpRequest) -> bool:
    """True for a scraper beside this process. Behind a proxy every stranger would look like that one."""
    if "Authorization" in request.headers or any(name in request.headers for name in FORWARDED):
        return False
    proxied = settings.SECURE_PROXY_SSL_HEADER is not None
    return not proxied and request.META.get("REMOTE_ADDR") in LOOPBACK


class _Sites(Collector):
    def __init__(self, only: frozenset[str] | None) -> None:
        self.only = only

    def describe(self) -> Iterable[Metric]:
        return []  # nothing is collected on registration

    def collect(self) -> Iterator[Metric]:
        revision = GaugeMetricFamily("mgmtplane_site_revision", "Revision of the site.", labels=["site"])
        hosts = GaugeMetricFamily("mgmtplane_hosts", "Declared hosts.", labels=["site", "status"])
        findings = GaugeMetricFamily("mgmtplane_findings", "Findings.", labels=["site", "severity"])
        for snapshot in self._snapshots():
            slug = snapshot.site.slug
            revision.add_metric([slug], snapshot.revision)
            for status, count in _by_status(snapshot).items():
                hosts.add_metric([slug, status], count)
            for severity, count in _judgement(snapshot).items():
                findings.add_metric([slug, severity], count)
        yield from (revision, hosts, findings, *self._copies(), self._consumers())
        for others in OTHERS:
            yield from others(self.only)

    def _copies(self) -> Iterable[Metric]:
        epoch = GaugeMetricFamily("mgmtplane_site_epoch", "Epoch of the site.", labels=["site"])
        live = GaugeMetricFamily(
            "mgmtplane_site_live",
            "1 where this copy writes the site, 0 where it is read-only.",
            labels=["site"],
        )
        others = GaugeMetricFamily(
            "mgmtplane_site_other_copies",
            "1 where a consumer met another copy that is live in the same epoch or a later one.",
            labels=["site"],
        )
        rows = Site.objects.all()
        for one in copies.standings(rows if self.only is None else rows.filter(slug__in=self.only)):
            epoch.add_metric([one.slug], one.epoch)
            live.add_metric([one.slug], int(one.is_live))
            others.add_metric([one.slug], int(one.has_met))
        return epoch, live, others

    def _consumers(self) -> Metric:
        family = GaugeMetricFamily(
            "mgmtplane_consumers",
            "Who takes an export: current, behind, failed (their last report) or silent (for a day).",
            labels=["site", "format", "state"],
        )
        found = {
            (site, format, state): number
            for site, format, state, number in consumers.counted()
            if self.only is None or site in self.only
        }
        for site, format in sorted({(site, format) for site, format, _ in found}):
            for state in consumers.STATES:
                family.add_metric([site, format, state], found.get((site, format, state), 0))
        return family

    def _snapshots(self) -> Iterator[Snapshot]:
        sites = Site.objects.order_by("slug").values_list("pk", "uid", "revision")
        for pk, uid, revision in sites if self.only is None else sites.filter(slug__in=self.only):
            yield reading.load_at(reading.Now(pk, str(uid), revision))


def _by_status(snapshot: Snapshot) -> dict[str, int]:
    counts: dict[str, int] = {}
    for host in snapshot.hosts:
        counts[host.status] = counts.get(host.status, 0) + 1
    return dict(sorted(counts.items()))


def _judgement(snapshot: Snapshot) -> dict[str, int]:
    moment = snapshot.revision, timezone.localdate()
    known = _judged.get(snapshot.site.uid)
    if known is not None and known[0] == moment:
        return known[1]
    counts = count_by_severity(tuple(rules.judge(snapshot, moment[1])))
    _judged[snapshot.site.uid] = moment, counts
    return counts
