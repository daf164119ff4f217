"""From the list of hosts to where a playbook is run on the chosen ones. What runs it is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory.permissions import may

#: an address with more is refused by servers on the way
MOST_HOSTS = 300


class RunsPlaybooks:
    """For the ModelAdmin of hosts."""

    other_verbs: Mapping[str, str] = {"launch": "provisioning.run_job"}

    def has_launch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        page: Any = self
        return may(request.user, page.permission("launch"), page.where(obj))

    @admin.action(permissions=["launch"], description="Run a playbook")
    def run_playbook(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """To the page on which a job template is chosen, limited to these hosts."""
        rows = queryset.exclude(status="retired").order_by("name").values_list("site__slug", "name")
        chosen = list(rows[: MOST_HOSTS + 1])
        sites = sorted({site for site, _ in chosen})
        if len(chosen) > MOST_HOSTS:
            problem = f"These are more than {MOST_HOSTS} hosts; name a group in the limit instead."
        elif not chosen:
            problem = "These are all retired, and in no inventory."
        elif len(sites) > 1:
            problem = f"A run belongs to one site, and these are of {', '.join(sites)}; choose those of one."
        else:
            query = urlencode({"limit": ",".join(name for _, name in chosen)})
            return redirect(f"{reverse('admin:launch', args=(sites[0],))}?{query}")
        messages.error(request, f"Nothing was done. {problem}")
        return None
