"""The list of runs. A row leads to the page of its job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from inventory.admin.filters import SiteFilter
from inventory.admin.log import ReadOnly, iso
from inventory.admin.sited import is_id
from inventory.permissions import visible_sites, within
from provisioning.models import PlaybookRun
from provisioning.states import STATES
from provisioning.templatetags.jobs import duration

MOST_CHOICES, NEWEST = 200, 2000
#: so many sites are offered by name
MOST_SITES = 8
DAYS = (("1", "in the last 24 hours"), ("7", "in the last 7 days"), ("30", "in the last 30 days"))


class _SeenFilter(DropdownFilter):
    """Values of a column in the newest runs that the person sees."""

    column = ""

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        seen = within(PlaybookRun.objects.exclude(**{self.column: ""}), request.user, "provisioning.view_job")
        newest = seen.order_by("-pk").values_list(self.column, flat=True)[:NEWEST]
        return [(value, value) for value in list(dict.fromkeys(newest))[:MOST_CHOICES]]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class TemplateFilter(_SeenFilter):
    title, parameter_name, column = "template", "template", "template"


class WhoFilter(_SeenFilter):
    title, parameter_name, column = "who", "by", "job__by_name"


class StateFilter(DropdownFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [(one, one) for one in STATES]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(job__state=self.value()) if self.value() else queryset


class FaredFilter(DropdownFilter):
    title, parameter_name = "hosts", "fared"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "with failed hosts"), ("unreachable", "with unreachable hosts")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() not in ("failed", "unreachable"):
            return queryset
        return queryset.filter(**{f"hosts_{self.value()}__gt": 0})


class SinceFilter(DropdownFilter):
    title, parameter_name = "asked for", "since"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return list(DAYS)

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() not in dict(DAYS):
            return queryset
        return queryset.filter(job__created__gte=timezone.now() - timedelta(days=int(str(self.value()))))


@admin.register(PlaybookRun)
class RunAdmin(ReadOnly):
    list_display = [
        "number", "shown_state", "template", "shown_check", "site_slug", "ok", "changed", "failed", "unreachable",
        "who", "created", "took",
    ]  # fmt: skip
    list_select_related = ["job"]
    list_filter = [
        SiteFilter,
        TemplateFilter,
        StateFilter,
        FaredFilter,
        ("relation", ChoicesDropdownFilter),
        ("check_mode", BooleanRadioFilter),
        WhoFilter,
        SinceFilter,
    ]
    search_fields = ["=job__id", "template", "playbook", "job__by_name", "job__why", "=hosts__host"]
    search_help_text = "Number, template, playbook, person, reason, or the whole name of a host"
    ordering = ["-pk"]
    list_before_template = "admin/provisioning/runs/list_before.html"
    other_verbs = {"view": "provisioning.view_job"}

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).defer("arguments", "job__plan", "job__parameters")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With where a run can be asked for."""
        extra = {
            "launch_at": list(visible_sites(request.user, "provisioning.run_job")[:MOST_SITES]),
            "none_yet": not self.get_queryset(request).exists(),
        }
        return super().changelist_view(request, {**(extra_context or {}), **extra})

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=object_id).first() if is_id(object_id) else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id[:40])
        answer: HttpResponse = redirect(reverse("admin:provisioning_job_change", args=(row.pk,)))
        return answer

    # --- columns ---

    @display(description="run", ordering="pk")
    def number(self, run: PlaybookRun) -> str:
        return f"#{run.pk}"

    @display(
        description="state",
        ordering="job__state",
        label={
            "queued": "info", "running": "info", "waiting": "warning", "succeeded": "success", "failed": "danger",
            "lost": "danger",
        },
    )  # fmt: skip
    def shown_state(self, run: PlaybookRun) -> str:
        return run.job.state

    @display(description="kind")
    def shown_check(self, run: PlaybookRun) -> str:
        return "check" if run.check_mode else run.relation

    @display(description="site", ordering="job__site_slug")
    def site_slug(self, run: PlaybookRun) -> str:
        return run.job.site_slug

    @display(description="ok", ordering="hosts_ok")
    def ok(self, run: PlaybookRun) -> int:
        return run.hosts_ok

    @display(description="changed", ordering="hosts_changed")
    def changed(self, run: PlaybookRun) -> int:
        return run.hosts_changed

    @display(description="failed", ordering="hosts_failed")
    def failed(self, run: PlaybookRun) -> int:
        return run.hosts_failed

    @display(description="unreachable", ordering="hosts_unreachable")
    def unreachable(self, run: PlaybookRun) -> int:
        return run.hosts_unreachable

    @display(description="who", ordering="job__by_name")
    def who(self, run: PlaybookRun) -> str:
        return run.job.by_name

    @display(description="asked for", ordering="job__created")
    def created(self, run: PlaybookRun) -> str:
        return iso(run.job.created)

    @display(description="took")
    def took(self, run: PlaybookRun) -> str:
        return duration(run.job.seconds)
