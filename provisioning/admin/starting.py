"""Asking for a job in the browser: a few questions, the plan, then exactly that plan."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from inventory.admin.pages import page
from inventory.models import Site
from inventory.permissions import may, sites_where, visible_sites
from provisioning import kinds, requests
from provisioning.kinds.base import Kind
from provisioning.plans import Plan
from provisioning.requests import Refused

POST = ("GET", "HEAD", "POST")
#: so many sites are offered by name
MOST_SITES = 8
LOOKS: dict[type[forms.Widget], Any] = {
    forms.CheckboxInput: UnfoldBooleanWidget,
    forms.NumberInput: UnfoldAdminIntegerFieldWidget,
    forms.Select: UnfoldAdminSelectWidget,
    forms.TextInput: UnfoldAdminTextInputWidget,
}


@dataclass(frozen=True)
class Offer:
    """A link to where something can be asked for."""

    said: str
    address: str


def offered(user: Any) -> list[tuple[str, list[Offer]]]:
    """Where, and the kinds that this person may ask for there, by what they are called."""
    found: dict[str, list[Offer]] = {}
    for kind in sorted(kinds.all_kinds(), key=lambda kind: kind.verb):
        if not kind.what or not user.has_perm("provisioning.run_job"):
            continue
        if not kind.of_site:
            if sites_where(user, kind.permission) is None:
                address = reverse("admin:start_job", args=(kind.name,))
                found.setdefault("", []).append(Offer(kind.verb, address))
            continue
        for site in visible_sites(user, kind.permission)[:MOST_SITES]:
            address = reverse("admin:start_job_at", args=(site.slug, kind.name))
            found.setdefault(f"at {site}", []).append(Offer(kind.verb, address))
    return sorted(found.items())


@page("start/job/<str:kind>/", permission="provisioning.run_job", methods=POST)
def start_job(request: HttpRequest, kind: str) -> HttpResponse:
    """For kinds that belong to no site."""
    return _page(request, _known(kind, of_site=False), None)


@page("site/<str:site>/job/<str:kind>/", permission="provisioning.run_job", methods=POST)
def start_job_at(request: HttpRequest, site: Site, kind: str) -> HttpResponse:
    """For kinds that belong to a site."""
    return _page(request, _known(kind, of_site=True), site)


def _known(name: str, *, of_site: bool) -> Kind:
    found = kinds.find(name)
    if found is None or found.of_site != of_site:
        raise Http404(f"There are no jobs of the kind “{name[:60]}” here.")
    return found


def _page(request: HttpRequest, kind: Kind, site: Site | None) -> HttpResponse:
    lacking = "" if _may(request.user, kind, site) else kind.permission
    asking = _Asking(request, kind, site)
    if request.method == "POST" and not lacking:
        asking.read()
        if asking.job is not None:
            return redirect(reverse("admin:provisioning_job_change", args=(asking.job.pk,)))
    return asking.page(lacking)


def _may(user: Any, kind: Kind, site: Site | None) -> bool:
    return may(user, kind.permission, site) if site else sites_where(user, kind.permission) is None


def _form(request: HttpRequest, kind: Kind) -> forms.Form:
    """As it was posted; at first with what the address brings, such as ``?host=pi01``."""
    if request.method == "POST":
        return kind.Parameters(request.POST)
    known = kind.Parameters.base_fields
    return kind.Parameters(initial={name: value for name, value in request.GET.items() if name in known})


def dressed(form: forms.Form) -> forms.Form:
    """Fields look like those of every other page."""
    for field in form.fields.values():
        for plain, like in LOOKS.items():
            if isinstance(field.widget, plain):
                field.widget.attrs["class"] = like().attrs["class"]
                break
    return form


class _Asking:
    """One visit of the page: what was posted, the plan of it, and the job once it is made."""

    def __init__(self, request: HttpRequest, kind: Kind, site: Site | None) -> None:
        self.request, self.kind, self.site = request, kind, site
        self.form: forms.Form = dressed(_form(request, kind))
        self.plan: Plan | None = None
        self.problems: list[str] = []
        self.job: Any = None

    def read(self) -> None:
        """Show the plan for a first post; make the job for one that brings the plan's fingerprint and a reason."""
        if not self.form.is_valid():
            return
        given: dict[str, Any] = {"site": self.site, "parameters": self._posted(), "by": self.request.user}
        why, shown = self.request.POST.get("why", "").strip(), self.request.POST.get("fingerprint", "")
        try:
            if shown and why:
                self.job = requests.request(
                    self.kind.name,
                    **given,
                    why=why,
                    confirmed=shown,
                    key=self.request.POST.get("key", "")[:100],
                )
            else:
                self.plan = requests.show_plan(self.kind.name, **given)
                self.problems = ["Say why; nothing was started."] if shown else []
        except Refused as refusal:
            self.problems = [str(refusal)]
            self.plan = refusal.plan
        except PermissionDenied as denied:
            self.problems = [str(denied)]

    def _posted(self) -> dict[str, Any]:
        return {name: self.request.POST[name] for name in self.form.fields if name in self.request.POST}

    def _known(self) -> dict[str, str]:
        """What the page was given so far: by its address, or by the post."""
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        return {name: given[name] for name in self.form.fields if name in given}

    def page(self, lacking: str) -> HttpResponse:
        title = f"{self.kind.verb} at {self.site}" if self.site else self.kind.verb
        plan = self.plan
        later = not self.kind.plans_on_request  # the job looks, shows its plan, and waits
        useful = plan is not None and bool(plan.lines or later or not self.kind.destructive)
        can_start = plan is not None and useful and not plan.problems
        context = {
            **admin.site.each_context(self.request),
            "title": title,
            "kind": self.kind,
            "site": self.site,
            "form": self.form,
            "kept": sorted(self._posted().items()),
            "plan": self.plan,
            "later": later,
            "problems": self.problems,
            "lacking": lacking,
            "can_start": can_start,
            "there": None if lacking or self.site is None else self.kind.there(self.site, self._known()),
            "given": self.request.POST.get("why", ""),
            "request_key": self.request.POST.get("key") or uuid.uuid4().hex,
            "variant": "danger" if self.kind.destructive else "primary",
            "back": reverse("admin:provisioning_job_changelist"),
        }
        return TemplateResponse(self.request, "admin/provisioning/start.html", context)
