"""What templates ask about jobs."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Q
from django.urls import reverse

from inventory.copying import copies
from inventory.permissions import may, visible_sites, within
from provisioning import kinds, states
from provisioning.engine import workers
from provisioning.kits import ages as kit_ages
from provisioning.models import DriftFinding, Job, Observation, ScheduleState, Survey, observations
from provisioning.observed import gathered, surveys

register = template.Library()

#: state → badge of the style sheet
BADGES = {
    states.QUEUED: "info",
    states.RUNNING: "info",
    states.WAITING: "warning",
    states.SUCCEEDED: "ok",
    states.FAILED: "error",
    states.LOST: "error",
    states.CANCELLED: "",
}


@register.inclusion_tag("admin/provisioning/_banner.html", takes_context=True)
def worker_banner(context: dict[str, Any]) -> dict[str, Any]:
    """Warnings on every page: no worker has been heard, a schedule is red; for who sees jobs."""
    user = getattr(context.get("request"), "user", None)
    sees = user is not None and user.is_authenticated and user.has_perm("provisioning.view_job")
    if not sees:
        return {"silence": "", "red": []}
    return {"silence": workers.silence(), "red": _red(user)}


@register.inclusion_tag("admin/provisioning/_stale_kits.html", takes_context=True)
def stale_kits(context: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with recovery kits of the sites whose jobs this person sees, in sentences."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated or not user.has_perm("provisioning.view_job"):
        return {}
    # of a site that another copy writes no kit is asked for here
    sites = copies.live(visible_sites(user, "provisioning.view_job").order_by()).values("pk")
    return {"stale": [said for one in kit_ages.newest(Q(site__in=sites)) if (said := one.stale)]}


#: so many red schedules are named
MOST_RED = 3


def _red(user: Any) -> list[ScheduleState]:
    """The schedules of this person's sites that cannot be carried out, the first of many."""
    rows = ScheduleState.objects.filter(~Q(fault="", refused=""), schedule__enabled=True)
    shown = ("fault", "refused", "schedule__name", "schedule__site__slug")
    rows = rows.select_related("schedule__site").only(*shown)
    seen = within(rows, user, "inventory.view_schedule", "schedule__site")
    return list(seen.order_by("schedule__site__slug", "schedule__name")[:MOST_RED])


@register.filter
def badge(state: str) -> str:
    return BADGES.get(state, "")


@register.filter
def duration(seconds: float | None) -> str:
    """Such as “0.4 s”, “12 s”, “3 min 5 s”."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


#: what is asked for on the page of a host, by its form
ON_ITS_PAGE = {
    "vm": (
        *("create_vm", "adopt_vm", "finish_install_vm", "rebuild_vm", "power", "resize_vm", "repair_vm"),
        *("snapshot_vm", "rollback_vm", "delete_snapshot_vm"),
        *("backup_vm", "restore_vm", "delete_backups_vm", "park_vm", "destroy_vm"),
    ),
    "hv": ("check_hypervisor", "survey", "declare_lost"),
}
#: what is asked for on the page of a host that has a card with Wake-on-LAN
WAKES = ("wake_host",)
LATEST = 5


@register.inclusion_tag("admin/provisioning/_machine.html", takes_context=True)
def machine_jobs(context: dict[str, Any], host: Any) -> dict[str, Any]:
    """What can be done with a host, or on its hypervisor, and what was done lately; for who sees the site's jobs."""
    user = context["request"].user
    if not may(user, "provisioning.view_job", host.site):
        return {}
    names = ON_ITS_PAGE.get(host.form, ())
    if host.form != "vm" and host.interfaces.filter(wake_on_lan=True, mac__isnull=False).exists():
        names += WAKES
    if not names:
        return {}
    offers = [
        (kind, reverse("admin:start_job_at", args=(host.site.slug, kind.name)))
        for kind in (kinds.find(name) for name in names)
        if kind is not None and may(user, kind.permission, host.site)
    ]
    jobs = Job.objects.filter(site=host.site, machine_key=f"{host.site.slug}/{host.name}")[:LATEST]
    seen = surveys.state_of(host.site, host.name) if host.form == "hv" else None
    return {"request": context["request"], "host": host, "offers": offers, "jobs": list(jobs), "seen": seen}


@register.inclusion_tag("admin/provisioning/_gathered.html", takes_context=True)
def gathered_of_host(context: dict[str, Any], host: Any) -> dict[str, Any]:
    """What runs have gathered of a host, beside what is declared; for who may read what runs said."""
    if not may(context["request"].user, "provisioning.view_run", host.site):
        return {}
    rows = Observation.objects.filter(site=host.site, host_name=host.name).select_related("run")
    found = {row.kind: row for row in rows}
    drift = DriftFinding.objects.judged().standing()
    return {
        "host": host,
        "may_record": observations.HOST_KEYS in found
        and may(context["request"].user, "inventory.change_host", host.site),
        "observed": [
            (row, observations.said(row)) for kind in observations.KINDS if (row := found.get(kind))
        ],
        "contradicting": list(
            drift.filter(site=host.site, host_name=host.name, kind__in=gathered.KINDS) if found else ()
        ),
    }


@register.inclusion_tag("admin/provisioning/_lost.html", takes_context=True)
def lost_hypervisors(context: dict[str, Any]) -> dict[str, Any]:
    """The hypervisors that are declared lost, of the sites whose jobs the person sees."""
    user = context["request"].user
    rows = within(Survey.objects.filter(lost__isnull=False).defer("document"), user, "provisioning.view_job")
    return {"lost": rows.select_related("site").order_by("site__slug", "hypervisor")}
