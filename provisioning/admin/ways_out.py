"""Where something can be done about drift: links to the pages that start jobs, filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from inventory.models import Host
from inventory.permissions import may, within
from provisioning import kinds
from provisioning.models import DriftFinding, Job
from provisioning.observed import glancing
from provisioning.surveying.kinds_of_drift import KINDS


@dataclass(frozen=True)
class WayOut:
    """A link to where something can be done about a drift."""

    said: str
    address: str
    title: str = ""


def ways_out(user: Any, row: DriftFinding) -> list[WayOut]:
    """The jobs that mend it, with their parameters filled in, as far as they exist and the person may start them."""
    known, found = KINDS.get(row.kind), []
    for name, parameters in known.jobs_for(row.found) if known and not row.closed else ():
        kind = kinds.find(name)
        if kind is None or not may(user, kind.permission, row.site_id):
            continue
        asked = {"host": row.hypervisor if name == "survey" else row.host_name, **parameters}
        fields = kind.Parameters.base_fields
        given = {key: value for key, value in asked.items() if value and key in fields}
        if row.kind == "undeclared":
            given |= {key: str(row.vmid) for key in ("vmid",) if key in fields}
        address = reverse("admin:start_job_at", args=(row.site.slug, name))
        said = f"{kind.verb}: {parameters['action']}" if "action" in parameters else kind.verb
        found.append(WayOut(f"{said}…", f"{address}?{urlencode(given)}", kind.what))
    return found


def job_since(user: Any, row: DriftFinding) -> Job | None:
    """The newest job that was at the machine after it was last seen: what is shown may be over."""
    if not row.host_name or row.closed or not may(user, "provisioning.view_job", row.site_id):
        return None
    key = f"{row.site.slug}/{row.host_name}"
    found: Job | None = (
        Job.objects.defer("plan").filter(machine_key=key, finished__gt=row.last_seen).order_by("-id").first()
    )
    return found


def survey_sites(request: Any, sights: list[glancing.Sight]) -> list[WayOut]:
    kind = kinds.find("survey")
    slugs = list(dict.fromkeys(sight.site for sight in sights))[: glancing.MOST]
    allowed = set(
        within(Host.objects.filter(site__slug__in=slugs), request.user, kind.permission)
        .order_by()
        .values_list("site__slug", flat=True)
        .distinct()
        if kind
        else ()
    )
    return [
        WayOut(f"Survey {slug} now", reverse("admin:start_job_at", args=(slug, "survey")))
        for slug in slugs
        if slug in allowed
    ]
