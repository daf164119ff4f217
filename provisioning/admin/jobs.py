"""The list of jobs, the page of one, and what can be done there."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from inventory.admin.filters import SiteFilter
from inventory.admin.log import ReadOnly
from inventory.admin.sited import is_id, row_or_404
from inventory.permissions import may, within
from provisioning import kinds, requests, states
from provisioning.admin import shown, unlocked
from provisioning.admin.runs import run_page
from provisioning.admin.starting import offered
from provisioning.models import Job, PlaybookRun
from provisioning.requests import Refused
from provisioning.templatetags.jobs import duration
from provisioning.unlocks import unlocking

MOST_CHOICES = 200


class KindFilter(DropdownFilter):
    title = "kind"
    parameter_name = "of_kind"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.name.replace("_", " ")) for kind in kinds.all_kinds()]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class _SeenFilter(DropdownFilter):
    """Values of a column in the jobs that the person sees, the newest first."""

    column = ""

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        seen = within(Job.objects.exclude(**{self.column: ""}), request.user, "provisioning.view_job")
        newest = seen.order_by("-pk").values_list(self.column, flat=True)[: MOST_CHOICES * 10]
        return [(value, value) for value in list(dict.fromkeys(newest))[:MOST_CHOICES]]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class MachineFilter(_SeenFilter):
    title, parameter_name, column = "machine", "machine", "machine_key"


class TargetFilter(_SeenFilter):
    title, parameter_name, column = "target", "target", "target_key"


class PersonFilter(_SeenFilter):
    title, parameter_name, column = "who", "by", "by_name"


class ScheduleFilter(_SeenFilter):
    title, parameter_name, column = "schedule", "schedule", "schedule"


class SinceFilter(DropdownFilter):
    """By when it was asked for."""

    title, parameter_name = "asked for", "since"
    DAYS = (("1", "in the last 24 hours"), ("7", "in the last 7 days"), ("30", "in the last 30 days"))

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.DAYS)

    def queryset(self, request: Any, queryset: Any) -> Any:
        days = self.value()
        if days not in dict(self.DAYS):
            return queryset
        return queryset.filter(created__gte=timezone.now() - timedelta(days=int(str(days))))


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["number", "shown_state", "what", "site_slug", "touches", "by_name", "created", "took"]
    list_filter = [
        SiteFilter,
        ("state", ChoicesDropdownFilter),
        KindFilter,
        MachineFilter,
        TargetFilter,
        PersonFilter,
        ScheduleFilter,
        SinceFilter,
    ]
    search_fields = ["=id", "machine_key", "target_key", "by_name", "schedule", "why", "message"]
    search_help_text = "Number, machine, target, person, schedule, reason or message"
    ordering = ["-id"]
    list_before_template = "admin/provisioning/jobs_before.html"
    actions_detail = ["cancel", "confirm", "enter", "run_again"]
    other_verbs = {
        "cancel": requests.CANCEL,
        "confirm": requests.CONFIRM,
        "run": "provisioning.run_job",
        "unlock": unlocking.PERMISSION,
    }

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).defer("plan")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With what can be asked for here."""
        none = not self.get_queryset(request).exists()
        extra = {"offered": offered(request.user), "none_yet": none}
        return super().changelist_view(request, {**(extra_context or {}), **extra})

    # --- columns ---

    @display(description="job", ordering="id")
    def number(self, job: Job) -> str:
        return f"#{job.pk}"

    @display(
        description="state",
        ordering="state",
        label={
            "queued": "info", "running": "info", "waiting": "warning", "succeeded": "success", "failed": "danger",
            "lost": "danger",
        },
    )  # fmt: skip
    def shown_state(self, job: Job) -> str:
        return job.state

    @display(description="what")
    def what(self, job: Job) -> str:
        return job.title

    @display(description="touches")
    def touches(self, job: Job) -> str:
        return job.machine_key or job.target_key

    @display(description="took")
    def took(self, job: Job) -> str:
        return duration(job.seconds)

    # --- the page of one ---

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        job = self._seen(request, object_id)
        if job is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id[:40])
        run = run_page.run_of(job)
        if "after" in request.GET:
            return self._more(request, job, run)
        most = shown.MOST_OF_ALL if "all" in request.GET else shown.MOST
        first = max(0, job.last_event - most)
        said = shown.said_after(job, first, most)
        context = {
            **self.admin_site.each_context(request),
            **shown.context_of(job, request.user),
            "title": f"Job {job.pk}: {job.title}",
            "opts": self.opts,
            "said": said,
            "after": said[-1].number if said else 0,
            "left_out": first,
            "request_key": uuid.uuid4().hex,
        }
        if run is None:
            return TemplateResponse(request, "admin/provisioning/job.html", context)
        context |= run_page.context_of(request, run)
        return TemplateResponse(request, "admin/provisioning/runs/run.html", context)

    def _more(self, request: HttpRequest, job: Job, run: PlaybookRun | None) -> HttpResponse:
        """The lines after the one that the page has, and the upper half where it moved."""
        asked = request.GET["after"]
        after = int(asked) if is_id(asked) else 0
        said = shown.said_after(job, after)
        context = {
            **shown.context_of(job, request.user),
            "said": said,
            "after": said[-1].number if said else after,
            "request_key": uuid.uuid4().hex,
        }
        if (
            context["after"] < job.last_event
        ):  # more than one answer holds: go on asking, though it may be finished
            context["poll"] = shown.LOOK_RUNNING
        if run is not None:
            context |= run_page.pulse_of(request, run)
        context["moved"] = request.GET.get("mark", "") != context["mark"]
        return TemplateResponse(request, "admin/provisioning/_more.html", context)

    def _seen(self, request: HttpRequest, object_id: str) -> Job | None:
        """The job, for who may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("site", "parent")
        found: Job | None = rows.filter(pk=object_id).first() if is_id(object_id) else None
        return found

    # --- what can be done with one ---

    def has_cancel_permission(self, request: Any, obj: Any = None) -> bool:
        return self._may_here(request, "cancel", obj)

    def has_confirm_permission(self, request: Any, obj: Any = None) -> bool:
        return self._may_here(request, "confirm", obj)

    def has_run_permission(self, request: Any, obj: Any = None) -> bool:
        return self._may_here(request, "run", obj)

    def has_unlock_permission(self, request: Any, obj: Any = None) -> bool:
        return self._may_here(request, "unlock", obj)

    def _may_here(self, request: Any, verb: str, obj: Any) -> bool:
        return may(request.user, self.permission(verb), self.where(obj))

    @action(permissions=["cancel"], description="Cancel", url_path="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(job: Job) -> Job:
            found = requests.cancel(job, by=request.user)
            done = found.state == states.CANCELLED
            messages.info(request, "Cancelled." if done else "It stops before its next step.")
            return found

        return self._acted(request, object_id, act)

    @action(permissions=["confirm"], description="Confirm the plan", url_path="confirm")
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        fingerprint = request.POST.get("fingerprint", "")
        return self._acted(
            request, object_id, lambda job: requests.confirm(job, fingerprint, by=request.user)
        )

    @action(permissions=["unlock"], description="Enter secrets", url_path="enter")
    @method_decorator(sensitive_post_parameters())
    def enter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._acted(request, object_id, lambda job: unlocked.enter(request, job))

    @action(permissions=["run"], description="Run again", url_path="again")
    def run_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        why, key = request.POST.get("why", "").strip(), request.POST.get("key", "")[:100]

        def act(job: Job) -> Job:
            if not why:
                raise Refused("Say why; nothing was started.")
            return requests.run_again(job, by=request.user, why=why, key=key)

        return self._acted(request, object_id, act)

    def _acted(self, request: HttpRequest, object_id: str, act: Any) -> HttpResponse:
        """Do it for what was posted, and show the job; a plain visit only shows it."""
        job: Job = row_or_404(self.get_queryset(request).select_related("site"), object_id)
        if request.method == "POST":
            try:
                job = act(job)
            except Refused as refusal:
                messages.error(request, str(refusal))
        return redirect(reverse("admin:provisioning_job_change", args=(job.pk,)))
