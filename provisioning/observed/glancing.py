"""What pages say of drift at a glance: how much stands, and how old the surveys are that it rests on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from inventory.models import Host, Site
from inventory.permissions import may, within
from provisioning import kinds
from provisioning.models import DriftFinding, Survey
from provisioning.surveying.kinds_of_drift import OPEN, STANDINGS

SEE = "provisioning.view_driftfinding"
DECIDE = "provisioning.decide_drift"
_HYPERVISORS = Host.objects.filter(form=Host.Form.HYPERVISOR).exclude(status="retired")
_SURVEYS = Survey.objects.defer("document")
#: so many hypervisors are told of by name
MOST = 12


@dataclass(frozen=True)
class Sight:
    """One declared hypervisor and its newest survey; None: there never was a complete one."""

    site: str
    hypervisor: str
    survey: Survey | None

    @property
    def is_surveyed(self) -> bool:
        return self.survey is not None and self.survey.taken is not None

    def __str__(self) -> str:
        told = self.as_dict()
        seen = f", last seen {told['surveyed']}" if told["surveyed"] else ""
        if told["lost"]:
            return f"{self.hypervisor} is declared lost since {told['lost']}{seen}"
        if told["failed"]:
            return f"{self.hypervisor}: surveys fail since {told['failed']}{seen}: {told['failure']}"
        return (
            f"{self.hypervisor} was surveyed {told['surveyed']}"
            if seen
            else f"{self.hypervisor} was never surveyed"
        )

    def as_dict(self) -> dict[str, Any]:
        """Moments in UTC, ISO 8601; None where there was none."""
        row = self.survey or Survey()
        moments = {"surveyed": row.taken, "failed": row.failed, "lost": row.lost}
        said = {name: at.isoformat(timespec="seconds") if at else None for name, at in moments.items()}
        return {"hypervisor": self.hypervisor, **said, "failure": row.failure}


@dataclass
class Glance:
    """What stands at one site."""

    #: (state, how many, where they are listed)
    counts: list[tuple[str, int, str]] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    #: where a survey is asked for; empty: the person may not
    survey_at: str = ""

    @property
    def never(self) -> bool:
        """There are hypervisors, and none of them was ever surveyed."""
        return bool(self.sights) and not any(sight.is_surveyed for sight in self.sights)

    @property
    def open(self) -> int:
        return sum(number for state, number, _ in self.counts if state == OPEN)


def listed(**conditions: str) -> str:
    address = reverse("admin:provisioning_driftfinding_changelist")
    return f"{address}?{urlencode(conditions)}" if conditions else address


def sights(user: Any) -> list[Sight]:
    """The hypervisors that the person may see the drift of, by site and name. Two queries."""
    return _sights(within(_HYPERVISORS.all(), user, SEE), within(_SURVEYS.all(), user, SEE))


def sights_of(site: Site) -> list[Sight]:
    """The hypervisors of *site*, by name. Two queries."""
    return _sights(_HYPERVISORS.filter(site=site), _SURVEYS.filter(site=site))


def _sights(hosts: QuerySet[Host], rows: QuerySet[Survey]) -> list[Sight]:
    known = {(row.site_id, row.hypervisor): row for row in rows}
    named = hosts.order_by("site__slug", "name").values_list("site_id", "site__slug", "name")
    return [Sight(slug, name, known.get((site, name))) for site, slug, name in named]


def glances(request: Any) -> dict[str, Glance]:
    """Slug of each site that the person sees → what stands there; looked up once a request."""
    if not hasattr(request, "_drift_glances"):
        request._drift_glances = _glances(request.user)
    found: dict[str, Glance] = request._drift_glances
    return found


def _glances(user: Any) -> dict[str, Glance]:
    found: dict[str, Glance] = defaultdict(Glance)
    if not user.has_perm(SEE):
        return found
    for sight in sights(user):
        found[sight.site].sights.append(sight)
    rows = within(DriftFinding.objects.judged().standing(), user, SEE)
    counted = rows.order_by().values_list("site__slug", "state").annotate(number=Count("pk"))
    numbers = {(slug, state): number for slug, state, number in counted}
    for slug in {slug for slug, _ in numbers} | set(found):
        for state in STANDINGS:
            if number := numbers.get((slug, state)):
                found[slug].counts.append((state, number, listed(on_site=slug, in_state=state)))
    return found


def survey_at(user: Any, site: Any, hypervisor: str = "") -> str:
    """Where a survey of *site* is asked for; empty where the person may not."""
    kind = kinds.find("survey")
    if kind is None or not may(user, kind.permission, site):
        return ""
    address = reverse("admin:start_job_at", args=(site.slug, "survey"))
    return f"{address}?{urlencode({'host': hypervisor})}" if hypervisor else address
