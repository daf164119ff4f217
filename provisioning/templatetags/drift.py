"""What templates ask about drift."""

from __future__ import annotations

from typing import Any

from django import template

from inventory.permissions import may
from provisioning.models import DriftFinding, Survey
from provisioning.observed import glancing
from provisioning.surveying import kinds_of_drift as words

register = template.Library()

#: state → badge of the style sheet
BADGES = {
    words.OPEN: "error",
    words.UNKNOWN: "warning",
    words.LOST: "warning",
    words.IGNORED: "info",
    words.ACCEPTED: "info",
    words.CLOSED: "ok",
}
#: so many rows are named on the page of a host
MOST = 8


@register.filter
def drift_badge(state: str) -> str:
    return BADGES.get(state, "")


@register.inclusion_tag("admin/provisioning/_drift_counts.html", takes_context=True)
def drift_counts(context: dict[str, Any], site: Any) -> dict[str, Any]:
    """How much stands at *site*, for who may see it there; nothing where it has no hypervisor."""
    request = context["request"]
    if not may(request.user, glancing.SEE, site):
        return {}
    glance = glancing.glances(request).get(site.slug)
    if glance is None:
        return {}
    return {
        "glance": glance,
        "listed": glancing.listed(on_site=site.slug),
        "now": glancing.survey_at(request.user, site),
    }


@register.inclusion_tag("admin/provisioning/_drift_of_host.html", takes_context=True)
def drift_of_host(context: dict[str, Any], host: Any) -> dict[str, Any]:
    """What of a machine, or on a hypervisor, is not as declared, and how old that knowledge is."""
    user = context["request"].user
    if host.form not in ("vm", "hv") or not may(user, glancing.SEE, host.site):
        return {}
    carrier = host.name if host.form == "hv" else (host.hypervisor.name if host.hypervisor else "")
    column = "hypervisor" if host.form == "hv" else "host_name"
    rows = list(
        DriftFinding.objects.judged().standing().filter(site=host.site, **{column: host.name})[: MOST + 1]
    )
    survey = Survey.objects.defer("document").filter(site=host.site, hypervisor=carrier).first()
    return {
        "rows": rows[:MOST],
        "more": len(rows) > MOST,
        "listed": glancing.listed(
            on_site=host.site.slug, **{"on_hypervisor" if host.form == "hv" else "of_host": host.name}
        ),
        "sight": glancing.Sight(host.site.slug, carrier, survey) if carrier else None,
        "now": glancing.survey_at(user, host.site, carrier) if carrier else "",
    }
