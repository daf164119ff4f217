"""What ``/metrics`` counts of jobs, schedules, workers and drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Q
from prometheus_client.core import GaugeMetricFamily, Metric

from provisioning import states
from provisioning.backups import ages
from provisioning.drills import ages as drills
from provisioning.engine import workers
from provisioning.kits import ages as kit_ages
from provisioning.models import DriftFinding, Job, ScheduleState, Survey
from provisioning.surveying.kinds_of_drift import KINDS, OPEN


def collect(only: frozenset[str] | None) -> Iterator[Metric]:
    """Jobs, schedules, drift and surveys by site, and how long no worker was heard; of the sites *only*, unless None."""
    yield _jobs(only)
    yield _schedules(only)
    yield _drift(only)
    yield _surveys(only)
    age = GaugeMetricFamily(
        "mgmtplane_worker_age_seconds",
        "Seconds since a worker of the queue was heard; absent where none ever was.",
        labels=["queue"],
    )
    for queue, seconds in sorted(workers.ages().items()):
        age.add_metric([queue], seconds)
    yield age
    yield from _of_recovery()
    yield from _kits(only)


def _of_recovery() -> Iterator[Metric]:
    """Ages of the backup and of its drill, by the clock and in powered-on time."""
    aged = (
        ("backup", "the newest backup of this application", ages.age_seconds, ages.powered_age),
        ("drill", "the last drill of a backup that succeeded", drills.age_seconds, drills.powered_age),
    )
    for name, what, by_clock, powered_on in aged:
        for suffix, how, look in (
            ("age", "", by_clock),
            ("powered_age", " in which workers were heard", powered_on),
        ):
            family = GaugeMetricFamily(
                f"mgmtplane_{name}_{suffix}_seconds",
                f"Seconds{how} since {what}; absent where there is none.",
            )
            if (seconds := look()) is not None:
                family.add_metric([], seconds)
            yield family


def _kits(only: frozenset[str] | None) -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "mgmtplane_kit_age_seconds",
        "Seconds since the newest recovery kit arrived; the place is empty where it is built. Absent: it never did.",
        labels=["site", "place"],
    )
    behind = GaugeMetricFamily(
        "mgmtplane_kit_revisions_behind",
        "Revisions of the site since the newest recovery kit at the place.",
        labels=["site", "place"],
    )
    for one in kit_ages.newest(None if only is None else Q(site__slug__in=only)):
        if one.age is not None:
            age.add_metric([one.site, one.place], one.age)
            behind.add_metric([one.site, one.place], one.behind)
    yield age
    yield behind


def _jobs(only: frozenset[str] | None) -> Metric:
    family = GaugeMetricFamily(
        "mgmtplane_jobs", "Jobs that are kept; the site is empty for those of none.", labels=["site", "state"]
    )
    rows = Job.objects.all() if only is None else Job.objects.filter(site_slug__in=only)
    counted = rows.order_by().values_list("site_slug", "state").annotate(number=Count("pk"))
    numbers = {(site, state): number for site, state, number in counted}
    for site in sorted({site for site, _ in numbers} | ({""} if only is None else set())):
        for state in states.STATES:
            family.add_metric([site, state], numbers.get((site, state), 0))
    return family


def _schedules(only: frozenset[str] | None) -> Metric:
    family = GaugeMetricFamily(
        "mgmtplane_schedules",
        "Schedules that are enabled; red: they cannot be carried out as declared.",
        labels=["site", "state"],
    )
    rows = ScheduleState.objects.filter(schedule__enabled=True)
    rows = rows if only is None else rows.filter(schedule__site__slug__in=only)
    red = Count("pk", filter=~Q(fault="", refused=""))
    counted = (
        rows.order_by("schedule__site__slug")
        .values_list("schedule__site__slug")
        .annotate(number=Count("pk"), red=red)
    )
    for site, number, bad in counted:
        family.add_metric([site, "ok"], number - bad)
        family.add_metric([site, "red"], bad)
    return family


def _drift(only: frozenset[str] | None) -> Metric:
    """Every kind of each site that was ever surveyed, also with 0: an alert can tell none from unknown."""
    family = GaugeMetricFamily(
        "mgmtplane_drift",
        "Open drift: what hypervisors carry otherwise than declared, and nobody has decided about.",
        labels=["site", "kind"],
    )
    rows: Any = DriftFinding.objects.judged().standing().order_by()
    counted = rows.values_list("site__slug", "kind", "state").annotate(number=Count("pk"))
    numbers = {(site, kind): number for site, kind, state, number in counted if state == OPEN}
    surveyed = Survey.objects.order_by().values_list("site__slug", flat=True).distinct()
    for site in sorted(slug for slug in surveyed if only is None or slug in only):
        for kind in KINDS:
            family.add_metric([site, kind], numbers.get((site, kind), 0))
    return family


def _surveys(only: frozenset[str] | None) -> Metric:
    family = GaugeMetricFamily(
        "mgmtplane_survey_timestamp_seconds",
        "When the hypervisor was last surveyed completely, seconds since 1970.",
        labels=["site", "hypervisor"],
    )
    rows = Survey.objects.filter(taken__isnull=False).order_by("site__slug", "hypervisor")
    for site, name, taken in rows.values_list("site__slug", "hypervisor", "taken"):
        if taken and (only is None or site in only):
            family.add_metric([site, name], taken.timestamp())
    return family
