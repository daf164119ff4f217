"""Carries out jobs: claim, replan, steps, outcome. The row decides who may; a message that comes twice does no harm."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from provisioning import kinds, states
from provisioning.engine import overtaken, standing
from provisioning.engine.faults import Cancelled, JobFailed, Paused, Superseded, in_words
from provisioning.engine.moments import DatabaseTime
from provisioning.engine.moves import move
from provisioning.engine.turns import Heart, Turn
from provisioning.kinds.base import Asked
from provisioning.models import Job
from provisioning.redaction import redact, redacted
from provisioning.runs import holding

T = TypeVar("T")

log = logging.getLogger(__name__)

#: seconds between attempts of a job whose fault may pass, at most
LONGEST_PAUSE = 300.0
#: how often the outcome is tried to be written while the database is away
WRITES = 4


def run(job_id: int, worker: str = "") -> None:
    """Carry out the job, if it is queued and due; else do nothing."""
    waiting = Job.objects.filter(_due(), standing.lives(), pk=job_id, state=states.QUEUED).first()
    if waiting is None or holding.must_wait(waiting):
        return  # a message that came twice takes no lock
    job = claim(job_id, worker)
    if job is None:
        return
    ended = _Ended(job)
    try:
        turn = _turn_of(job)
        ended.turn = turn
        with Heart(turn):
            holding.take(job, holding.hosts_of(job), turn.attempt)
            _perform(turn)
    except Superseded:
        ended.superseded()
        log.info("job %s: attempt %s ends here (Superseded)", job.pk, job.attempt)
    except Paused:
        log.info("job %s: attempt %s ends here (Paused)", job.pk, job.attempt)
    except Cancelled as reason:
        ended.cancelled(str(reason))
    except JobFailed as fault:
        ended.fault(fault)
    except (OperationalError, InterfaceError) as away:
        log.warning("job %s: the database did not answer (%s)", job.pk, away)
        ended.fault(_without_database())
    except Exception as error:
        if hasattr(error, "retryable"):  # an adapter's, of whatever class
            ended.fault(error)
        else:
            ended.unexpected(error)
    else:
        ended.succeeded()
    finally:
        _let_go(job)


def _let_go(job: Job) -> None:
    try:
        _insistently(lambda: holding.release(job.pk, job.attempt))
    except (OperationalError, InterfaceError):
        log.warning("job %s: the database did not answer; the sweep lets its hosts go", job.pk)


def _due() -> Q:
    return Q(not_before__isnull=True) | Q(not_before__lte=DatabaseTime())


def _without_database() -> JobFailed:
    return JobFailed(
        "The database did not answer, or had no room.",
        "See that it is up and that its disk has room, then run this again.",
        retryable=True,
    )


def claim(job_id: int, worker: str = "") -> Job | None:
    """The job with its new attempt, if this caller got it; one of many callers does."""
    if not Job.objects.filter(_due(), pk=job_id, state=states.QUEUED).exists():
        return None
    with transaction.atomic():
        won = move(
            job_id,
            states.QUEUED,
            states.RUNNING,
            said=f"Taken up{f' by {worker}' if worker else ''}.",
            where=_due(),
            attempt=F("attempt") + 1,
            tries=F("tries") + 1,
            lease_until=DatabaseTime(settings.JOB_LEASE_SECONDS),
            heartbeat=DatabaseTime(),
            started=Coalesce("started", DatabaseTime()),
            not_before=None,
            step="",
            message="",
        )
        # Before the commit nobody else can touch the row, so the attempt that is read is ours.
        return Job.objects.select_related("site").get(pk=job_id) if won else None


def _turn_of(job: Job) -> Turn:
    kind = kinds.find(job.kind)
    if kind is None:
        raise JobFailed(
            f"This version knows no jobs of the kind {job.kind}.", "Cancel it, or update the worker."
        )
    if kind.of_site and job.site is None:
        raise JobFailed(f"Its site {job.site_slug or ''} is gone.", "There is nothing left to do it to.")
    form = kind.Parameters(job.parameters)
    if not form.is_valid():
        raise JobFailed(f"Its parameters are not valid any more: {form.errors.as_text()}", "Ask for it anew.")
    return Turn(job, kind, Asked(job.site, form.cleaned_data, job.by_name, job.why))


def _perform(turn: Turn) -> None:
    """Replan, and carry out what was confirmed, or what needs no confirmation."""
    turn.check()
    plan = turn.kind.plan_in(turn)
    if plan.problems:
        raise JobFailed("It cannot be done as things are: " + "; ".join(plan.problems))
    if turn.kind.destructive:
        turn.need_confirmation(plan)
    else:
        turn.keep_plan(plan)
    turn.kind.run(turn, plan)
    turn.kind.after(turn)


class _Ended:
    """Writes how a turn ended, if the job is still its own."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.turn: Turn | None = None

    def succeeded(self) -> None:
        turn = self.turn
        message = turn.message if turn else ""
        self._write(states.SUCCEEDED, message or "Done.", message=message)

    def superseded(self) -> None:
        if self.turn is not None:
            overtaken.tell(self.turn)

    def cancelled(self, reason: str) -> None:
        at = Job.objects.values_list("step", flat=True).filter(pk=self.job.pk).first()
        where = f" at the step “{at}”; what was done before it stays done" if at else ""
        self._write(states.CANCELLED, f"{reason[:1].upper()}{reason[1:]}{where}.", level="warning")

    def fault(self, fault: Exception) -> None:
        """An expected fault: once more if it may pass, else failed in its own words."""
        kind = kinds.find(self.job.kind)
        text, final = str(fault) or type(fault).__name__, in_words(fault)
        if (
            getattr(fault, "retryable", False)
            and kind
            and kind.may_repeat(self.job)
            and self.job.tries < kind.most_faults
        ):
            pause = min(kind.pause * 2 ** (self.job.tries - 1), LONGEST_PAUSE)
            said = f"{text} Once more in {pause:.0f} s (attempt {self.job.tries} of {kind.most_faults})."
            self._write(
                states.QUEUED, said, level="warning", message="", not_before=DatabaseTime(pause), sent=None
            )
            return
        self._write(states.FAILED, final, level="error", message=final)

    def unexpected(self, error: Exception) -> None:
        reference = secrets.token_hex(4)
        log.error("job %s: unexpected, reference %s", self.job.pk, reference, exc_info=error)
        text = (
            f"Something unexpected happened ({type(error).__name__}). The worker's log has it under the reference "
            f"{reference}."
        )
        self._write(states.FAILED, text, level="error", message=text)

    def _write(
        self, state: str, said: str, *, level: str = "info", message: str | None = None, **columns: Any
    ) -> None:
        known = self.turn.known_secrets if self.turn else frozenset()
        outcome = redacted(self.turn.outcome, known) if self.turn else {}
        columns |= {"message": redact(said if message is None else message, known), "outcome": outcome}
        won = _insistently(
            lambda: move(
                self.job.pk,
                states.RUNNING,
                state,
                said=said,
                level=level,
                where=Q(attempt=self.job.attempt),
                known=known,
                **columns,
            )
        )
        if not won:
            log.warning("job %s: attempt %s came back too late to write", self.job.pk, self.job.attempt)
            self.superseded()


def _insistently(write: Callable[[], T]) -> T | None:
    """Write an outcome though the database is away for a moment. If it stays away, the sweep finds the lease expired."""
    for left in reversed(range(WRITES)):
        try:
            return write()
        except (OperationalError, InterfaceError):
            if not left or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(0.5 * (WRITES - left))
    return None
