"""One attempt at a job, as its steps see it: a fence around everything they write and do outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django.conf import settings
from django.db.models import BooleanField, Case, Q, Value, When

from provisioning import states
from provisioning.engine import standing
from provisioning.engine.faults import Cancelled, JobFailed, Paused, Superseded
from provisioning.engine.moments import DatabaseTime, elapsed
from provisioning.engine.moves import move, note
from provisioning.kinds.base import Asked, Kind
from provisioning.models import Job
from provisioning.plans import Plan, moved
from provisioning.redaction import redacted
from provisioning.unlocks.needs import Need

if TYPE_CHECKING:
    from provisioning.observed.sightings import Sighting

T = TypeVar("T")

#: seconds between two looks whether somebody cancelled, while a step waits
LOOK_EVERY = 1.0
#: how often it is looked whether the job is still ours, where each look takes longer than it holds
LOOKS = 3


class Turn:
    """What a kind's ``run`` is given.

    Every write is conditional on the job running with this ``attempt``. Call ``check`` before anything is done outside.
    """

    def __init__(self, job: Job, kind: Kind, asked: Asked) -> None:
        self.job, self.kind, self.asked = job, kind, asked
        self.attempt = job.attempt
        #: numbers and short texts that stay with the job; see the kind
        self.outcome: dict[str, Any] = {}
        #: one sentence for who looks at the finished job
        self.message = ""
        #: what was opened in this turn, as its kind names it: what is locked meanwhile stops nothing half done
        self.opened: dict[Any, str] = {}
        #: of the machine that it is at, what was read last
        self.sighting: Sighting | None = None
        self._known: set[str] = set()
        self._stale = threading.Event()
        self._tidies = False
        #: the call that was sent last, until it was seen that the job was still ours afterwards
        self.unseen = ""

    # --- what a step says ---

    def step(self, name: str, *, cancellable: bool = True) -> None:
        """Begin the step *name*. Raises Superseded, and Cancelled unless the step tidies up after a cancel."""
        self.check(cancellable=cancellable)
        self._require(
            note(self.job.pk, name, level="step", where=self._mine, known=self._known, step=name[:200])
        )

    def event(self, level: str, text: str) -> None:
        """Say something (debug, info, warning, error); secrets are taken out."""
        self._require(note(self.job.pk, text, level=level, where=self._mine, known=self._known))

    def hide(self, *secrets: str) -> None:
        """From now on nothing that is kept of this turn contains these values."""
        self._known |= {secret for secret in secrets if secret}

    # --- whether to go on ---

    def check(self, *, cancellable: bool = True) -> None:
        """Raise Superseded when the job is not this attempt's any more, Cancelled when somebody asked for that.

        Returns only while the lease is known to hold: it had a third left when the database said so, and if that is over
        by now, because this process stood still meanwhile, the database is asked again.
        """
        for _ in range(LOOKS):
            began = elapsed()
            self._look(cancellable=cancellable)
            if elapsed() - began < settings.JOB_LEASE_SECONDS / 3:
                self.unseen = ""
                return
        raise JobFailed(
            f"The database takes longer than {settings.JOB_LEASE_SECONDS / 3:.0f} s to say whether a job goes on.",
            "See what slows it down, then run this again.",
            retryable=True,
        )

    def fence(self, call: str) -> None:
        """The last look before *call*, which changes something outside, is sent. Raises as ``check``.

        What stands still between this and the first byte cannot be held back; ``overtaken`` tells of it.
        """
        self.check()
        self.unseen = call

    def _look(self, *, cancellable: bool) -> None:
        fresh = When(lease_until__gt=DatabaseTime(settings.JOB_LEASE_SECONDS / 3), then=Value(True))
        rows = Job.objects.filter(self._mine, pk=self.job.pk)
        found = rows.values_list(
            "cancel_asked_by",
            "cancel_asked",
            Case(fresh, default=Value(False), output_field=BooleanField()),
            Case(When(standing.lives(), then=Value(True)), default=Value(False), output_field=BooleanField()),
        ).first()
        if found is None or self._stale.is_set():
            raise Superseded(f"job {self.job.pk} is not attempt {self.attempt}'s any more")
        by, asked, is_fresh, lives = found
        if asked and cancellable and not self._tidies:
            raise Cancelled(f"cancelled by {by or 'somebody'}")
        if not lives and not self._tidies:
            raise JobFailed(standing.why_not(self.kind, self.job), "What was done before this stays done.")
        if not is_fresh:
            self.renew()

    @contextmanager
    def tidying(self) -> Iterator[None]:
        """Inside, neither a cancel nor a copy that became read-only stops anything: what was begun is put right first.

        Superseded is raised as ever.
        """
        before, self._tidies = self._tidies, True
        try:
            yield
        finally:
            self._tidies = before

    def renew(self) -> None:
        """Hold the job for another lease; raises Superseded when it is somebody else's."""
        until = DatabaseTime(settings.JOB_LEASE_SECONDS)
        rows = Job.objects.filter(self._mine, pk=self.job.pk)
        self._require(rows.update(lease_until=until, heartbeat=DatabaseTime()))

    # --- waiting ---

    def wait(
        self,
        predicate: Callable[[], T | None],
        *,
        timeout: float,
        pause: float = 1.0,
        longest: float = 15.0,
        what: str = "it",
        patient: bool = True,
    ) -> T:
        """What *predicate* returns as soon as that is true; asked again after *pause* seconds, then ever later.

        Raises JobFailed after *timeout* seconds. A fault that may pass counts as “not yet”, unless not *patient*.
        """
        deadline = time.monotonic() + timeout
        last = ""
        while True:
            self.check()
            try:
                found = predicate()
                if found:
                    return found
            except Exception as error:
                if not (patient and getattr(error, "retryable", False)):
                    raise
                last = f" The last answer was: {error}"
            left = deadline - time.monotonic()
            if left <= 0:
                raise JobFailed(
                    f"Waited {timeout:.0f} s for {what}, in vain.{last}", "Look at it, then run this again."
                )
            self.sleep(min(pause, left))
            pause = min(pause * 1.5, longest)

    def sleep(self, seconds: float) -> None:
        """Do nothing for a while, but see at once that the turn is over."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._stale.wait(min(left, LOOK_EVERY))
            self.check()

    # --- people ---

    def need_confirmation(self, plan: Plan) -> None:
        """Return if exactly this plan was confirmed; else keep it, wait for a person, and raise Paused.

        What an attempt that was begun left over of the confirmed plan is confirmed too.
        """
        plan = without_secrets(plan, self._known)
        if plan.problems:
            raise JobFailed("It cannot be done as things are: " + "; ".join(plan.problems))
        if self._is_confirmed(plan):
            rows = Job.objects.filter(self._mine, pk=self.job.pk)
            self._require(rows.update(plan_begun=True))
            self.job.plan_begun = True
            return
        self._require(
            move(
                self.job.pk,
                states.RUNNING,
                states.WAITING,
                said=self._what_moved(plan),
                level="warning",
                where=self._mine,
                waiting_for=states.CONFIRMATION,
                plan=plan.as_dict(),
                fingerprint=plan.fingerprint,
                confirmed="",
            )
        )
        raise Paused

    def need_secrets(self, needs: Sequence[Need]) -> NoReturn:
        """Wait for a person to enter *needs*, and raise Paused; the job begins anew once they are held.

        JobFailed where it came here again and again though they were held: what was entered does not help.
        """
        names = ", ".join(need.said for need in needs)
        if self.job.tries >= self.kind.most_tries:
            raise JobFailed(
                f"It wanted {names} {self.job.tries} times.",
                "See that the right one was entered, then run it again.",
            )
        self._require(
            move(
                self.job.pk,
                states.RUNNING,
                states.WAITING,
                said=f"Needs unlock: {names}.",
                level="warning",
                where=self._mine,
                known=self._known,
                waiting_for=states.UNLOCK,
                needs=[need.as_dict() for need in needs],
            )
        )
        raise Paused

    def need_part(self, part: Job) -> NoReturn:
        """Wait for the end of *part*, a job of its own, and raise Paused; this job then begins anew.

        Raises Cancelled where somebody cancelled this job meanwhile: nobody else would see it.
        """
        won = move(
            self.job.pk,
            states.RUNNING,
            states.WAITING,
            said=f"Waits for its part, job {part.pk}: {part.title}.",
            where=self._mine & Q(cancel_asked__isnull=True),
            waiting_for=states.PART,
        )
        if not won:
            self.check()
            self._require(won)
        raise Paused

    def _is_confirmed(self, plan: Plan) -> bool:
        if not self.job.confirmed:
            return False
        shown = self.job.planned
        rest = self.job.plan_begun and shown is not None and plan.is_rest_of(shown)
        return plan.fingerprint == self.job.confirmed or rest

    def keep_plan(self, plan: Plan) -> None:
        """Keep *plan* as the one that is carried out."""
        plan = without_secrets(plan, self._known)
        rows = Job.objects.filter(self._mine, pk=self.job.pk)
        self._require(rows.update(plan=plan.as_dict(), fingerprint=plan.fingerprint))

    def keep_outcome(self, **found: Any) -> None:
        """Add *found* to the outcome now: it stays with the job whatever becomes of this turn."""
        self.outcome |= found
        rows = Job.objects.filter(self._mine, pk=self.job.pk)
        self._require(rows.update(outcome=redacted(self.outcome, self._known)))

    def _what_moved(self, plan: Plan) -> str:
        shown = self.job.planned
        if shown is None:
            return f"The plan is made: {plan.summary}. It waits for somebody to confirm it."
        said = "; ".join(moved(shown, plan)) or "nobody confirmed it yet"
        return f"The plan is no longer the one that was shown, and waits to be confirmed anew. {said}"

    # --- the fence ---

    @property
    def _mine(self) -> Q:
        return Q(state=states.RUNNING, attempt=self.attempt)

    def _require(self, written: object) -> None:
        if not written:
            self._stale.set()
            raise Superseded(f"job {self.job.pk} is not attempt {self.attempt}'s any more")

    @property
    def known_secrets(self) -> frozenset[str]:
        return frozenset(self._known)


def without_secrets(plan: Plan, known: Collection[str] = ()) -> Plan:
    return Plan.from_dict(redacted(plan.as_dict(), known))


class Heart:
    """Renews a turn's lease in a thread of its own, with a connection of its own, until the turn ends."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"job-{turn.job.pk}-heart", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=settings.JOB_LEASE_SECONDS)

    def _beat(self) -> None:
        from django.db import DatabaseError, connection

        try:
            while not self._stop.wait(settings.JOB_LEASE_SECONDS / 3):
                try:
                    self._turn.renew()
                except Superseded:
                    return
                except DatabaseError:  # away for a moment: the next beat may still come in time
                    connection.close()
        finally:
            connection.close()
