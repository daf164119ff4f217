"""The only place that moves a job's state or writes its events: conditional UPDATEs, whose row count says who won."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from provisioning import states
from provisioning.engine.delivery import deliver
from provisioning.engine.moments import DatabaseTime
from provisioning.keeper import client
from provisioning.models import Job, JobEvent
from provisioning.redaction import redact

log = logging.getLogger(__name__)

LONGEST_TEXT = 10_000


def move(
    job_id: int,
    before: str | Iterable[str],
    after: str,
    *,
    said: str = "",
    level: str = "info",
    where: Q | None = None,
    known: Collection[str] = (),
    **columns: Any,
) -> bool:
    """Move the job from one of the states *before* to *after* and write *columns*; True if this caller won.

    *where* narrows it further; *said* becomes an event in the same transaction.
    """
    origins = (before,) if isinstance(before, str) else tuple(before)
    for origin in origins:
        states.require_legal(origin, after)
    columns = {"waiting_for": "", "needs": [], **columns, "state": after}
    if after in states.FINISHED:
        columns |= {"finished": DatabaseTime(), "lease_until": None}
    if after in (states.QUEUED, states.WAITING):
        columns |= {"lease_until": None}
    if after == states.WAITING:
        columns |= {"waiting_since": DatabaseTime()}
    rows = Job.objects.filter(pk=job_id, state__in=origins)
    with transaction.atomic():
        won = (rows.filter(where) if where is not None else rows).update(**columns)
        if won and said:
            _append(Job.objects.filter(pk=job_id), job_id, level, said, known)
        if won and after in states.FINISHED:
            _go_on_with_the_whole(job_id, after)
            transaction.on_commit(partial(_forget_secrets, job_id))
    return bool(won)


def _go_on_with_the_whole(job_id: int, state: str) -> None:
    """The job that this one is a part of waits for its end, whatever that is."""
    whole = Job.objects.filter(children=job_id, state=states.WAITING, waiting_for=states.PART)
    for pk in whole.values_list("pk", flat=True):
        go_on(pk, f"Its part is over: job {job_id} is {state}.")


def go_on(job_id: int, said: str) -> bool:
    """Queue a job that waits for its part; True if this caller won."""
    won = move(
        job_id,
        states.WAITING,
        states.QUEUED,
        said=said,
        where=Q(waiting_for=states.PART),
        tries=0,
        sent=DatabaseTime(),
        not_before=None,
    )
    if won:
        queue = Job.objects.values_list("queue", flat=True).get(pk=job_id)
        transaction.on_commit(partial(deliver, job_id, queue))
    return won


def _forget_secrets(job_id: int) -> None:
    """What was given for this job alone is held no longer. A keeper that is away holds nothing."""
    try:
        client.drop(client.of_job(job_id))
    except (client.KeeperAway, client.KeeperRefused) as reason:
        log.debug("job %s: nothing to forget (%s)", job_id, type(reason).__name__)


def note(
    job_id: int,
    text: str,
    *,
    level: str = "info",
    where: Q | None = None,
    known: Collection[str] = (),
    **columns: Any,
) -> bool:
    """Append an event, and write *columns*, if the row is still as *where* says; True if so."""
    rows = Job.objects.filter(pk=job_id)
    with transaction.atomic():
        return _append(
            rows.filter(where) if where is not None else rows, job_id, level, text, known, **columns
        )


def _append(
    rows: QuerySet[Job], job_id: int, level: str, text: str, known: Collection[str], **columns: Any
) -> bool:
    """The job's row is locked by its own UPDATE until the transaction ends: no two events get one number."""
    if not rows.update(last_event=F("last_event") + 1, **columns):
        return False
    number, attempt, step = Job.objects.values_list("last_event", "attempt", "step").get(pk=job_id)
    JobEvent.objects.create(
        job_id=job_id,
        number=number,
        attempt=attempt,
        at=DatabaseTime(),
        level=level,
        step=step,
        text=redact(text, known)[:LONGEST_TEXT],
    )
    return True
