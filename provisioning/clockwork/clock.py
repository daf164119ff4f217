"""Asks for the jobs of schedules that are due. Every worker's sweep does it: no clock process is needed, and two do no harm.

A job is unique by (schedule, due time), and the state of a schedule goes on by a conditional UPDATE: of many workers that
see the same due time one asks, and one writes down what became of it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Subquery

from inventory.automating.timing import NotATime
from inventory.copying import copies, promoting
from inventory.models import Change, Schedule, Site
from provisioning import kinds, requests, states
from provisioning.clockwork import schedules
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job, ScheduleState
from provisioning.requests import Refused

log = logging.getLogger(__name__)

#: seconds between two looks at whether a schedule is still valid where its site did not change
JUDGE_EVERY = 60.0
#: so many missed runs are counted; more are “more than”
MOST_MISSED = 1000

#: schedule → what it was judged at, and when; of this process
_judged: dict[int, tuple[Any, float]] = {}


@dataclass
class _Due:
    schedule: Schedule
    state: ScheduleState
    due: datetime
    #: earlier due times that nobody saw
    missed: int

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """What only reads comes first: the others then find a world that was looked at."""
        kind = kinds.find(self.schedule.kind)
        return not (kind and kind.reads_only), self.due, self.schedule.name


def tick() -> list[Job]:
    """Ask for what is due; at most one job of each schedule, however long nothing ran. One query when nothing is."""
    found = []
    ours = Schedule.objects.filter(site__in=copies.live(Site.objects.all()).values("pk"))
    promotions = Change.objects.filter(site=OuterRef("site"), source=promoting.SOURCE).order_by("-pk")
    edits = Schedule.history.filter(id=OuterRef("pk")).order_by("-history_id")
    ours = ours.annotate(
        now=DatabaseTime(),
        promoted=Subquery(promotions.values("at")[:1]),
        edited=Subquery(edits.values("history_date")[:1]),
    )
    for schedule in ours.select_related("site", "state"):
        try:
            due = _look(schedule, schedule.now)
        except DatabaseError:
            raise
        except Exception:  # the other schedules do not wait for this one to be mended
            log.exception("schedule %s: failed", schedule)
            continue
        if due is not None:
            found.append(due)
    asked = [_ask(due) for due in sorted(found, key=lambda due: due.order)]
    return [job for job in asked if job is not None]


def forget() -> int:
    """Remove what is known of schedules that undo took away; how many."""
    declared = Schedule.objects.filter(pk=OuterRef("schedule_id"))
    return ScheduleState.objects.filter(~Exists(declared)).delete()[0]


# --- what is due ---


def _look(schedule: Any, now: datetime) -> _Due | None:
    state = getattr(schedule, "state", None)
    timing = str(schedule.timing) if schedule.enabled else ""
    if state is None:
        ScheduleState.objects.get_or_create(schedule=schedule, defaults={"timing": timing, "handled": now})
        return None
    if state.timing != timing or (schedule.edited is not None and state.handled < schedule.edited):
        # whatever of it was edited: what was due before was not asked for with what is declared now
        _write(state, timing=timing, handled=max(state.handled, schedule.edited or now), refused="", note="")
        return None
    if not schedule.enabled:
        return None
    _judge(schedule, state)
    if schedule.promoted is not None and state.handled < schedule.promoted:
        _begin_at(schedule, state)
        return None
    try:
        due = schedule.timing.after(state.handled)
    except NotATime:
        return None  # it is red for that
    if due is None or due > now:
        return None
    latest = schedule.timing.latest(state.handled, now) or due
    missed = schedule.timing.missed(state.handled, now, MOST_MISSED + 1) - 1
    _judge(schedule, state, anew=True)
    return _Due(schedule, state, latest, missed)


def _begin_at(schedule: Any, state: ScheduleState) -> None:
    """What was due before this copy became the live one is not made up: the copy that was live may have done it."""
    try:
        due = schedule.timing.after(state.handled)
    except NotATime:
        due = None
    note = state.note
    if due is not None and due <= schedule.promoted:
        note = (
            f"Nothing that was due before {schedule.promoted:%Y-%m-%d %H:%M} UTC was made up, when this copy was promoted: "
            "the copy that was live may have done it."
        )
    _write(state, handled=schedule.promoted, note=note)


def _judge(schedule: Any, state: ScheduleState, *, anew: bool = False) -> None:
    """Write down whether the schedule is still valid, where that may have changed."""
    stamp, clock = (schedule.site.uid, schedule.site.revision), time.monotonic()
    before, at = _judged.get(schedule.pk, (None, 0.0))
    if not anew and before == stamp and clock - at < JUDGE_EVERY:
        return
    faults = schedules.faults_of(schedule)
    fault = " ".join(message for said in faults.values() for message in said)
    if fault != state.fault:
        ScheduleState.objects.filter(pk=state.pk).update(fault=fault)
        state.fault = fault
    _judged[schedule.pk] = stamp, clock


# --- asking ---


def _ask(found: _Due) -> Job | None:
    """The job, where this caller made it."""
    schedule, due, state = found.schedule, found.due, found.state
    key, at = schedules.key_of(schedule), f"{due:%Y-%m-%d %H:%M} UTC"
    if state.fault:
        _done(found, note=f"Nothing was asked for at {at}.")
        return None
    if Job.objects.filter(schedule=key, due=due).exists():
        _done(found, refused="")
        return None
    if (
        active := Job.objects.filter(schedule=key, state__in=states.ACTIVE).exclude(due=due).first()
    ) is not None:
        _done(found, refused="", note=f"Skipped at {at}: job {active.pk} before it is still {active.state}.")
        return None
    missed = _missed(found.missed)
    try:
        job = request(schedule, due)
    except Refused as refusal:
        if Job.objects.filter(schedule=key, due=due).exists():  # another worker was there in between
            _done(found, refused="")
        elif refusal.job is not None:
            _done(found, refused="", note=f"Skipped at {at}: {refusal}")
        elif refusal.plan is not None and not refusal.plan.problems:
            _done(found, refused="", note=f"At {at}: {refusal}")
        else:
            _done(found, refused=str(refusal), note=f"Nothing was asked for at {at}.")
        return None
    except (PermissionDenied, schedules.NoOwner) as refusal:
        _done(found, refused=str(refusal), note=f"Nothing was asked for at {at}.")
        return None
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("schedule %s: asking failed", key)
        said = f"Asking failed unexpectedly ({type(error).__name__}); the worker's log says where."
        _done(found, refused=said, note=f"Nothing was asked for at {at}.")
        return None
    _done(found, refused="", note=missed)
    return job


def request(schedule: Schedule, due: Any, *, by: Any = None, why: str = "") -> Job:
    """Ask for the job of *due*, in the owner's name or that of *by*. Raises as ``requests.request`` does, and NoOwner."""
    kind = kinds.find(schedule.kind)
    if kind is None or not kind.of_site or kind.never_by_clock:
        raise Refused(" ".join(schedules.faults_of(schedule).get("kind", ["It cannot be asked for."])))
    return requests.request(
        kind.name,
        site=schedule.site,
        parameters=schedule.parameters,
        by=schedules.asks_as(schedule, kind) if by is None else by,
        why=why or f"Schedule {schedule.name}: {schedule.why}",
        schedule=schedules.key_of(schedule),
        due=due,
    )


def _missed(number: int) -> str:
    if not number:
        return ""
    count = f"more than {MOST_MISSED}" if number >= MOST_MISSED else str(number)
    return f"{count} earlier {'run was' if number == 1 else 'runs were'} missed, while no worker ran; not made up."


def _done(found: _Due, **columns: Any) -> None:
    _write(found.state, handled=found.due, **columns)


def _write(state: ScheduleState, **columns: Any) -> None:
    """Of several workers the one that saw the newest state wins."""
    ScheduleState.objects.filter(pk=state.pk, handled=state.handled, timing=state.timing).update(**columns)
