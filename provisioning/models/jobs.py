"""A job, and what it said. The row is the truth: a message to a worker is only a hint that it is there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from provisioning import states
from provisioning.plans import Plan
from provisioning.unlocks.needs import Need


class Job(models.Model):
    """Something to be done once: asked for by somebody, carried out by one worker at a time.

    Its state is moved by ``provisioning.engine.moves`` alone. ``attempt`` is the fencing number: every write of a worker
    carries it, and counts only while it is the row's.
    """

    STATES = [(state, state) for state in states.STATES]
    REASONS = [(reason, reason) for reason in states.REASONS]

    kind = models.CharField(max_length=60)
    #: as the kind's form takes them; never a secret
    parameters = models.JSONField(default=dict, blank=True)
    site = models.ForeignKey(
        "inventory.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    site_slug = models.CharField("site", max_length=63, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField("who", max_length=150, blank=True)
    #: a user asked, whose account may be gone by now: then ``by`` is empty
    by_user = models.BooleanField(default=False, editable=False)
    why = models.TextField(blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )
    #: a second submit of the same form has the same; empty: each is one of its own
    request_key = models.CharField(max_length=100, blank=True)

    #: what it touches: one active job each. Empty: nothing that another could touch.
    #: the slug of a site (63), a slash and a name (255) have room in either
    machine_key = models.CharField("machine", max_length=320, blank=True)
    target_key = models.CharField("target", max_length=320, blank=True)

    state = models.CharField(max_length=10, choices=STATES, default=states.QUEUED)
    waiting_for = models.CharField(max_length=12, choices=REASONS, blank=True)
    #: the secrets that a waiting job lacks, as ``provisioning.unlocks.needs`` has them; never a value
    needs = models.JSONField(default=list, blank=True)
    queue = models.CharField(max_length=10, default="short")

    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    #: since when it waits for a person
    waiting_since = models.DateTimeField(null=True, blank=True)
    #: when a message was last given to the broker
    sent = models.DateTimeField(null=True, blank=True)
    #: no worker takes it up before
    not_before = models.DateTimeField(null=True, blank=True)

    attempt = models.PositiveIntegerField(default=0)
    #: attempts since a person last asked for it (or confirmed, or unlocked)
    tries = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat = models.DateTimeField(null=True, blank=True)
    step = models.CharField(max_length=200, blank=True)
    #: number of its newest event
    last_event = models.PositiveIntegerField(default=0)

    cancel_asked = models.DateTimeField(null=True, blank=True)
    cancel_asked_by = models.CharField(max_length=150, blank=True)

    plan = models.JSONField(null=True, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    confirmed = models.CharField("confirmed fingerprint", max_length=64, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    #: a worker has begun with the confirmed plan: what a later attempt finds left of it needs no new confirmation
    plan_begun = models.BooleanField(default=False)

    #: numbers and short texts, as the kind documents them
    outcome = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)

    #: of what a schedule asks for: site/name of it, and the moment it was due
    schedule = models.CharField(max_length=130, blank=True)
    due = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("run_job", "Can start jobs"),
            ("confirm_job", "Can confirm the plans of jobs"),
            ("cancel_job", "Can cancel jobs"),
        ]
        indexes = [
            models.Index(fields=["state", "queue", "id"], name="job_by_state"),
            models.Index(fields=["site", "-id"], name="job_by_site"),
            models.Index(fields=["schedule", "-id"], condition=~Q(schedule=""), name="job_by_schedule"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["machine_key"],
                condition=Q(state__in=states.ACTIVE) & ~Q(machine_key=""),
                name="job_one_per_machine",
                violation_error_message="Another job is at this machine; wait for it, or cancel it.",
            ),
            models.UniqueConstraint(
                fields=["target_key"],
                condition=Q(state__in=states.ACTIVE) & ~Q(target_key=""),
                name="job_one_per_target",
                violation_error_message="Another job is at this target; wait for it, or cancel it.",
            ),
            models.UniqueConstraint(
                fields=["by_name", "request_key"],
                condition=~Q(request_key=""),
                name="job_once_per_request",
                violation_error_message="This request has made a job already.",
            ),
            models.UniqueConstraint(
                fields=["schedule", "due"],
                condition=~Q(schedule=""),
                name="job_once_per_due",
                violation_error_message="The schedule has its job for this moment already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=states.STATES),
                name="job_state_known",
                violation_error_message=f"A job is {', '.join(states.STATES)}.",
            ),
            models.CheckConstraint(
                condition=Q(state=states.WAITING, waiting_for__in=states.REASONS)
                | (~Q(state=states.WAITING) & Q(waiting_for="")),
                name="job_waits_for_something",
                violation_error_message="A waiting job says what it waits for, and no other does.",
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}: {self.title}"

    @property
    def title(self) -> str:
        """Such as “Switch the authority of lab”."""
        from provisioning import kinds

        known = kinds.find(self.kind)
        return known.title_of(self) if known else f"{self.kind} (unknown here)"

    @property
    def is_active(self) -> bool:
        return self.state in states.ACTIVE

    @property
    def is_finished(self) -> bool:
        return self.state in states.FINISHED

    @property
    def planned(self) -> Plan | None:
        return Plan.from_dict(self.plan) if self.plan is not None else None

    @property
    def needed(self) -> list[Need]:
        """What it waits for somebody to enter."""
        return [Need.from_dict(need) for need in self.needs]

    @property
    def waits_until(self) -> datetime | None:
        """When a waiting job is cancelled because nobody came."""
        if self.state != states.WAITING or self.waiting_for == states.PART:
            return None
        return (self.waiting_since or self.created) + timedelta(hours=settings.JOB_WAIT_HOURS)

    @property
    def seconds(self) -> float | None:
        """How long it took, from its first attempt."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """What ``manage.py job --json`` prints."""
        return {
            "id": self.pk,
            "kind": self.kind,
            "site": self.site_slug or None,
            "parameters": self.parameters,
            "state": self.state,
            "waiting_for": self.waiting_for or None,
            "needs": self.needs,
            "attempt": self.attempt,
            "step": self.step,
            "by": self.by_name,
            "why": self.why,
            "fingerprint": self.fingerprint or None,
            "plan": self.plan,
            "outcome": self.outcome,
            "message": self.message,
            **{
                name: _moment(getattr(self, name))
                for name in ("created", "started", "finished", "waits_until")
            },
        }


def _moment(value: Any) -> str | None:
    return value.isoformat() if value else None


class JobEvent(models.Model):
    """One line of what a job said; numbered from 1 without gaps."""

    LEVELS = [(level, level) for level in ("debug", "info", "step", "warning", "error")]

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    level = models.CharField(max_length=8, choices=LEVELS, default="info")
    step = models.CharField(max_length=200, blank=True)
    text = models.TextField()

    class Meta:
        ordering = ["job", "number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["job", "number"],
                name="job_event_number",
                violation_error_message="The job has an event of this number.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.text}"
