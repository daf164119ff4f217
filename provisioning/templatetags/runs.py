"""What templates ask about runs: what ran here lately, and where a playbook can be run."""

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django import template
from django.db.models import Count
from django.urls import reverse

from inventory.ansible.group_variables import tree_name
from inventory.models import Host, JobTemplate
from inventory.permissions import may, within
from provisioning.models import PlaybookRun, ProjectState, RunHost

register = template.Library()

RUN, SEE = "provisioning.run_job", "provisioning.view_job"
LATEST = 5
#: so many hosts of a role are named in a limit, of more none; so many sites on the first page
MOST_HOSTS, MOST_SITES = 200, 8
#: so many playbooks are suggested
MOST_PLAYBOOKS = 500
VIEW_PROJECT = "inventory.view_project"


def launch_at(site: Any, limit: str = "", name: str = "") -> str:
    """Where a template is launched, or chosen."""
    to = (
        reverse("admin:launch_template", args=(site, name)) if name else reverse("admin:launch", args=(site,))
    )
    return f"{to}?{urlencode({'limit': limit})}" if limit else to


@register.inclusion_tag("admin/provisioning/runs/_of_host.html", takes_context=True)
def runs_of_host(context: dict[str, Any], host: Host) -> dict[str, Any]:
    """How the last runs fared on *host*, and where another begins; for who sees the site's jobs."""
    user = context["request"].user
    if not may(user, SEE, host.site):
        return {}
    rows = RunHost.objects.filter(host=host.name, run__site=host.site).select_related("run__job")
    rows = rows.defer("run__arguments", "run__job__plan", "run__job__parameters").order_by("-run_id")[:LATEST]
    serves = host.status != Host.Status.RETIRED
    launch = launch_at(host.site.slug, host.name) if serves and may(user, RUN, host.site) else ""
    return {"host": host, "fared": list(rows), "launch": launch}


@register.inclusion_tag("admin/provisioning/runs/_of_template.html", takes_context=True)
def runs_of_template(context: dict[str, Any], row: JobTemplate) -> dict[str, Any]:
    """The last runs of the template *row*, and where another begins."""
    user = context["request"].user
    if not row.pk or not may(user, SEE, row.site):
        return {}
    runs = PlaybookRun.objects.filter(site=row.site, template=row.name).select_related("job")
    runs = runs.defer("arguments", "job__plan", "job__parameters").order_by("-pk")[:LATEST]
    launch = launch_at(row.site.slug, name=row.name) if may(user, RUN, row.site) else ""
    return {"row": row, "runs": list(runs), "launch": launch}


@register.inclusion_tag("admin/provisioning/runs/_playbooks.html", takes_context=True)
def playbooks_known(context: dict[str, Any], row: JobTemplate | None) -> dict[str, Any]:
    """The playbooks that the projects had when they were updated last, with the project: what the field suggests.

    Of a template's own project alone, once it has one.
    """
    rows = within(ProjectState.objects.all(), context["request"].user, VIEW_PROJECT, "project__site")
    if row and row.project_id:
        rows = rows.filter(project=row.project_id)
    found = rows.order_by("project__site", "project__name").values_list("playbooks", "project__name")
    known = ((playbook, project) for playbooks, project in found for playbook in playbooks)
    return {"known": list(islice(known, MOST_PLAYBOOKS))}


@register.inclusion_tag("admin/provisioning/runs/_launch_on.html", takes_context=True)
def launch_on(context: dict[str, Any], row: Any) -> dict[str, Any]:
    """Where a playbook is run on the hosts of *row*: a role, a group or a workload profile."""
    user = context["request"].user
    if row is None or not row.pk or not may(user, RUN, row.site):
        return {}
    names = _hosts_of_role(row) if row._meta.model_name == "role" else [tree_name(row.kind, row.name)]
    if len(names) > MOST_HOSTS:
        return {"most": MOST_HOSTS}
    limit = ",".join(names)
    declared = (getattr(row, f"{which}_template", None) for which in ("configure", "retire"))
    named = [one.name for one in declared if one is not None]
    offers = [(name, launch_at(row.site.slug, limit, name)) for name in dict.fromkeys(named)]
    return {"offers": offers, "launch": launch_at(row.site.slug, limit) if limit else "", "row": row}


def _hosts_of_role(role: Any) -> list[str]:
    rows = Host.objects.filter(site=role.site, role=role).exclude(status=Host.Status.RETIRED)
    return list(rows.order_by("name").values_list("name", flat=True)[: MOST_HOSTS + 1])


@register.inclusion_tag("admin/provisioning/runs/_first_page.html", takes_context=True)
def launch_from_here(context: dict[str, Any]) -> dict[str, Any]:
    """The sites that declare job templates, for who may run them."""
    user = context["request"].user
    if not user.has_perm(RUN):
        return {}
    rows = within(JobTemplate.objects.order_by(), user, RUN).values("site__slug").annotate(number=Count("pk"))
    return {"sites": list(rows.order_by("site__slug")[:MOST_SITES])}
