"""Retire a host: clean up behind it first, then take it out of every export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from inventory.changes import change
from inventory.models import Host
from provisioning import chains
from provisioning.engine.askers import asker_of
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import LONG, Asked, Kind
from provisioning.kinds.machine import OfHost, site_of, snapshot_of
from provisioning.models import Job
from provisioning.plans import CHANGE, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

NEEDED = "inventory.change_host"


class RetireHost(Kind):
    """Outcome: ``parts``, the numbers of the jobs that cleaned up."""

    name = "retire_host"
    title = "Retire {host} at {site}"
    verb = "Retire"
    what = (
        "Runs the job templates that clean up behind a host, then retires it: out of every export, its identities in "
        "quarantine."
    )
    queue = LONG
    Parameters = OfHost

    def machine_key(self, asked: Asked) -> str:
        return f"{asked.site}/{asked['host']}"

    def strangers(self, asked: Asked) -> Mapping[str, list[str]]:
        host = snapshot_of(asked).host_by_name.get(asked["host"])
        if host is None:
            return {"host": [f"Site {site_of(asked).slug} has no host {asked['host']}."]}
        return {"host": [f"{host.name} is retired already."]} if host.is_retired else {}

    def plan(self, asked: Asked) -> Plan:
        snapshot = snapshot_of(asked)
        host = snapshot.host_by_name.get(asked["host"])
        if host is None:
            return Plan(problems=(f"The site has no host {asked['host']} any more.",))
        return Plan(
            (
                *chains.lines(snapshot, host, chains.RETIRE),
                Line(CHANGE, host.subject, f"{host.status} → retired, once that is done"),
            ),
            chains.problems(snapshot, host, chains.RETIRE),
        )

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, name = snapshot_of(turn.asked), turn.asked["host"]
        asker_of(turn.job, NEEDED)  # this job is no way around that permission
        host = snapshot.host_by_name[name]
        turn.outcome["parts"] = chains.carry_out(
            turn, snapshot, host, chains.RETIRE, f"retire-{_first(turn.job).pk}", again=_AGAIN
        )
        turn.step(f"Retire {name}")
        _retire(turn, name)
        turn.message = f"{name} is retired."


_AGAIN = "run this again: it goes on with that part. To retire it without cleaning up, retire it on its page"


def _retire(turn: Turn, name: str) -> None:
    site, job = site_of(turn.asked), turn.job
    turn.check()
    by = asker_of(job, NEEDED)
    try:
        with change(site, by=by, why=job.why or f"Job {job.pk}.", source="job"):
            row = Host.objects.get(site=site, name=name)
            if row.status != Host.Status.RETIRED:
                row.status = Host.Status.RETIRED
                row.save()
    except Host.DoesNotExist:
        raise JobFailed(
            f"The site has no host {name} any more.", "There is nothing left to retire."
        ) from None
    except ValidationError as refusal:
        raise JobFailed(
            " ".join(refusal.messages), "Mend it on the host's page, then run this again."
        ) from None


def _first(job: Job) -> Job:
    """The job that was asked for first, of those that ran it again: what was cleaned up for it counts."""
    seen = {job.pk}
    while job.parent is not None and job.parent.kind == job.kind and job.parent.pk not in seen:
        job = job.parent
        seen.add(job.pk)
    return job
