"""Bodies of jobs: as they are told, and as they are asked for."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inventory.api.v1 import fields
from inventory.api.v1.bodies import WHY_HELP, Strict
from provisioning import states
from provisioning.models import Job
from provisioning.plans import ACTS, Plan

#: so many lines of what it said are told at once
MOST = 500


class LineBody(serializers.Serializer):
    act = serializers.ChoiceField(ACTS)
    subject = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class PlanBody(serializers.Serializer):
    """What the job will do. With problems it cannot be asked for."""

    lines = LineBody(many=True)
    problems = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
    summary = serializers.CharField(help_text="Such as: 2 to add, 4 to run.")
    fingerprint = serializers.CharField(help_text="What is confirmed is the plan of this fingerprint.")


def told_plan(plan: Plan) -> dict[str, Any]:
    """As PlanBody."""
    return {
        "lines": [{"act": one.act, "subject": one.subject, "detail": one.detail} for one in plan.lines],
        "problems": list(plan.problems),
        "warnings": list(plan.warnings),
        "summary": plan.summary,
        "fingerprint": plan.fingerprint,
    }


class EventBody(serializers.Serializer):
    """One line of what the job said; numbered from 1 without gaps."""

    number = serializers.IntegerField()
    attempt = serializers.IntegerField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(["debug", "info", "step", "warning", "error"])
    step = serializers.CharField(allow_blank=True)
    text = serializers.CharField()


class NeedBody(serializers.Serializer):
    """A secret that a person has to enter."""

    name = serializers.CharField()
    scope = serializers.CharField(help_text="site/SLUG or job/ID: for whom it is held.")
    said = serializers.CharField(help_text="In words.")
    key = serializers.BooleanField(help_text="It is a private key, with lines.")


class JobSummary(serializers.ModelSerializer):
    title = serializers.CharField(help_text="In words, such as “Survey the hypervisors of lab”.")
    site = serializers.CharField(
        source="site_slug", allow_blank=True, help_text="Empty: it belongs to no site."
    )
    site_id = serializers.IntegerField(allow_null=True)
    parameters = fields.Mapping(read_only=True)
    state = serializers.ChoiceField(states.STATES)
    waiting_for = serializers.ChoiceField(["", *states.REASONS])
    waits_until = serializers.DateTimeField(allow_null=True, help_text="A waiting job is cancelled then.")
    machine = serializers.CharField(source="machine_key", allow_blank=True)
    target = serializers.CharField(source="target_key", allow_blank=True)
    by = serializers.CharField(source="by_name", allow_blank=True)
    parent_id = serializers.IntegerField(allow_null=True, help_text="The job that this one repeats.")
    outcome = fields.Mapping(read_only=True, help_text="Numbers and short texts, as the kind documents them.")

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id", "kind", "title", "site", "site_id", "parameters", "state", "waiting_for", "waits_until", "machine",
            "target", "by", "why", "schedule", "due", "parent_id", "attempt", "step", "created", "started", "finished",
            "outcome", "message",
        )  # fmt: skip
        read_only_fields = fields


class JobBody(JobSummary):
    needs = NeedBody(
        source="needed", many=True, read_only=True, help_text="What it waits for somebody to enter."
    )
    plan = serializers.SerializerMethodField(help_text="Null until it is known.")
    events = serializers.SerializerMethodField(
        help_text=f"What it said after the line of ?after=, at most {MOST} lines; ask again after the last one."
    )
    last_event = serializers.IntegerField(help_text="Number of its newest line.")

    class Meta(JobSummary.Meta):
        fields = (*JobSummary.Meta.fields, "confirmed_by", "needs", "plan", "last_event", "events")
        read_only_fields = fields

    @extend_schema_field(PlanBody(allow_null=True))
    def get_plan(self, job: Job) -> dict[str, Any] | None:
        return None if job.planned is None else told_plan(job.planned)

    @extend_schema_field(EventBody(many=True))
    def get_events(self, job: Job) -> list[dict[str, Any]]:
        rows = job.events.filter(number__gt=self.context.get("after", 0)).order_by("number")[:MOST]
        return [dict(EventBody(row).data) for row in rows]


class WantedPlan(Strict):
    """What is to be planned: nothing is kept, and nothing is done."""

    kind = fields.Text(max_length=60, help_text="As in manage.py job KIND.")
    site = fields.Text(required=False, max_length=63, help_text="Left out for kinds that belong to no site.")
    parameters = fields.Mapping(required=False, help_text="As the kind's form takes them. Never a secret.")


class WantedJob(WantedPlan):
    """A job to be made."""

    fingerprint = fields.Text(
        required=False,
        max_length=64,
        help_text="Of the plan that was shown: it is confirmed at once. Another plan by now is refused (409).",
    )
    why = fields.Text(required=False, max_length=1000, help_text=WHY_HELP)


class Confirmation(Strict):
    """Which plan is confirmed."""

    fingerprint = fields.Text(max_length=64, help_text="As the job's plan has it.")
    why = fields.Text(required=False, max_length=1000, help_text=WHY_HELP)
