"""What keeps jobs going though messages and workers get lost: send again, reap, say that this worker lives.

Every worker process runs a ``Sweeper`` in a thread of its own; no clock process is needed, and any number of them do no
harm: whoever wins a conditional UPDATE acts.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Coalesce

from inventory.serving import database, mirror
from mgmtplane.celery import LONG, SHORT
from provisioning import kinds, states
from provisioning.backups import ages
from provisioning.clockwork import clock, powered
from provisioning.drills import ages as drills
from provisioning.engine import parts, standing, workers
from provisioning.engine.delivery import deliver
from provisioning.engine.moments import DatabaseTime
from provisioning.engine.moves import move
from provisioning.kits import ages as kit_ages
from provisioning.models import Job
from provisioning.runs import holding
from provisioning.unlocks import unlocking

log = logging.getLogger(__name__)

#: seconds between two sweeps of one worker
SWEEP_EVERY = 2.0
#: a queued job's message is not sent again sooner than this many seconds after the last time
SEND_AGAIN_AFTER = 10.0
#: so many at once
MOST_UNSENT, MOST_AGAIN = 500, 50


def sweep() -> None:
    """Reap what lost its worker, cancel what waited too long, go on with what is unlocked or whose part is over, send what
    nobody took up, ask for what is due."""
    reap()
    holding.reap()
    expire()
    unlocking.go_on()
    parts.sweep()
    for queue in (SHORT, LONG):
        if not send(queue):
            break  # what is due is asked for without a broker as well
    clock.tick()
    ages.ask_when_due()
    drills.ask_when_due()
    kit_ages.ask_when_due()
    mirror.keep_when_due()


def send(queue: str) -> bool:
    """Send what never was, and again what should have been taken up by now; False when the broker is away.

    A message that waits behind others is not sent again: only when a worker of the queue has nothing to do.
    """
    due = Q(not_before__isnull=True) | Q(not_before__lte=DatabaseTime())
    never, long_ago = Q(sent__isnull=True), Q(sent__lt=DatabaseTime(-SEND_AGAIN_AFTER))
    queued = Job.objects.filter(due, standing.lives(), state=states.QUEUED, queue=queue).order_by("pk")
    waiting = list(queued.filter(never).values_list("pk", flat=True)[:MOST_UNSENT])
    again = queued.filter(long_ago).values_list("pk", flat=True)
    if again.exists() and workers.idle(queue):
        waiting += list(again[:MOST_AGAIN])
    for pk in waiting:
        # of many sweeps one wins this and sends
        won = Job.objects.filter(never | long_ago, pk=pk, state=states.QUEUED).update(sent=DatabaseTime())
        if won and not deliver(pk, queue):
            return False
    return True


def reap() -> int:
    """Take jobs whose lease has expired back to the queue, or call them lost; how many."""
    expired = Q(lease_until__lt=DatabaseTime())
    rows = Job.objects.filter(expired, state=states.RUNNING).order_by("pk")
    return sum(
        _reap(job, expired) for job in rows.only("pk", "kind", "attempt", "tries", "cancel_asked", "step")
    )


def _reap(job: Job, expired: Q) -> bool:
    where = expired & Q(attempt=job.attempt)
    kind = kinds.find(job.kind)
    at = f" at the step “{job.step}”" if job.step else ""
    gone = f"The worker of attempt {job.attempt} is gone{at}."
    if job.cancel_asked:
        said = f"{gone} It was to be cancelled: what was done before stays done."
        return move(
            job.pk, states.RUNNING, states.CANCELLED, said=said, level="warning", where=where, message=said
        )
    may_repeat = kind is not None and kind.may_repeat(job)
    if kind is not None and may_repeat and job.tries < kind.most_tries:
        said = f"{gone} Once more from the start."
        return move(
            job.pk,
            states.RUNNING,
            states.QUEUED,
            said=said,
            level="warning",
            where=where,
            sent=None,
            not_before=None,
        )
    why = "may not be repeated unseen" if kind and not may_repeat else f"was tried {job.tries} times"
    said = f"{gone} The job {why}: look at what it left, then run it again."
    return move(job.pk, states.RUNNING, states.LOST, said=said, level="error", where=where, message=said)


def expire() -> int:
    """Cancel jobs that wait for a person longer than JOB_WAIT_HOURS; how many."""
    hours = settings.JOB_WAIT_HOURS
    ended = Q(since__lt=DatabaseTime(-3600.0 * hours))
    alone = Job.objects.filter(state=states.WAITING).exclude(
        waiting_for=states.PART
    )  # a part has its own end
    waiting = alone.annotate(since=Coalesce("waiting_since", "created"))
    return sum(
        move(
            job.pk,
            states.WAITING,
            states.CANCELLED,
            said=(said := _nobody_came(job.waiting_for, hours)),
            level="warning",
            # it may have been confirmed, and wait again for another plan
            where=Q(waiting_since=job.waiting_since),
            message=said,
        )
        for job in waiting.filter(ended).only("pk", "waiting_for", "waiting_since")
    )


def _nobody_came(waiting_for: str, hours: int) -> str:
    what = "confirmed the plan" if waiting_for == states.CONFIRMATION else "unlocked its secret"
    return f"Nobody {what} within {hours} hours (JOB_WAIT_HOURS); nothing more is done. Run it again when it is wanted."


class Sweeper:
    """A thread that sweeps, and says that this worker lives, until it is stopped."""

    def __init__(self, name: str, queues: list[str], slots: int) -> None:
        self.name, self.queues, self.slots = name, queues, slots
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    database.reach()  # a SQLite file that is gone is not made anew
                    workers.heard(self.name, self.queues, self.slots)
                    powered.heard()
                    sweep()
                except DatabaseError as error:
                    log.warning("sweep: the database did not answer (%s)", type(error).__name__)
                    connection.close()
                except Exception:  # the next sweep does not wait for this to be mended
                    log.exception("sweep: failed")
                self._stop.wait(SWEEP_EVERY)
        finally:
            connection.close()


_sweeper: Sweeper | None = None


def begin(sender: Any, **_: Any) -> None:
    """The worker takes messages: sweep beside it. Comes again after each loss of the broker."""
    global _sweeper
    if _sweeper is None:
        queues = sorted(sender.app.amqp.queues.consume_from)
        _sweeper = Sweeper(str(sender.hostname), queues, int(sender.controller.concurrency or 1))
        _sweeper.start()


def end(**_: Any) -> None:
    global _sweeper
    if _sweeper is not None:
        _sweeper.stop()
        _sweeper = None
