"""``/api/v1/runs``: what Ansible did, its output as it comes, how each host fared, and once more with the same inputs."""

from __future__ import annotations

from typing import Any

import django_filters
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from inventory.api.answers import unshared
from inventory.api.v1 import fields
from inventory.api.v1.bodies import WHY_HELP, Strict
from inventory.api.v1.reasons import required_reason
from inventory.api.v1.views import Noun
from provisioning import kinds, requests, states
from provisioning.api.bodies import JobBody
from provisioning.api.jobs import RUN, after, asked
from provisioning.models import PlaybookRun, RunEvent, RunHost
from provisioning.models.runs import OUTCOMES, RELATIONS
from provisioning.runs import following

#: events told at once
MOST = 1000
AFTER = OpenApiParameter(
    "after", int, description="The events after this number; 0 or left out: from the first."
)
OF_HOST = OpenApiParameter("host", str, description="Those of one host.")
OF_OUTCOME = OpenApiParameter("outcome", str, enum=OUTCOMES, description="Those that ended in this way.")


class RunBody(serializers.ModelSerializer):
    id = serializers.IntegerField(source="pk", help_text="The number of its job.")
    site = serializers.CharField(source="job.site_slug")
    state = serializers.ChoiceField(states.STATES, source="job.state")
    message = serializers.CharField(source="job.message", allow_blank=True)
    by = serializers.CharField(source="job.by_name", allow_blank=True)
    created = serializers.DateTimeField(source="job.created")
    finished = serializers.DateTimeField(source="job.finished", allow_null=True)
    check = serializers.BooleanField(source="check_mode", help_text="It said what would change.")
    relation = serializers.ChoiceField(["", *RELATIONS], help_text="What it is to its origin.")
    origin_id = serializers.IntegerField(allow_null=True, help_text="The run that it follows.")
    commit = serializers.CharField(help_text="Of git, or tree: and the digest of a directory's content.")
    inventory = serializers.CharField(source="inventory_id", help_text="Digest of the frozen inventory.")
    arguments = fields.Mapping(read_only=True, help_text="What else was frozen. References, never secrets.")
    rc = serializers.IntegerField(allow_null=True, help_text="ansible-playbook's exit code.")
    others = serializers.ListField(
        child=serializers.CharField(), help_text="Hosts that were touched and that no plan showed."
    )
    hosts = serializers.SerializerMethodField(help_text="How many, each under the worst that befell it.")

    class Meta:
        model = PlaybookRun
        fields: tuple[str, ...] = (
            "id", "site", "site_id", "template", "project", "playbook", "commit", "revision", "inventory", "check",
            "relation", "origin_id", "state", "message", "by", "created", "begun", "finished", "rc", "hosts", "others",
            "last_event", "lines", "pruned", "arguments",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_hosts(self, run: PlaybookRun) -> dict[str, int]:
        return {name: getattr(run, f"hosts_{name}") for name in ("ok", "changed", "failed", "unreachable")}


class RunSummary(RunBody):
    class Meta(RunBody.Meta):
        fields = tuple(name for name in RunBody.Meta.fields if name != "arguments")
        read_only_fields = fields


class RunEventBody(serializers.ModelSerializer):
    number = serializers.IntegerField(source="counter", help_text="Rises; there may be gaps.")
    outcome = serializers.ChoiceField(["", *OUTCOMES])
    text = serializers.CharField(allow_blank=True, help_text="Its lines, with ANSI colours.")

    class Meta:
        model = RunEvent
        fields: tuple[str, ...] = (
            "number", "attempt", "kind", "at", "play", "task", "role", "host", "outcome", "first_line", "lines", "text",
            "diff", "duration",
        )  # fmt: skip
        read_only_fields = fields


class RunHostBody(serializers.ModelSerializer):
    worst = serializers.ChoiceField(["ok", "changed", "failed", "unreachable"])

    class Meta:
        model = RunHost
        fields: tuple[str, ...] = ("host", "worst", *OUTCOMES)
        read_only_fields = fields


class Relaunch(Strict):
    """A run once more, with the inputs that it was given."""

    on = serializers.ChoiceField(following.WAYS, help_text="apply: as it was checked, now in earnest.")
    fingerprint = fields.Text(
        required=False,
        max_length=64,
        help_text="Of the plan that was shown; another by now is refused (409).",
    )
    why = fields.Text(required=False, max_length=1000, help_text=WHY_HELP)


class RunFilters(django_filters.FilterSet):
    site = django_filters.CharFilter(field_name="job__site_slug", label="The site's short name.")
    template = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(
        field_name="job__state", choices=[(state, state) for state in states.STATES]
    )
    host = django_filters.CharFilter(method="of_host", label="A host that it was at.")
    check = django_filters.BooleanFilter(field_name="check_mode")

    def of_host(self, rows: Any, _: str, value: str) -> Any:
        return rows.filter(hosts__host=value)


class RunView(Noun):
    """Runs of playbooks. They are asked for as jobs of the kind run_playbook; reading them needs a permission of its own."""

    http_method_names = ["get", "head", "post"]
    app, noun = "provisioning", "run"
    queryset = PlaybookRun.objects.select_related("job")
    serializer_class = RunBody
    list_serializer_class = RunSummary
    filterset_class = RunFilters
    search_in = ("template", "playbook", "job__message")
    ordering_fields = ("template",)
    ordering = ("-id",)

    @extend_schema(
        parameters=[AFTER, OF_HOST, OF_OUTCOME], responses={200: RunEventBody(many=True)}, filters=False
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[], filterset_class=None)
    def events(self, request: Request, pk: str) -> HttpResponse:
        """What Ansible said, at most 1000 events; ask again after the last one, as long as the run goes on."""
        rows = RunEvent.objects.filter(run=self.row(pk), counter__gt=after(request)).order_by("counter")
        for name in ("host", "outcome"):
            if value := request.query_params.get(name):
                rows = rows.filter(**{name: value})
        answered: HttpResponse = Response(RunEventBody(rows[:MOST], many=True).data)
        return unshared(answered)

    events.parameters = ("after", "host", "outcome")  # type: ignore[attr-defined]

    @extend_schema(responses={200: RunHostBody(many=True)}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[], filterset_class=None)
    def hosts(self, request: Request, pk: str) -> HttpResponse:
        """How each host fared."""
        rows = self.row(pk).hosts.order_by("host")
        answered: HttpResponse = Response(RunHostBody(rows, many=True).data)
        return unshared(answered)

    @extend_schema(request=Relaunch, responses={201: JobBody})
    @action(detail=True, methods=["post"])
    def relaunch(self, request: Request, pk: str) -> HttpResponse:
        """A new job with the inputs of this run: on all its hosts, on those that failed, or applied after a check."""
        self.caller.require(RUN)
        run: PlaybookRun = self.row(pk)
        self.caller.require(RUN, run.site)
        kind = kinds.find("run_playbook")
        assert kind is not None, "the application has the kind"  # noqa: S101
        self.caller.require(kind.permission, run.site)
        body: Any = Relaunch(data=request.data)
        body.is_valid(raise_exception=True)
        why = required_reason(request, "nothing was started")
        job = asked(
            lambda: requests.request(
                kind.name,
                site=run.site,
                parameters={"origin": run.pk, "on": body.validated_data["on"]},
                by=self.caller.by,
                why=why,
                confirmed=body.validated_data.get("fingerprint", ""),
            )
        )
        answered: HttpResponse = Response(dict(JobBody(job).data), status=201)
        answered["Location"] = request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
        return unshared(answered)
