"""What befalls the worker at each call: killed, cancelled, overtaken, without a database, with another clock."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection

from provisioning import requests
from provisioning.engine import sweeping
from provisioning.engine.moments import DatabaseTime
from provisioning.models import DriftFinding, Job
from tests.provisioning.faults import checking
from tests.provisioning.faults.ground import Call, Ground, drawn, drawn_calls, go_on, look_again, moment
from tests.provisioning.faults.table import INTERRUPTIONS, KINDS, Interruption
from tests.provisioning.jobs.conftest import VMID

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

TITLES = [kind.title for kind in KINDS]
ROWS = {row.name: row for row in INTERRUPTIONS}
SEEN_ALWAYS = (
    ("create_vm", "killed after", "POST", "/clone"),
    ("create_vm", "cancelled", "PUT", "/resize"),
    ("create_vm", "overtaken", "POST", "/status/start"),
    ("create_vm", "no database", "PUT", "/200/config"),
    ("destroy_vm", "overtaken late", "DELETE", "/200"),
    ("rebuild_vm", "overtaken late", "POST", "/clone"),
)
#: end of a call that came too late → what it leaves, which no job undoes, and the drift that tells of it
LEFT_BY_LATE = {
    # nothing older is removed, so nothing is lost
    "/vzdump": ("more than one backup", ""),
    # what is off is resized, and stays off
    "/status/shutdown": ("it is stopped instead of running", "stopped"),
}
#: what a job that is cancelled still does where it had switched off a machine and changed nothing of it
SWITCHED_ON = f"POST /nodes/pve/qemu/{VMID}/status/start"
DAY = 86_400.0


class Killed(BaseException):
    """As kill -9: nobody catches it, nothing is written any more."""


@pytest.mark.parametrize(("kind", "name", "method", "end"), SEEN_ALWAYS)
def test_an_interruption_harms_nothing_and_the_job_converges(on, kind, name, method, end):
    ground = on(kind)
    call = next(one for one in ground.calls if one.method == method and one.path.endswith(end))
    assert interrupted(ground, ROWS[name], call) == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), drawn(list(itertools.product(TITLES, ROWS))))
def test_each_interruption_at_each_call(on, kind, name):
    ground = on(kind)
    found = {str(call): interrupted(ground, ROWS[name], call) for call in drawn_calls(ground, name)}
    assert {call: said for call, said in found.items() if said} == {}


def interrupted(ground: Ground, row: Interruption, call: Call) -> list[str]:
    ground.begin()
    job = ground.ask()
    before: list[int] = []
    acts: dict[str, Callable[[], None]] = {
        "killed before": _kill,
        "killed after": _kill,
        "cancelled": lambda: _cancel(job, ground, before),
        "overtaken": lambda: _overtake(job, ground, before),
        "overtaken late": lambda: _overtake(job, ground, before),
    }
    with contextlib.ExitStack() as stack:
        act = acts.get(row.name) or (lambda: stack.enter_context(_trouble(row.name)) and None)
        stack.enter_context(moment(call.number, row.at, act))
        try:
            go_on(job)
        except Killed:
            _expire(job)
    if not job.is_finished:
        go_on(job, "another")
    late = ground.pve.writes()[before[0] :] if before else []
    if row.name == "cancelled" and late == [SWITCHED_ON] and _said(job, "it runs again"):
        late = []
    if row.name.startswith("overtaken"):
        look_again()  # between two calls that change something it cannot tell that the first was in time
    said = list(checking.truth(job))
    if job.state not in _ends(row, ground, call):
        said.append(f"it {job.state} instead of {row.ends}: {job.message}")
    if len(late) > _may_reach(row, call):
        said.append(f"{len(late)} calls reached the node afterwards: {late}")
    if late:
        said += _not_left_by(late[0], list(_told_of(late[0], job, ground)))
    elif job.state == "succeeded":
        said += ground.wrong()
    said += checking.left(ground.pve.state(), job)
    again = ground.converges()
    return [*said, *(_not_left_by(late[0], again) if late else again), *_spare_rows_closed()]


def _not_left_by(call: str, said: list[str]) -> Iterator[str]:
    """Without what the late *call* leaves, where there is drift that says so."""
    left, kind = next((what for end, what in LEFT_BY_LATE.items() if call.endswith(end)), ("", ""))
    told = not kind or DriftFinding.objects.filter(kind=kind, host_name=checking.HOST, closed=None).exists()
    yield from (one for one in said if not (left and told and left in one))


def _told_of(call: str, job: Job, ground: Ground) -> Iterator[str]:
    """The job names the late *call*, and a survey was made that has what it changed as drift."""
    if not _said(job, f"stood still while it sent {call}"):
        yield f"nothing is said of {call}"
    if not Job.objects.filter(kind="survey", state="succeeded", by_name=f"job {job.pk}").exists():
        yield "nothing was surveyed afterwards"
    open_rows = DriftFinding.objects.filter(host_name=checking.HOST, closed=None)
    if checking.SPARE in ground.pve.state()["guests"]:
        if not call.endswith("/clone") or not ground.kind.beside:
            yield f"{call} left the spare"
        if not open_rows.filter(kind="spare", vmid=checking.SPARE).exists():
            yield f"the survey does not name {checking.SPARE} as a spare that is left"
    if job.state == "succeeded" and not open_rows.exists():
        yield from ground.wrong()


def _spare_rows_closed() -> list[str]:
    """What the job that was asked for again took or removed is told of no longer, without another survey."""
    return [f"still open: {row}" for row in DriftFinding.objects.filter(kind="spare", closed=None)]


def _ends(row: Interruption, ground: Ground, call: Call) -> tuple[str, ...]:
    left = [one for one in ground.calls[call.number - 1 :] if one.writes]
    if row.name == "cancelled" and not left:
        return ("cancelled", "succeeded")  # nothing was left to be done
    return (row.once if ground.kind.once and row.once else row.ends,)


def _said(job: Job, words: str) -> bool:
    return any(words in text for text in job.events.values_list("text", flat=True))


def _may_reach(row: Interruption, call: Call) -> int:
    return 1 if row.name == "overtaken late" and call.writes else 0


def _kill() -> None:
    raise Killed


def _cancel(job: Job, ground: Ground, before: list[int]) -> None:
    requests.cancel(Job.objects.get(pk=job.pk), by="ada")
    before.append(len(ground.pve.writes()))


def _expire(job: Job) -> None:
    """The lease of a worker that is gone or asleep ends, and a sweep sees it."""
    Job.objects.filter(pk=job.pk, state="running").update(lease_until=DatabaseTime(-1))
    sweeping.reap()
    job.refresh_from_db()


def _overtake(job: Job, ground: Ground, before: list[int]) -> None:
    _expire(job)
    go_on(job, "another")
    before.append(len(ground.pve.writes()))


@contextlib.contextmanager
def _trouble(name: str) -> Iterator[bool]:
    """Until the turn is over the clock is another, or for three queries the database is away."""
    with pytest.MonkeyPatch.context() as patch:
        if name.startswith("clock"):
            by, real = DAY if name == "clock forward" else -DAY, time.time
            patch.setattr(time, "time", lambda: real() + by)
            yield True
            return
        text = "database or disk is full" if name == "disk full" else "server closed the connection"
        left = [3]

        def away(execute, sql, params, many, context):
            if left[0] > 0:
                left[0] -= 1
                raise OperationalError(text)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(away):
            yield True
