"""Parts of a job that are jobs of their own: the runs that a creation ends with.

A part is asked for in the name of whoever asked for the whole, as long as that one is there and may. The whole waits
meanwhile without a worker (``waiting_for`` is ``part``). The end of a part puts the whole back into the queue, in the same
transaction; the sweep does so where that was lost. Which part is which stands in its ``request_key``: for what it was (a
creation, a retirement), and of which template.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet

from provisioning import states
from provisioning.engine import moves
from provisioning.engine.askers import WAY_OUT, asker_of
from provisioning.engine.asking import Refused
from provisioning.engine.faults import Cancelled, JobFailed
from provisioning.engine.turns import Turn
from provisioning.models import Job

KIND, NEEDED = "run_playbook", "provisioning.run_job"
_MARK = "part:"


def carry_out(turn: Turn, purpose: str, template: str, host: str, *, again: str) -> Job:
    """The run of *template* on *host* for *purpose*, which has succeeded; else wait for it, which raises Paused.

    One that has succeeded for the same purpose is not run again, whichever job asked for it. Raises JobFailed where the
    part came to nothing, with its number and the way out; *again* says how the whole is gone on with.
    """
    rows = Job.objects.filter(site=turn.job.site, kind=KIND, request_key__startswith=_key(purpose, template))
    if (done := rows.filter(state=states.SUCCEEDED).first()) is not None:
        turn.event("info", f"{template} has run on {host} already: job {done.pk}.")
        return done
    if (active := rows.filter(state__in=states.ACTIVE).first()) is not None:
        if active.parent_id != turn.job.pk:
            raise JobFailed(
                f"Job {active.pk} ({active.title}), a part of job {active.parent_id}, is still {active.state}.",
                "Wait for it, or cancel it; then run this again.",
            )
        _wait_for(turn, active)
    mine = rows.filter(parent=turn.job).first()
    if mine is not None:
        raise _came_to_nothing(mine, again)
    by = asker_of(turn.job, NEEDED)
    turn.step(f"Run {template} on {host}")
    _wait_for(turn, _asked_for(turn, f"{_key(purpose, template)}{rows.count() + 1}", template, host, by))
    raise AssertionError("waiting ends the turn")


def _key(purpose: str, template: str) -> str:
    return f"{_MARK}{purpose}:{template}:"


def _asked_for(turn: Turn, key: str, template: str, host: str, by: Any) -> Job:
    from provisioning import requests

    job = turn.job
    try:
        return requests.request(
            KIND,
            site=job.site,
            parameters={"template": template, "limit": host},
            by=by,
            why=f"Part of job {job.pk}: {job.why}",
            key=key,
            parent=job,
            reads=False,  # a refusal is the whole's message
        )
    except Refused as refusal:
        raise JobFailed(
            f"{template} cannot be run on {host}: {refusal}", "Mend the job template, then run this again."
        ) from None
    except PermissionDenied as refusal:
        raise JobFailed(
            f"{job.by_name} may not run {template} on {host}: {refusal}",
            WAY_OUT,
        ) from None


def _wait_for(turn: Turn, part: Job) -> None:
    try:
        turn.need_part(part)
    except Cancelled:
        _cancel(part, turn.job.pk)
        raise


def _came_to_nothing(part: Job, again: str) -> JobFailed:
    said = f" {part.message}" if part.message else ""
    return JobFailed(
        f"A part came to nothing: job {part.pk} ({part.title}) is {part.state}.{said}",
        f"Look at job {part.pk} and mend what it names; then {again}.",
    )


# --- what happens to one of both ---


def cancel_those_of(job: Job) -> int:
    """Cancel the parts of *job*, which was cancelled; how many."""
    rows = active_of(job)
    for part in rows:
        _cancel(part, job.pk)
    return len(rows)


def active_of(job: Job) -> list[Job]:
    return list(_parts().filter(parent=job, state__in=states.ACTIVE))


def of(job: Job) -> QuerySet[Job]:
    """The parts of *job*, in the order in which they were asked for."""
    return _parts().filter(parent=job).order_by("pk")


def is_part(job: Job) -> bool:
    return job.request_key.startswith(_MARK) and job.parent_id is not None


def _parts() -> QuerySet[Job]:
    return Job.objects.filter(request_key__startswith=_MARK)


def _cancel(part: Job, whole: int) -> None:
    from provisioning import requests

    try:
        requests.cancel(part, by=f"job {whole}")
    except Refused:  # it was over at this moment
        return


def sweep() -> int:
    """Go on with what waits for a part that is over, and cancel parts whose whole is over; how many."""
    going = Job.objects.filter(parent=OuterRef("pk"), state__in=states.ACTIVE)
    waiting = Job.objects.filter(~Exists(going), state=states.WAITING, waiting_for=states.PART)
    moved = sum(moves.go_on(job.pk, "Its part is over.") for job in waiting.only("pk"))
    orphans = _parts().filter(
        Q(cancel_asked__isnull=True), state__in=states.ACTIVE, parent__state__in=states.FINISHED
    )
    for part in orphans:
        _cancel(part, part.parent_id or 0)
        moved += 1
    return moved
