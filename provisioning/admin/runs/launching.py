"""Launching a run: its template's questions, the hosts that it would touch while they are answered, then exactly that."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse

from inventory import reading, yaml11
from inventory.admin.pages import page
from inventory.admin.variables import text_of
from inventory.ansible.resolving import resolved, sealed_files_of
from inventory.automating.automation_facts import JobTemplateFacts
from inventory.models import JobTemplate, Site
from inventory.permissions import may
from inventory.rules.masking import masked
from inventory.snapshot import Snapshot
from provisioning import requests
from provisioning.admin.runs import launch_form, looking, unlocked
from provisioning.admin.runs.launch_form import KIND
from provisioning.models import Job
from provisioning.requests import Refused

RUN = "provisioning.run_job"
POST = ("GET", "HEAD", "POST")
#: what of an address is put into the form
PREFILLED = ("limit", "tags", "skip_tags", "check", "diff", "forks", "verbosity")
LONGEST_PREFILLED = 10_000


def template_or_404(site: Site, name: str) -> tuple[Snapshot, JobTemplateFacts]:
    snapshot = reading.load(site.slug)
    found = next((one for one in snapshot.templates if one.name == name), None)
    if found is None:
        raise Http404(f"Site {site} declares no job template “{name[:60]}”.")
    return snapshot, found


def address_of(site: str, template: str, limit: str = "") -> str:
    """Where *template* is launched, with the hosts of *limit*."""
    address = reverse("admin:launch_template", args=(site, template))
    return f"{address}?{urlencode({'limit': limit})}" if limit else address


@page("launch/<str:site>/", permission=RUN)
def launch(request: HttpRequest, site: Site) -> HttpResponse:
    """Which template is to run, on the hosts that the address names."""
    snapshot = reading.load(site.slug)
    limit = _prefilled(request).get("limit", "")
    offers = [(one, address_of(site.slug, one.name, limit)) for one in snapshot.templates]
    context = {
        **admin.site.each_context(request),
        "title": f"Run a playbook at {site}",
        "site": site,
        "limit": limit,
        "offers": offers,
    }
    return TemplateResponse(request, "admin/provisioning/runs/choose.html", context)


@page("launch/<str:site>/<str:template>/", permission=RUN, methods=POST)
def launch_template(request: HttpRequest, site: Site, template: str) -> HttpResponse:
    """The page of one template; a post of it starts the run whose hosts were shown."""
    snapshot, facts = template_or_404(site, template)
    asking = _Asking(request, site, snapshot, facts)
    if request.method == "POST":
        asking.read()
        if asking.job is not None:
            return redirect(reverse("admin:provisioning_job_change", args=(asking.job.pk,)))
    return asking.page()


@page("launch/<str:site>/<str:template>/preview/", permission=RUN, methods=("POST",))
def launch_preview(request: HttpRequest, site: Site, template: str) -> HttpResponse:
    """Which hosts a run with these answers would touch; Ansible itself is asked."""
    _, facts = template_or_404(site, template)
    seen = looking.seen(site, launch_form.parameters(facts, request.POST), request.user)
    return render(request, "admin/provisioning/runs/_seen.html", {"seen": seen, "site": site, "facts": facts})


@page("launch/<str:site>/<str:template>/variables/<str:name>/", permission="inventory.view_host")
def launch_variables(request: HttpRequest, site: Site, template: str, name: str) -> HttpResponse:
    """What the variables of the host *name* come to, and where each comes from; sealed values as such."""
    snapshot, facts = template_or_404(site, template)
    found = snapshot.host_by_name.get(name)
    if found is None:
        raise Http404(f"Site {site} has no host “{name[:60]}”.")
    context = {
        "site": site,
        "host": name,
        "extra": [(key, text_of(key, value)) for key, value in sorted(facts.extra_vars.items())],
        "rows": [(one, text_of(one.key, one.value)) for one in resolved(snapshot, found)],
        "sealed_files": sealed_files_of(snapshot, found),
    }
    if request.headers.get("HX-Request"):
        return render(request, "admin/provisioning/runs/_variables.html", context)
    whole = {**admin.site.each_context(request), "title": f"Variables of {name}", **context}
    return TemplateResponse(request, "admin/provisioning/runs/variables.html", whole)


@dataclass
class _Asking:
    """One visit of the page: what was posted, what is wrong with it, and the job once it is made."""

    request: HttpRequest
    site: Site
    snapshot: Snapshot
    facts: JobTemplateFacts
    job: Job | None = None

    def __post_init__(self) -> None:
        posted = self.request.POST if self.request.method == "POST" else None
        self.form: forms.Form = launch_form.launch_form(self.facts, posted, _prefilled(self.request))
        self.problems: list[str] = []
        self.seen: looking.Seen | None = None

    def read(self) -> None:
        """Start what was shown; without a script, or without a reason, show it."""
        posted = self.request.POST
        parameters = launch_form.parameters(self.facts, posted)
        act, why = posted.get("act", ""), posted.get("why", "").strip()
        shown = posted.get(f"fingerprint_{act}", "") if act in looking.ACTS else ""
        if shown and why:
            self._start(parameters | looking.ACTS[act], shown, why)
            return
        self.problems = ["Say why; nothing was started."] if shown else []
        self.seen = looking.seen(self.site, parameters, self.request.user)

    def _start(self, parameters: dict[str, Any], shown: str, why: str) -> None:
        posted = self.request.POST
        given: dict[str, Any] = {"site": self.site, "parameters": parameters, "by": self.request.user}
        secrets = launch_form.secrets(self.facts, posted)
        if wrong := unlocked.refused(self.facts, secrets):
            self._refused(Refused("", fields={f"answers.{name}": [said] for name, said in wrong.items()}))
            return
        try:
            self.job = requests.request(
                KIND, **given, why=why, confirmed=shown, key=posted.get("key", "")[:100]
            )
        except Refused as refusal:
            self._refused(refusal)
        except PermissionDenied as denied:
            self.problems = [str(denied)]
        else:
            if secrets and (problem := unlocked.give(self.job, self.facts, secrets, self.request.user)):
                messages.warning(self.request, problem)

    def _refused(self, refusal: Refused) -> None:
        self.form.is_valid()
        for name, said in refusal.fields.items():
            field = launch_form.field_of(name, self.form)
            if field:
                for one in said:
                    self.form.add_error(field, one)
            else:
                self.problems += said
        if not refusal.fields:
            self.problems = [str(refusal)]
        if launch_form.secrets(self.facts, self.request.POST):
            self.problems.append("Enter the secrets once more: they are not kept.")

    def page(self) -> HttpResponse:
        facts, project = self.facts, self._project()
        own = [self.form[name] for name in self.form.fields if name in PREFILLED]
        context = {
            **admin.site.each_context(self.request),
            "title": f"Run {facts.name} at {self.site}",
            "site": self.site,
            "facts": facts,
            "project": project,
            "row": JobTemplate.objects.filter(site=self.site, name=facts.name).first(),
            "form": self.form,
            "own": own,
            "own_open": any(field.value() or field.errors for field in own if field.name != "limit"),
            "prompts": [self.form[name] for name in self.form.fields if name not in PREFILLED],
            "extra": _yaml(facts.extra_vars),
            "secrets": unlocked.needed(self.site, self.snapshot, facts),
            "unlock_at": self._unlock_at(),
            "problems": self.problems,
            "seen": self.seen,
            "given": self.request.POST.get("why", ""),
            "request_key": uuid.uuid4().hex
            if self.problems
            else self.request.POST.get("key") or uuid.uuid4().hex,
            "unsent": ",".join(
                [*(name for name in self.form.fields if name.startswith(launch_form.SECRET)), "why"]
            ),
        }
        return TemplateResponse(self.request, "admin/provisioning/runs/launch.html", context)

    def _unlock_at(self) -> str:
        may_unlock = may(self.request.user, unlocked.PERMISSION, self.site)
        return reverse("admin:unlocked", args=(self.site.slug,)) if may_unlock else ""

    def _project(self) -> Any:
        return next((one for one in self.snapshot.projects if one.name == self.facts.project), None)


def _prefilled(request: HttpRequest) -> dict[str, str]:
    """What the address brings, such as ``?limit=pi01``."""
    found = {name: request.GET[name] for name in PREFILLED if name in request.GET}
    return {name: value.replace("\0", "")[:LONGEST_PREFILLED] for name, value in found.items()}


def _yaml(variables: Any) -> str:
    return yaml11.dump({key: masked(key, value) for key, value in variables.items()}) if variables else ""
