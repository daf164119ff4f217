"""What is done with a run that has ended: once more on all, failed or unreachable hosts; a check applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inventory.admin.pages import page
from inventory.models import Site
from inventory.permissions import may
from provisioning import requests
from provisioning.admin.runs.launch_form import KIND
from provisioning.admin.runs.parts import run_or_404
from provisioning.models import PlaybookRun
from provisioning.requests import Refused
from provisioning.runs.following import ALL, APPLY, FAILED, UNREACHABLE, WAYS

RUN = "provisioning.run_job"


@dataclass(frozen=True)
class Way:
    """A button. With *lacking*, why it cannot be pressed."""

    on: str
    said: str
    lacking: str = ""


def ways(run: PlaybookRun) -> list[Way]:
    """What can follow *run*, which has ended; one query."""
    counted = run.hosts.aggregate(
        all=Count("pk"),
        failed=Count("pk", filter=Q(failed__gt=0)),
        unreachable=Count("pk", filter=Q(unreachable__gt=0)),
    )
    failed, away = counted["failed"], counted["unreachable"]
    found = [
        Way(ALL, "Run again on all hosts"),
        Way(FAILED, f"On {failed} failed" if failed else "On failed", "" if failed else "no host failed"),
        Way(
            UNREACHABLE,
            f"On {away} unreachable" if away else "On unreachable",
            "" if away else "every host was reached",
        ),
    ]
    if run.check_mode:
        ended = "" if run.rc is not None else "the check did not come to its end"
        found.insert(0, Way(APPLY, "Apply", ended))
    return found


def may_follow(user: Any, run: PlaybookRun) -> bool:
    return run.job.is_finished and run.site_id is not None and may(user, RUN, run.site_id)


@page("run/<str:site>/<int:run>/follow/", permission=RUN, methods=("POST",))
def follow_run(request: HttpRequest, site: Site, run: int) -> HttpResponse:
    """Ask for the run that follows; what it is given is what this one was given."""
    row = run_or_404(site, run)
    on, why = request.POST.get("on", ""), request.POST.get("why", "").strip()
    here = redirect(reverse("admin:provisioning_job_change", args=(row.pk,)))
    if on not in WAYS or not why:
        messages.error(request, "Say why, and what of it is to run; nothing was started.")
        return here
    try:
        job = requests.request(
            KIND,
            site=site,
            parameters={"origin": row.pk, "on": on},
            by=request.user,
            why=why,
            key=f"{request.POST.get('key', '')[:80]}{on}" if request.POST.get("key") else "",
        )
    except (Refused, PermissionDenied) as refusal:
        messages.error(request, str(refusal))
        return here
    return redirect(reverse("admin:provisioning_job_change", args=(job.pk,)))
