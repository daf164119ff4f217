"""The list of drift, the page of one, and what can be done about it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from inventory.admin.confirming import Act, Item, ask, confirmed_reason
from inventory.admin.filters import SiteFilter
from inventory.admin.log import ReadOnly, iso
from inventory.admin.sited import is_id, row_or_404
from inventory.models import Host
from inventory.permissions import may
from provisioning import drift
from provisioning.admin.drift_filters import HostFilter, HypervisorFilter, StateFilter
from provisioning.admin.ways_out import job_since, survey_sites, ways_out
from provisioning.drift import Refused
from provisioning.models import DriftFinding
from provisioning.observed import glancing, taking
from provisioning.surveying.kinds_of_drift import KINDS, STANDINGS

#: days that the page offers to ignore something
A_WHILE = 7
IGNORE = Act(
    "Ignore",
    "Ignore these until a day?",
    "Until that day, included, they are not open. They come back by themselves.",
)
ACCEPT = Act(
    "Accept as known",
    "Known, and nobody declares them?",
    "They stay accepted until they change: another name or another MAC, and they are open again.",
)
WITHDRAW = Act("Take back", "Take back what was decided?", "They are open again at once.")


@admin.register(DriftFinding)
class DriftFindingAdmin(ReadOnly):
    list_display = [
        "subject", "shown_state", "shown_kind", "field", "wanted", "found", "hypervisor", "site", "last_seen_at",
        "opened_at",
    ]  # fmt: skip
    list_select_related = ["site"]
    list_filter = [
        SiteFilter,
        StateFilter,
        ("kind", ChoicesDropdownFilter),
        HypervisorFilter,
        HostFilter,
    ]
    search_fields = ["subject", "found", "wanted", "hypervisor", "decided_why"]
    search_help_text = "Host, VMID, MAC or words of what is declared or found"
    ordering = ["site__slug", "hypervisor", "vmid", "kind", "field", "id"]
    list_before_template = "admin/provisioning/drift_before.html"
    actions = ["ignore_these", "accept_these", "withdraw_these"]
    actions_detail = ["ignore", "accept", "withdraw", "take"]
    other_verbs = {"decide": glancing.DECIDE}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.seen(DriftFinding.objects.judged(), request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With the surveys that it rests on."""
        found = glancing.sights(request.user)
        context = {
            "sights": found[: glancing.MOST],
            "sights_more": max(0, len(found) - glancing.MOST),
            "never": bool(found) and not any(sight.is_surveyed for sight in found),
            "no_hypervisor": not found,
            "survey_sites": survey_sites(request, found),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    # --- columns ---

    @display(
        description="state",
        ordering="state",
        label={
            "open": "danger", "unknown": "warning", "lost": "warning", "ignored": "info", "accepted": "info",
            "closed": "success",
        },
    )  # fmt: skip
    def shown_state(self, row: DriftFinding) -> str:
        return row.state

    @display(description="what", ordering="kind")
    def shown_kind(self, row: DriftFinding) -> str:
        return row.title

    @display(description="last seen", ordering="last_seen")
    def last_seen_at(self, row: DriftFinding) -> str:
        return iso(row.last_seen)

    @display(description="opened", ordering="opened")
    def opened_at(self, row: DriftFinding) -> str:
        return iso(row.opened)

    # --- the page of one ---

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("site")
        row = rows.filter(pk=object_id).first() if is_id(object_id) else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id[:40])
        host = Host.objects.filter(site=row.site, name=row.host_name).first() if row.host_name else None
        decides = self.has_decide_permission(request, row) and not row.closed
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "opts": self.opts,
            "row": row,
            "kind": KINDS.get(row.kind),
            "meaning": STANDINGS.get(row.state, ""),
            "host": host if host and may(request.user, "inventory.view_host", host) else None,
            "site_moved": row.site.revision != row.revision and not row.closed,
            "since": job_since(request.user, row),
            "ways": ways_out(request.user, row),
            "decides": decides,
            "can_accept": decides and row.kind == "undeclared" and row.decision != "accepted",
            "can_take": decides and taking.can_take(row) and taking.may_take(request.user, row),
            "until": timezone.localdate() + timedelta(days=A_WHILE),
            "today": timezone.localdate(),
            "decisions": list(row.decisions.order_by("-id")[:50]),
            "survey": glancing.survey_at(request.user, row.site, row.hypervisor) if row.hypervisor else "",
        }
        return TemplateResponse(request, "admin/provisioning/drift.html", context)

    # --- deciding about one ---

    def has_decide_permission(self, request: Any, obj: Any = None) -> bool:
        return may(request.user, self.permission("decide"), self.where(obj))

    @action(permissions=["decide"], description="Ignore until a day", url_path="ignore")
    def ignore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(row: DriftFinding, why: str) -> str:
            until = _day(request)
            drift.ignore([row], until=until, by=request.user, why=why)
            return f"Ignored up to {until}."

        return self._decided(request, object_id, act)

    @action(permissions=["decide"], description="Accept as known", url_path="accept")
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(row: DriftFinding, why: str) -> str:
            drift.accept([row], by=request.user, why=why)
            return "Accepted until it changes."

        return self._decided(request, object_id, act)

    @action(permissions=["decide"], description="Take back what was decided", url_path="withdraw")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(row: DriftFinding, why: str) -> str:
            drift.withdraw([row], by=request.user, why=why)
            return "It is open again."

        return self._decided(request, object_id, act)

    @action(permissions=["decide"], description="Take what was found as declared", url_path="take")
    def take(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would be written, then write exactly that."""
        row: DriftFinding = row_or_404(self.get_queryset(request).select_related("site"), object_id)
        if not taking.may_take(request.user, row):
            raise PermissionDenied(
                "Taking it as declared needs the permission to change the declaration here."
            )
        try:
            if request.method == "POST":
                shown = taking.take(
                    row,
                    fingerprint=request.POST.get("fingerprint", ""),
                    by=request.user,
                    why=request.POST.get("why", ""),
                )
                messages.success(request, f"Declared: {shown.said} is {shown.after}.")
                return redirect(_page_of(row))
            plan = taking.taking(row)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(_page_of(row))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Take what was found as declared: {row}",
            "opts": self.opts,
            "row": row,
            "plan": plan,
            "back": _page_of(row),
        }
        return TemplateResponse(request, "admin/provisioning/drift_take.html", context)

    def _decided(self, request: HttpRequest, object_id: str, act: Any) -> HttpResponse:
        """Decide what was posted, and show the row; a plain visit only shows it."""
        row: DriftFinding = row_or_404(self.get_queryset(request), object_id)
        if request.method == "POST":
            try:
                messages.success(request, act(row, request.POST.get("why", "")))
            except Refused as refusal:
                messages.error(request, str(refusal))
        return redirect(_page_of(row))

    # --- deciding about many ---

    @admin.action(permissions=["decide"], description="Ignore until a day")
    def ignore_these(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset.filter(closed__isnull=True))
        answer = self._asked(request, IGNORE, rows)
        if not isinstance(answer, str):
            if isinstance(answer, TemplateResponse):
                answer.template_name = "admin/provisioning/drift_ignore.html"
                until = timezone.localdate() + timedelta(days=A_WHILE)
                given = request.POST.get("until") or until.isoformat()
                answer.context_data |= {"until": given, "today": timezone.localdate()}  # type: ignore[operator]
            return answer
        return self._done(
            request,
            lambda: f"{drift.ignore(rows, until=_day(request), by=request.user, why=answer)} ignored.",
        )

    @admin.action(permissions=["decide"], description="Accept as known")
    def accept_these(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset.filter(closed__isnull=True).filter(kind="undeclared"))
        answer = self._asked(
            request, ACCEPT, rows, "Only what nobody declares can be accepted; none of these is."
        )
        if not isinstance(answer, str):
            return answer
        return self._done(request, lambda: f"{drift.accept(rows, by=request.user, why=answer)} accepted.")

    @admin.action(permissions=["decide"], description="Take back what was decided")
    def withdraw_these(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset.filter(closed__isnull=True).exclude(decision=""))
        answer = self._asked(request, WITHDRAW, rows, "Nothing was decided about these.")
        if not isinstance(answer, str):
            return answer
        return self._done(request, lambda: f"{drift.withdraw(rows, by=request.user, why=answer)} taken back.")

    def _asked(
        self, request: HttpRequest, act: Act, rows: list[DriftFinding], none: str = "All of these are closed."
    ) -> Any:
        """The reason, once the page was answered; the page before; None where there is nothing to ask."""
        if not rows:
            messages.info(request, none)
            return None
        items = [
            Item(row.pk, str(row), _page_of(row), note=_place_of(row), state=row.found or "not there")
            for row in rows
        ]
        return confirmed_reason(request, items) or ask(self, request, act, items)

    def _done(self, request: HttpRequest, act: Any) -> None:
        try:
            messages.success(request, act())
        except Refused as refusal:
            messages.error(request, str(refusal))


def _page_of(row: DriftFinding) -> str:
    return reverse("admin:provisioning_driftfinding_change", args=(row.pk,))


def _day(request: HttpRequest) -> date:
    """The day that was posted. Raises Refused."""
    given = request.POST.get("until", "").strip()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Refused(f"“{given[:40]}” is no day; write it like {timezone.localdate()}.") from None


def _place_of(row: DriftFinding) -> str:
    return f" on {row.hypervisor}" if row.hypervisor else ""
