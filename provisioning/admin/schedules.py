"""The list of schedules, the page of one with its next runs and what became of the last, and running one now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from inventory.admin.door import DoorAdmin
from inventory.admin.filters import SiteFilter
from inventory.admin.forms import DoorForm
from inventory.admin.pages import page
from inventory.admin.sited import row_or_404
from inventory.automating.timing import NotATime
from inventory.changes import change
from inventory.models import Schedule, Site
from inventory.permissions import may, visible_sites
from provisioning.clockwork import clock, schedules
from provisioning.engine.moments import database_now
from provisioning.models import Job
from provisioning.requests import Refused

NEXT, LATEST = 5, 5
RUN = "provisioning.run_job"
#: so many sites without a schedule are offered one
MOST_OFFERED = 8
HOURLY = "hourly-survey"
NEVER = "never"


def _kinds() -> list[tuple[str, str]]:
    known = [(kind.name, f"{kind.name}: {kind.verb}") for kind in schedules.schedulable()]
    return [("", "---------"), *known]


class ScheduleForm(DoorForm):
    kind = forms.ChoiceField(
        label="Kind of job",
        choices=_kinds,
        widget=UnfoldAdminSelectWidget,
        help_text="What it asks for. A job that must be confirmed waits for somebody to do so each time.",
    )
    why = forms.CharField(
        label="Reason",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=Schedule._meta.get_field("why").help_text,
    )

    class Meta:
        model = Schedule
        exclude = ("owner",)

    #: who writes it; set for each request
    writer = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.initial.get("kind")
        field = self.fields.get("kind")
        if stored and field is not None and stored not in dict(field.choices):  # type: ignore[attr-defined]
            field.choices = [*field.choices, (stored, f"{stored}: unknown here")]  # type: ignore[attr-defined]

    def clean(self) -> Any:
        """Whoever writes it owns it, and must be one who may ask for such a job."""
        cleaned = super().clean() or {}
        if self.errors or not self.row_changed:
            return cleaned
        row = self.instance
        written = Schedule(
            site=row.site if row.site_id else cleaned.get("site"),
            owner=self.writer,
            **{
                name: cleaned[name]
                for name in ("name", "kind", "parameters", "cron", "time_zone")
                if name in cleaned
            },
            every_hours=cleaned.get("every_hours"),
        )
        if written.site_id:
            row.owner = self.writer
            for field, said in written.judged().items():
                for message in said:
                    self.add_error(field if field in self.fields else None, ValidationError(message))
        return cleaned


class RedFilter(DropdownFilter):
    title, parameter_name = "state", "red"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "cannot be carried out")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        if not self.value():
            return queryset
        return queryset.filter(enabled=True, state__isnull=False).exclude(state__fault="", state__refused="")


@admin.register(Schedule)
class ScheduleAdmin(DoorAdmin):
    form = ScheduleForm
    list_display = ["name", "site", "kind", "when", "shown_state", "next_run", "last_run", "owner"]
    list_select_related = ["site", "state"]
    list_filter = [SiteFilter, RedFilter, ("enabled", BooleanRadioFilter)]
    search_fields = ["name", "kind", "why", "owner"]
    search_help_text = "Name, kind, reason or owner"
    ordering = ["site__slug", "name"]
    fields = ["site", "name", "kind", "parameters", "cron", "every_hours", "time_zone", "enabled", "why"]
    list_before_template = "admin/provisioning/schedules_before.html"
    change_form_outer_before_template = "admin/provisioning/schedule_before.html"
    actions_detail = ["run_now"]
    other_verbs = {"run": RUN}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        key = Concat(F("site__slug"), Value("/"), F("name"), output_field=CharField())
        rows: QuerySet[Any] = super().get_queryset(request).annotate(key=key)
        last = Job.objects.filter(schedule=OuterRef("key")).order_by("-pk")
        return rows.annotate(
            last_job=Subquery(last.values("pk")[:1]), last_state=Subquery(last.values("state")[:1])
        )

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.writer = request.user.get_username()
        return form

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        extra = {"hourly": _without(request), "hourly_name": HOURLY}
        return super().changelist_view(request, {**(extra_context or {}), **extra})

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        row = (
            self.get_queryset(request).select_related("site", "state").filter(pk=object_id).first()
            if (object_id.isdecimal() and len(object_id) < 18)
            else None
        )
        extra = {"run": _running(request, row)} if row is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})

    # --- columns ---

    @display(description="when")
    def when(self, schedule: Schedule) -> str:
        return str(schedule.timing)

    @display(description="state", label={"red": "danger", "ok": "success", "off": "info", "new": "info"})
    def shown_state(self, schedule: Schedule) -> str:
        return state_of(schedule)

    @display(description="next run")
    def next_run(self, schedule: Schedule) -> str:
        following = next_runs(schedule, 1)
        return f"{timezone.localtime(following[0]):%Y-%m-%d %H:%M}" if following else "-"

    @display(description="last run")
    def last_run(self, schedule: Any) -> str:
        return f"{schedule.last_state}, job {schedule.last_job}" if schedule.last_job else NEVER

    # --- running it now ---

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """None at the top, where a link would start something by a visit; the page has a button of its own."""
        return []

    def has_run_permission(self, request: Any, obj: Any = None) -> bool:
        return may(request.user, RUN, self.where(obj))

    @action(permissions=["run"], description="Run now", url_path="run")
    def run_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for its job at this moment, in the name of who presses the button; a plain visit only shows it."""
        schedule: Schedule = row_or_404(self.get_queryset(request).select_related("site"), object_id)
        if request.method == "POST":
            try:
                job = _run(schedule, request.user)
            except (Refused, PermissionDenied) as refusal:
                messages.error(request, str(refusal))
            else:
                return redirect(reverse("admin:provisioning_job_change", args=(job.pk,)))
        return redirect(reverse("admin:inventory_schedule_change", args=(schedule.pk,)))


def _run(schedule: Schedule, user: Any) -> Job:
    return clock.request(
        schedule, database_now(), by=user, why=f"Schedule {schedule.name}, now: {schedule.why}"
    )


def state_of(schedule: Any) -> str:
    """ok, red (it cannot be carried out), off, or new (no worker has seen it yet)."""
    if not schedule.enabled:
        return "off"
    state = getattr(schedule, "state", None)
    return "new" if state is None else "red" if state.problem else "ok"


def next_runs(schedule: Schedule, number: int, since: datetime | None = None) -> list[datetime]:
    """The next moments at which it is due; none where it is off or cannot be understood."""
    found: list[datetime] = []
    moment = since or timezone.now()
    try:
        while schedule.enabled and len(found) < number:
            following = schedule.timing.after(moment)
            if following is None:
                break
            found.append(following)
            moment = following
    except NotATime:
        return []
    return found


def _running(request: HttpRequest, schedule: Schedule) -> dict[str, Any]:
    """What the page of one shows above the form."""
    from inventory.automating.timing import zone_of

    try:
        zone = zone_of(schedule.time_zone)
    except NotATime:
        zone = zone_of("UTC")
    jobs = Job.objects.filter(schedule=schedules.key_of(schedule))[:LATEST]
    sees = may(request.user, "provisioning.view_job", schedule.site)
    return {
        "schedule": schedule,
        "shown": state_of(schedule),
        "state": getattr(schedule, "state", None),
        "zone": schedule.time_zone,
        "next": [(one, f"{one.astimezone(zone):%Y-%m-%d %H:%M}") for one in next_runs(schedule, NEXT)],
        "jobs": list(jobs) if sees else [],
        "may_run": may(request.user, RUN, schedule.site),
    }


# --- a site that has none ---


def _without(request: HttpRequest) -> list[Site]:
    """The sites where this person may write the first schedule and start its jobs."""
    able = visible_sites(request.user, "inventory.add_schedule").filter(schedules__isnull=True)
    startable = visible_sites(request.user, RUN)
    return list(able.filter(pk__in=startable.order_by().values("pk"))[:MOST_OFFERED])


@page("site/<str:site>/hourly-survey/", permission="inventory.add_schedule", methods=("POST",))
def hourly_survey(request: HttpRequest, site: Site) -> HttpResponse:
    """Declare that the site's hypervisors are surveyed every hour."""
    why = "VMIDs are handed out after a survey, and drift is seen by it."
    schedule = Schedule(
        site=site, name=HOURLY, kind="survey", every_hours=1, owner=request.user.get_username(), why=why
    )
    try:
        if refused := [message for said in schedule.judged().values() for message in said]:
            raise ValidationError(refused)
        with change(site, by=request.user, why="Survey every hour", source="admin"):
            schedule.save()
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect(reverse("admin:inventory_schedule_changelist"))
    return redirect(reverse("admin:inventory_schedule_change", args=(schedule.pk,)))
