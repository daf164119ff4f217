"""What a playbook did: the inputs that it was given, what each task said, how each host fared, and who holds a host."""

from __future__ import annotations

import zlib
from typing import Any

from django.db import models
from django.db.models import Q

from inventory.models import Site
from provisioning.models.jobs import Job

OK, CHANGED, FAILED, UNREACHABLE = "ok", "changed", "failed", "unreachable"
SKIPPED, RESCUED, IGNORED = "skipped", "rescued", "ignored"
#: how a task may end on a host, in the order of Ansible's recap
OUTCOMES = (OK, CHANGED, UNREACHABLE, FAILED, SKIPPED, RESCUED, IGNORED)

CHECKS, APPLIES, RELAUNCHES = "checks", "applies", "relaunches"
#: what a run is to its origin
RELATIONS = (CHECKS, APPLIES, RELAUNCHES)


class FrozenInput(models.Model):
    """What runs were given, by its own digest: many runs of one unchanged inventory share one row.

    The body is written once and never changed; ciphertext in it stays ciphertext.
    """

    #: SHA-256 of the body, in hexadecimal
    digest = models.CharField(max_length=64, primary_key=True)
    body = models.BinaryField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest[:12]

    @property
    def text(self) -> str:
        """The body as it was frozen."""
        return zlib.decompress(bytes(self.body)).decode()


class PlaybookRun(models.Model):
    """One run of a playbook: the half of its job that Ansible knows of. Inputs are frozen when it is asked for."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="run")
    site = models.ForeignKey(Site, null=True, on_delete=models.SET_NULL, related_name="playbook_runs")
    #: names as they were declared then; either may be gone by now
    template = models.CharField(max_length=100, blank=True)
    project = models.CharField(max_length=100)
    playbook = models.CharField(max_length=500)
    #: 40 hexadecimal digits of git, or ``tree:`` and the digest of a folder's content
    commit = models.CharField(max_length=80)
    #: of the site that the inventory was made from
    revision = models.PositiveBigIntegerField()
    inventory = models.ForeignKey(FrozenInput, on_delete=models.PROTECT, related_name="+")
    #: everything else that was frozen, as ``provisioning.runs.arguments``; references to secrets, never their values
    arguments = models.JSONField(default=dict)
    #: over all of the above and the hosts: two runs of one digest are given the same
    digest = models.CharField(max_length=64, blank=True)
    check_mode = models.BooleanField("check", default=False)
    relation = models.CharField(max_length=12, blank=True, choices=[(one, one) for one in RELATIONS])
    origin = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="descendants"
    )

    #: hosts by how they fared: each is counted once, under the worst that befell it
    hosts_ok = models.PositiveIntegerField(default=0)
    hosts_changed = models.PositiveIntegerField(default=0)
    hosts_failed = models.PositiveIntegerField(default=0)
    hosts_unreachable = models.PositiveIntegerField(default=0)
    #: number of its newest event, and how many lines of output they have together
    last_event = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    #: when Ansible was started last: from then on hosts may have been changed
    begun = models.DateTimeField(null=True, blank=True)
    #: ansible-playbook's own exit code; none until it ended
    rc = models.SmallIntegerField("exit code", null=True, blank=True)
    #: hosts that were touched and not shown before: added by a play, or a task was delegated to them
    others = models.JSONField(default=list, blank=True)
    #: what Ansible itself complained of where no task did; for who may read what runs say
    complaint = models.TextField(blank=True)
    #: events were removed after RUN_KEEP_DAYS
    pruned = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-job_id"]
        default_permissions = ()
        permissions = [("view_run", "Can read what runs said")]
        indexes = [models.Index(fields=["site", "-job"], name="run_by_site")]
        constraints = [
            models.CheckConstraint(
                condition=Q(relation="") | Q(relation__in=RELATIONS),
                name="run_relation_known",
                violation_error_message=f"A run {', '.join(RELATIONS)} another, or stands alone.",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.playbook}"


class RunEvent(models.Model):
    """Something that Ansible said; numbered from 1 over all attempts of the run. Written in batches."""

    run = models.ForeignKey(PlaybookRun, on_delete=models.CASCADE, related_name="events")
    counter = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=0)
    uuid = models.CharField(max_length=40, blank=True)
    #: as ansible-runner names it, such as ``runner_on_ok``
    kind = models.CharField(max_length=60)
    at = models.DateTimeField()
    play = models.CharField(max_length=300, blank=True)
    task = models.CharField(max_length=500, blank=True)
    role = models.CharField(max_length=200, blank=True)
    host = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=12, blank=True, choices=[(one, one) for one in OUTCOMES])
    #: number of the first line of ``text`` in the whole output, from 1; and how many lines it has
    first_line = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    #: output with its colours, lines apart by a line break
    text = models.TextField(blank=True)
    diff = models.TextField(blank=True)
    #: seconds
    duration = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["run", "counter"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["run", "host", "counter"], name="run_event_by_host"),
            models.Index(fields=["run", "outcome", "counter"], name="run_event_by_outcome"),
            models.Index(fields=["run", "first_line"], name="run_event_by_line"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "counter"],
                name="run_event_counter",
                violation_error_message="The run has an event of this number.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counter} {self.kind}"


class RunHost(models.Model):
    """How one host fared: how many tasks ended in which way, as in Ansible's recap."""

    run = models.ForeignKey(PlaybookRun, on_delete=models.CASCADE, related_name="hosts")
    host = models.CharField(max_length=255)
    ok = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    unreachable = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    rescued = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["run", "host"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["run", "host"],
                name="run_host_once",
                violation_error_message="The run has counted this host already.",
            ),
        ]

    def __str__(self) -> str:
        return self.host

    @property
    def worst(self) -> str:
        """Under what the host is counted."""
        return worst(vars(self))


class HostHold(models.Model):
    """A run is at this host: no other begins until it is done."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="+")
    host = models.CharField(max_length=255)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="held_hosts")

    class Meta:
        ordering = ["site", "host"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["site", "host"],
                name="host_hold_one_per_host",
                violation_error_message="Another run is at this host; wait for it, or cancel it.",
            ),
        ]

    def __str__(self) -> str:
        return self.host


def worst(counts: dict[str, Any]) -> str:
    """Of numbers by outcome, the one under which a host is counted: unreachable, failed, changed, else ok."""
    return next((one for one in (UNREACHABLE, FAILED, CHANGED) if counts.get(one)), OK)
