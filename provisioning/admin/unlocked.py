"""What is unlocked: a page for each site, where secrets are entered and locked again, and what every page shows of it.

No page repeats what was entered: fields come back empty, and messages have names alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from inventory import reading
from inventory.admin.pages import page
from inventory.admin.pages import shown as in_frame
from inventory.models import Site
from inventory.permissions import visible_sites
from provisioning import requests, states
from provisioning.engine.asking import Refused
from provisioning.keeper import client
from provisioning.keeper.client import Held, KeeperAway, KeeperRefused, of_job, of_site
from provisioning.models import Job, Unlocking
from provisioning.unlocks.needs import Need, lacking
from provisioning.unlocks.unlocked import seconds_left
from provisioning.unlocks.unlocking import PERMISSION
from provisioning.unlocks.wanted import KEY, wanted

#: minutes that a form proposes
MINUTES = 60
#: so many acts, and waiting jobs, are listed
MOST = 20


@dataclass(frozen=True)
class Lock:
    """A name on the page: what asks for it, and until when it is unlocked, if it is."""

    name: str
    label: str
    is_key: bool
    places: tuple[str, ...]
    held: Held | None

    @property
    def seconds(self) -> int:
        return seconds_left(self.held) if self.held else 0


def minutes_proposed() -> int:
    return min(MINUTES, settings.UNLOCK_MINUTES_MOST)


@page("unlocked/", permission=PERMISSION)
def unlocked_somewhere(request: HttpRequest) -> HttpResponse:
    """At which site."""
    sites = list(visible_sites(request.user, PERMISSION))
    if len(sites) == 1:
        return redirect(reverse("admin:unlocked", args=(sites[0].slug,)))
    links = [(site, reverse("admin:unlocked", args=(site.slug,))) for site in sites]
    return in_frame(request, "pictures/somewhere.html", "Unlocked", links=links)


@page("site/<str:site>/unlocked/", permission=PERMISSION, methods=("GET", "HEAD", "POST"))
@sensitive_post_parameters()
def unlocked(request: HttpRequest, site: Site) -> HttpResponse:
    """The names that the site's declarations ask for, and what is unlocked."""
    wrong: Refused | None = None
    if request.method == "POST" and "act" in request.POST:
        try:
            _act(request, site)
            return redirect(reverse("admin:unlocked", args=(site.slug,)))
        except Refused as refusal:
            wrong = refusal
    away, held = _of_keeper(site)
    asked = request.POST.get("name", "") if wrong else ""
    context = {
        **admin.site.each_context(request),
        "title": f"Unlocked at {site}",
        "site": site,
        "locks": _locks(site, held),
        "away": away,
        "wrong": wrong,
        "wrong_name": asked[:64],
        "minutes": minutes_proposed(),
        "most": settings.UNLOCK_MINUTES_MOST,
        "waiting": Job.objects.filter(site=site, state=states.WAITING, waiting_for=states.UNLOCK).defer(
            "plan"
        )[:MOST],
        "acts": Unlocking.objects.filter(site=site).select_related("job")[:MOST],
    }
    return TemplateResponse(request, "admin/provisioning/unlocked.html", context)


def _act(request: HttpRequest, site: Site) -> None:
    """Do what was posted. Raises Refused."""
    act, name = request.POST["act"], request.POST.get("name", "").strip()
    if act == "unlock":
        value = request.POST.get("value", "") or request.POST.get("lines", "")
        found = requests.unlock(site, name, value, minutes=_minutes(request), by=request.user)
        messages.success(request, _told(found))
    elif act in ("lock", "lock_all"):
        names = requests.lock(site, name if act == "lock" else None, by=request.user)
        messages.info(request, f"Locked: {', '.join(names)}." if names else "It was locked already.")
    else:
        raise Refused("Nothing of that name can be done here.")


def _told(found: Any) -> str:
    until = timezone.localtime(found.until).strftime("%Y-%m-%d %H:%M")
    went_on = f" Jobs that went on: {', '.join(map(str, found.jobs))}." if found.jobs else ""
    return f"{found.name} is unlocked until {until}.{went_on}"


def _minutes(request: HttpRequest) -> int:
    text = request.POST.get("minutes", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        said = "Say for how many minutes, as a number."
        raise Refused(said, fields={"minutes": [said]})
    return int(text)


def _of_keeper(site: Site) -> tuple[str, list[Held]]:
    try:
        return "", client.held(of_site(site.slug))
    except (KeeperAway, KeeperRefused) as reason:
        return str(reason), []


def _locks(site: Site, held: Iterable[Held]) -> list[Lock]:
    """What is asked for, then what is held beside it, each by name."""
    by_name = {one.name: one for one in held}
    asked = wanted(reading.load(site.slug))
    found = [
        Lock(one.name, one.label, one.what == KEY, one.places, by_name.pop(one.name, None)) for one in asked
    ]
    return [*found, *(Lock(name, "", False, (), one) for name, one in sorted(by_name.items()))]


# --- on the page of a job that waits ---


def needs_of(job: Job) -> dict[str, Any]:
    """What the page of a waiting job shows; nothing where it does not wait for a secret."""
    if job.state != states.WAITING or job.waiting_for != states.UNLOCK:
        return {}
    away, held = "", set()
    try:
        held = {(one.scope, one.name) for one in client.held()}
    except (KeeperAway, KeeperRefused) as reason:
        away = str(reason)
    needs = list({need.name: need for need in lacking(job.needed, of_job(job.pk), held)}.values())
    return {
        "needs": needs,
        "keeper_away": away,
        "for_site": job.site is not None and any(_of_site(need, job) for need in needs),
        "minutes": minutes_proposed(),
        "most": settings.UNLOCK_MINUTES_MOST,
    }


def _of_site(need: Need, job: Job) -> bool:
    return job.site is not None and need.scope == of_site(job.site.slug)


def enter(request: HttpRequest, job: Job) -> Job:
    """Hold what was posted for the job alone, or what can be for its site. Raises Refused."""
    given = {need.name: request.POST.get(f"secret:{need.name}", "") for need in job.needed}
    given = {name: value for name, value in given.items() if value.strip()}
    if not given:
        raise Refused("Nothing was entered.")
    for_site = {need.name for need in job.needed if _of_site(need, job)}
    if request.POST.get("hold") != "site":
        for_site = set()
    minutes = _minutes(request) if for_site else 0
    if own := {name: value for name, value in given.items() if name not in for_site}:
        job = requests.answer(job, own, by=request.user)
        messages.info(request, f"Held for this job: {', '.join(own)}.")
    for name in sorted(for_site & set(given)):
        assert job.site is not None, "what is of its site has one"  # noqa: S101
        found = requests.unlock(job.site, name, given[name], minutes=minutes, by=request.user)
        messages.success(request, _told(found))
    return job
