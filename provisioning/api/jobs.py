"""``/api/v1/jobs``: asking, planning, following, confirming, cancelling, running again. The same door as the browser's."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import django_filters
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from inventory.api.answers import unshared
from inventory.api.v1 import versions
from inventory.api.v1.lifecycle import Reason
from inventory.api.v1.problems import FieldError, Problem, invalid
from inventory.api.v1.reasons import reason_of, required_reason
from inventory.api.v1.remembering import HEADER as IDEMPOTENCY
from inventory.api.v1.remembering import key_of
from inventory.api.v1.views import Noun
from inventory.models import Site
from provisioning import kinds, requests, states
from provisioning.api.bodies import (
    Confirmation,
    JobBody,
    JobSummary,
    PlanBody,
    WantedJob,
    WantedPlan,
    told_plan,
)
from provisioning.api.unlocking import UnlockActions
from provisioning.kinds.base import Kind
from provisioning.models import Job
from provisioning.requests import Refused

RUN = "provisioning.run_job"
AFTER = OpenApiParameter(
    "after", int, description="The lines of events after this number; 0 or left out: from the first."
)
#: a longer Idempotency-Key is kept as its SHA-256
LONGEST_KEY = 90
LAST = 10**9


class JobFilters(django_filters.FilterSet):
    kind = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(choices=[(state, state) for state in states.STATES])
    site = django_filters.CharFilter(field_name="site_slug", label="The site's short name.")
    host = django_filters.CharFilter(method="of_host", label="Name of the host that it acts on.")
    by = django_filters.CharFilter(field_name="by_name", label="Who asked for it.")
    schedule = django_filters.CharFilter(label="Of a schedule, as site/name.")
    since = django_filters.IsoDateTimeFilter(field_name="created", lookup_expr="gte", label="ISO 8601.")

    def of_host(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(machine_key__endswith=f"/{value}")


class JobView(UnlockActions, Noun):
    """What takes time or touches something outside. Asking needs the scope provision; following it, read."""

    http_method_names = ["get", "head", "post"]
    app, noun = "provisioning", "job"
    verbs: ClassVar[dict[str, str]] = {"add": RUN}
    queryset = Job.objects.all()
    serializer_class = JobBody
    list_serializer_class = JobSummary
    filterset_class = JobFilters
    search_in = ("machine_key", "target_key", "why", "message")
    ordering_fields = ("id", "created", "kind", "state")
    ordering = ("-id",)

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("plan") if self.action == "list" else rows

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "after": getattr(self, "after", 0)}

    @extend_schema(parameters=[AFTER])
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        self.after = after(request)
        return super().retrieve(request, pk)

    retrieve.parameters = ("after",)  # type: ignore[attr-defined]

    # --- asking ---

    @extend_schema(request=WantedJob, responses={201: JobBody})
    def create(self, request: Request) -> HttpResponse:
        self.caller.require(RUN)
        kind, site, given = self._wanted(WantedJob(data=request.data))
        why = required_reason(request, "nothing was started")
        confirmed = given.get("fingerprint", "")
        if confirmed and kind.destructive:
            self._require(requests.CONFIRM, site)
        key = _kept_key(request)
        known = Job.objects.filter(by_name=_name(self.caller.by), request_key=key).exists() if key else False
        job = asked(
            lambda: requests.request(
                kind.name,
                site=site,
                parameters=given.get("parameters", {}),
                by=self.caller.by,
                why=why,
                key=key,
                confirmed=confirmed,
            ),
            reused=known,
        )
        answered = self._made(job)
        if known:
            answered["Idempotency-Replayed"] = "true"
        return answered

    @extend_schema(request=WantedPlan, responses={200: PlanBody})
    @action(detail=False, methods=["post"])
    def plan(self, request: Request) -> HttpResponse:
        """What such a job would do now; nothing is kept. A kind that has to look outside plans in the job itself."""
        self.caller.require(RUN)
        kind, site, given = self._wanted(WantedPlan(data=request.data))
        parameters = given.get("parameters", {})
        told = told_plan(
            asked(lambda: requests.show_plan(kind.name, site=site, parameters=parameters, by=self.caller.by))
        )
        answered: HttpResponse = Response(told)
        answered["ETag"] = versions.etag_of(told)
        return unshared(answered)

    def _wanted(self, body: Any) -> tuple[Kind, Site | None, dict[str, Any]]:
        """What the body asks for, by somebody who may ask for it there."""
        data = body.initial_data
        site = self.site_named(data) if isinstance(data, dict) and data.get("site") is not None else None
        if site is not None:
            self.caller.require(RUN, site)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = body.validated_data
        kind = kinds.find(given["kind"])
        if kind is None:
            names = ", ".join(one.name for one in kinds.all_kinds())
            raise invalid([FieldError("kind", f"There are no jobs of this kind; there are {names}.")])
        if kind.of_site and site is None:
            self.site_named({})  # says which there are
        if not kind.of_site and site is not None:
            raise invalid(
                [FieldError("site", f"A job of the kind {kind.name} belongs to no site; leave it out.")]
            )
        for permission in {RUN, kind.permission}:
            self._require(permission, site)
        return kind, site, given

    # --- acting on one ---

    @extend_schema(request=Confirmation, responses={200: JobBody})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> HttpResponse:
        """Let a waiting job go on with exactly the plan of the fingerprint; another plan by now is refused (409)."""
        job = self._job(pk, requests.CONFIRM)
        body: Any = Confirmation(data=request.data)
        body.is_valid(raise_exception=True)
        if (kind := kinds.find(job.kind)) is not None:
            self._require(kind.permission, job.site)
        self._match(job)
        return self.shown(
            asked(lambda: requests.confirm(job, body.validated_data["fingerprint"], by=self.caller.by))
        )

    @extend_schema(request=Reason, responses={200: JobBody})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> HttpResponse:
        """At once where it is not running, else before its next step; a finished one is refused (409)."""
        job = self._job(pk, requests.CANCEL)
        _take(request)
        self._match(job)
        return self.shown(asked(lambda: requests.cancel(job, by=self.caller.by)))

    @extend_schema(request=Reason, responses={201: JobBody})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> HttpResponse:
        """A new job like this one, which is finished."""
        job = self._job(pk, RUN)
        _take(request)
        why = required_reason(request, "nothing was started")
        if (kind := kinds.find(job.kind)) is not None:
            self._require(kind.permission, job.site)
        self._match(job)
        return self._made(asked(lambda: requests.run_again(job, by=self.caller.by, why=why)))

    def _job(self, pk: str, permission: str) -> Job:
        self.caller.require(permission)
        job: Job = self.row(pk)
        self._require(permission, job.site)
        return job

    def _require(self, permission: str, site: Site | None) -> None:
        """At the site; what belongs to none is for those who may everywhere."""
        if site is None:
            self.caller.require_everywhere(permission)
        else:
            self.caller.require(permission, site)

    def _match(self, job: Job) -> None:
        versions.require_match(self.request, versions.etag_of(self.represented(job)))

    def _made(self, job: Job) -> HttpResponse:
        answered = self.shown(self.row(job.pk), 201)
        answered["Location"] = self.request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
        return answered


def _take(request: Request) -> None:
    body: Any = Reason(data=request.data)
    body.is_valid(raise_exception=True)
    reason_of(request)


def after(request: Request) -> int:
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdecimal()) or int(text[:12]) > LAST:
        raise invalid([FieldError("after", "?after= takes the number of a line, such as 12.")])
    return int(text)


def _kept_key(request: Request) -> str:
    """The caller's Idempotency-Key as the job keeps it; empty without one."""
    key = key_of(request)
    if key is None:
        return ""
    return f"api:{key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()}"


def _name(by: Any) -> str:
    return by if isinstance(by, str) else str(by.get_username())


def asked(act: Any, *, reused: bool = False) -> Any:
    """What *act* returns; its refusal as the problem that it is."""
    try:
        return act()
    except Refused as refusal:
        if refusal.fields:
            errors = [
                FieldError(f"parameters.{name}", message)
                for name, messages in refusal.fields.items()
                for message in messages
            ]
            raise invalid(errors) from None
        if reused:
            raise Problem(
                422, f"This {IDEMPOTENCY} was sent with another request before. {refusal}"
            ) from None
        raise Problem(409, str(refusal)) from None
