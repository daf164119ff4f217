"""What templates ask about projects."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from inventory.models import Project
from inventory.permissions import may
from provisioning import updating
from provisioning.models import Job

register = template.Library()

LATEST, SHOWN = 5, 50
KIND, RUN = "update_project", "provisioning.run_job"


@register.inclusion_tag("admin/provisioning/_project.html", takes_context=True)
def project_state(context: dict[str, Any], project: Project) -> dict[str, Any]:
    """The commit in use, when it was taken, what was new in it, its playbooks, the last error; and a way to update it."""
    user = context["request"].user
    state = updating.current(project)
    site = project.site
    key = f"project/{site.slug}/{project.name}"
    sees = may(user, "provisioning.view_job", site)
    jobs = list(Job.objects.filter(kind=KIND, site=site, target_key=key)[:LATEST]) if sees else []
    return {
        "project": project,
        "state": state,
        "commits": state.commits[:SHOWN] if state else [],
        "more_commits": max(len(state.commits) - SHOWN, 0) if state else 0,
        "playbooks": state.playbooks[:SHOWN] if state else [],
        "more_playbooks": max(len(state.playbooks) - SHOWN, 0) if state else 0,
        "jobs": jobs,
        "update": reverse("admin:start_job_at", args=(site.slug, KIND)) if may(user, RUN, site) else "",
    }
