"""Schedules: what is due is asked for once, by whoever sees it; what cannot be carried out is red."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.automating.timing import EPOCH
from inventory.changes import change
from inventory.copying import copies, promoting
from inventory.models import Change, Grant, Host, Hypervisor, Schedule, Site, Token
from inventory.undoing.undo import undo
from provisioning import requests
from provisioning.clockwork import clock
from provisioning.engine import sweeping
from provisioning.models import Job, ScheduleState
from tests.provisioning.support import finished, until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_was_judged():
    clock._judged.clear()


@pytest.fixture
def kim(site) -> User:
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="operator")
    return user


#: so seldom that no due time passes while a test runs
SELDOM = 366 * 24


def declare(site: Site, name: str = "adding", **facts) -> Schedule:
    given = {"kind": "test_adds", "every_hours": SELDOM, "why": "to see", **facts}
    schedule = Schedule(site=site, name=name, **given)
    with change(site, by="fixture", why=f"declared {name}"):
        schedule.save()
    clock.tick()  # a worker has seen it
    return schedule


def add_hypervisor(site: Site) -> None:
    with change(site, by="fixture"):
        host = Host(site=site, name="hv01", form="hv")
        host.save()
        Hypervisor(
            host=host,
            api_url="https://hv01.example.net:8006",
            node="hv01",
            token_id="a@pve!b",
            secret="env:PVE",
        ).save()


def state(schedule: Schedule) -> ScheduleState:
    return ScheduleState.objects.get(schedule=schedule)


def latest(schedule: Schedule) -> datetime:
    """Its newest due time."""
    found = schedule.timing.latest(EPOCH, timezone.now())
    assert found is not None
    return found


def long_declared(schedule: Schedule) -> None:
    schedule.history.update(history_date=EPOCH)


def become_due(schedule: Schedule) -> None:
    """Workers last looked at it just before its newest due time; nobody edited it since."""
    long_declared(schedule)
    ScheduleState.objects.filter(schedule=schedule).update(handled=latest(schedule) - timedelta(minutes=1))


def let_pass(schedule: Schedule, hours: float) -> None:
    """Workers last looked at it so many hours ago; nobody edited it since."""
    long_declared(schedule)
    ScheduleState.objects.filter(schedule=schedule).update(handled=timezone.now() - timedelta(hours=hours))


def edit(schedule: Schedule, **facts) -> None:
    for name, value in facts.items():
        setattr(schedule, name, value)
    with change(schedule.site, by="fixture"):
        schedule.save()


# --- asking ---


def test_a_new_schedule_asks_for_nothing_that_is_past(site):
    schedule = declare(site)
    assert clock.tick() == [] and not Job.objects.exists()
    assert state(schedule).handled <= timezone.now()


def test_what_is_due_is_asked_for_once_in_the_owners_name(site, kim):
    schedule = declare(site, owner="kim")
    become_due(schedule)
    (job,) = clock.tick()
    assert (job.kind, job.site, job.by, job.by_name, job.state) == ("test_adds", site, kim, "kim", "queued")
    assert job.schedule == "lab/adding" and job.why == "Schedule adding: to see"
    assert job.due == latest(schedule)
    assert clock.tick() == [] and Job.objects.count() == 1
    assert state(schedule).handled == job.due


def test_nothing_due_costs_one_query(site):
    for number in range(5):
        declare(site, f"s{number}")
    clock.tick()
    with CaptureQueriesContext(connection) as seen:
        assert clock.tick() == []
    assert len(seen) == 1


def test_after_weeks_off_each_runs_once_what_only_reads_first(site):
    add_hypervisor(site)
    nightly = declare(site, "a-nightly", cron="30 2 * * *", every_hours=None)
    hourly = declare(site, "survey", kind="survey", every_hours=6)
    let_pass(nightly, 24 * 20)
    let_pass(hourly, 24 * 20)
    jobs = clock.tick()
    assert [job.kind for job in jobs] == ["survey", "test_adds"]
    assert clock.tick() == [] and Job.objects.count() == 2
    assert "missed" in state(nightly).note
    assert state(hourly).note.startswith(("79 earlier runs were missed", "80 earlier runs were missed"))
    let_pass(hourly, 6 * 1100)
    Job.objects.all().delete()
    clock.tick()
    assert state(hourly).note.startswith("more than 1000 earlier runs")


def test_the_previous_run_goes_on_and_this_one_is_skipped_and_said(site):
    schedule = declare(site)
    become_due(schedule)
    (job,) = clock.tick()
    Job.objects.update(due=job.due - timedelta(hours=1))
    become_due(schedule)
    assert clock.tick() == []
    assert (
        state(schedule).note.startswith("Skipped at ")
        and f"job {job.pk} before it is still queued" in state(schedule).note
    )
    assert not state(schedule).problem
    Job.objects.update(state="succeeded")
    become_due(schedule)
    assert len(clock.tick()) == 1 and state(schedule).note == ""


def test_a_machine_that_another_job_is_at_is_no_fault(site):
    requests.request("test_stub", site=site, by="x", why="x")
    schedule = declare(site, kind="test_stub")
    become_due(schedule)
    assert clock.tick() == []
    assert "is taken: job" in state(schedule).note and not state(schedule).problem


def test_a_destructive_job_waits_for_its_confirmation_each_time(site):
    schedule = declare(site, kind="switch_authority", parameters={"to": "gateway"})
    become_due(schedule)
    (job,) = clock.tick()
    assert (job.state, job.waiting_for) == ("waiting", "confirmation")


def test_nothing_to_do_is_said_and_not_red(site):
    from inventory.models import Authority

    with change(site, by="fixture"):
        Authority(site=site, mode="gateway", why="up").save()
    schedule = declare(site, kind="switch_authority", parameters={"to": "gateway"})
    become_due(schedule)
    assert clock.tick() == []
    assert "nothing to do" in state(schedule).note and not state(schedule).problem


def test_off_asks_for_nothing_and_on_again_makes_nothing_up(site):
    schedule = declare(site)
    edit(schedule, enabled=False)
    clock.tick()
    become_due(schedule)
    assert clock.tick() == []
    edit(schedule, enabled=True)
    assert clock.tick() == [] and clock.tick() == []
    assert timezone.now() - state(schedule).handled < timedelta(minutes=5)


@pytest.mark.parametrize(
    "facts", [{"parameters": {"host": "other"}}, {"kind": "test_stub"}, {"owner": "kim"}, {"why": "another"}]
)
def test_whatever_was_edited_nothing_is_made_up(site, kim, facts):
    schedule = declare(site)
    become_due(schedule)
    edit(schedule, **facts)
    assert clock.tick() == [] and clock.tick() == [] and not Job.objects.exists()


def test_off_and_on_again_while_no_worker_ran_makes_nothing_up(site):
    schedule = declare(site)
    become_due(schedule)
    edit(schedule, enabled=False)
    edit(schedule, enabled=True)
    assert clock.tick() == [] and clock.tick() == [] and not Job.objects.exists()


def test_what_was_due_after_it_was_edited_is_asked_for(site):
    schedule = declare(site)
    become_due(schedule)
    edit(schedule, why="another")
    schedule.history.update(history_date=latest(schedule) - timedelta(seconds=1))
    assert clock.tick() == [] and len(clock.tick()) == 1


def test_another_time_begins_anew(site):
    schedule = declare(site)
    become_due(schedule)
    edit(schedule, every_hours=None, cron="*/5 * * * *")
    assert clock.tick() == [] and not Job.objects.exists()


def test_a_sweep_of_any_worker_does_it(site):
    schedule = declare(site)
    become_due(schedule)
    sweeping.sweep()
    assert Job.objects.get().schedule == "lab/adding"


def test_two_that_see_the_same_due_time_make_one_job(site):
    schedule = declare(site)
    become_due(schedule)
    behind = Schedule.objects.select_related("site", "state").get(pk=schedule.pk)
    (job,) = clock.tick()
    Job.objects.update(state="succeeded")
    late = clock._look(_seen(behind), timezone.now())
    assert clock._ask(late) is None
    assert Job.objects.get() == job and state(schedule).note == ""


def _seen(schedule: Any) -> Any:
    schedule.now = timezone.now()
    schedule.promoted = schedule.edited = None
    return schedule


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_insert_one_row(site):
    schedule = declare(site)
    become_due(schedule)
    made: list[Job] = []
    together = threading.Barrier(4)

    def sweep() -> None:
        try:
            together.wait(20)
            made.extend(clock.tick())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Job.objects.count() == 1 and len(made) == 1
    assert state(schedule).handled == made[0].due
    assert not state(schedule).problem and not state(schedule).note


def test_what_is_known_of_it_goes_with_it(site):
    first, second = declare(site, "a"), declare(site, "b")
    with change(site, by="fixture"):
        first.delete()
    assert ScheduleState.objects.get().schedule_id == second.pk
    undo([Change.objects.get(source="code", why="declared b")], by="ada", why="not wanted")
    assert not Schedule.objects.exists()
    assert clock.tick() == []
    assert clock.forget() == 1 and not ScheduleState.objects.exists()


# --- red ---


def red(schedule: Schedule) -> str:
    clock._judged.clear()
    become_due(schedule)
    assert clock.tick() == []
    assert not Job.objects.exists()
    assert state(schedule).note.startswith("Nothing was asked for at ")
    assert state(schedule).handled == latest(schedule), "it is not made up once it is mended"
    return state(schedule).problem


def test_a_kind_that_is_not_there_is_red(site):
    assert red(declare(site, kind="brew_coffee")).startswith(
        "There are no jobs of the kind “brew_coffee”; there are "
    )


def test_a_kind_that_no_clock_may_ask_for_is_red(site):
    assert "typed by a person each time" in red(
        declare(site, kind="destroy_vm", parameters={"host": "a", "typed": "a"})
    )
    assert "belongs to no site" in red(declare(site, "other", kind="housekeeping"))


def test_a_host_that_retired_is_red_and_no_other_is_taken(site):
    with change(site, by="fixture"):
        Host(site=site, name="vm01", form="vm").save()
    schedule = declare(site, kind="backup_vm", parameters={"host": "vm01"})
    assert state(schedule).problem == ""
    with change(site, by="fixture"):
        host = Host.objects.get(name="vm01")
        host.status = "retired"
        host.save()
    clock.tick()
    assert state(schedule).problem == "host: vm01 is retired.", "before it is due"
    assert red(schedule) == "host: vm01 is retired."


def test_parameters_that_the_kind_does_not_take_are_red(site):
    assert "colour: There is no such parameter" in red(declare(site, parameters={"colour": "red"}))


def test_an_owner_who_may_no_longer_is_red(site, kim):
    schedule = declare(site, owner="kim")
    assert state(schedule).problem == ""
    Grant.objects.all().delete()
    assert (
        red(schedule) == "kim may not start test_adds at lab; it needs the permission provisioning.run_job."
    )
    User.objects.update(is_active=False)
    assert red(schedule).startswith("Its owner kim may not sign in.")
    User.objects.all().delete()
    assert red(schedule).startswith("Its owner kim is no user here.")


@pytest.mark.parametrize(
    ("scope", "message"), [("write", "may not start test_adds here"), ("provision", ""), (None, "is gone")]
)
def test_a_token_asks_as_long_as_it_may(site, scope, message):
    if scope:
        Token.objects.create(name="ci", digest="0" * 64, site=site, scope=scope)
    schedule = declare(site, owner="token ci")
    if message:
        assert message in red(schedule)
        return
    become_due(schedule)
    (job,) = clock.tick()
    assert (job.by, job.by_name) == (None, "token ci")
    Token.objects.update(expires=timezone.now())
    Job.objects.all().delete()
    assert "is expired" in red(schedule)


def test_a_plan_that_cannot_be_is_red_until_it_can(site):
    schedule = declare(site, kind="survey")
    assert state(schedule).problem == ""
    assert "declares no hypervisor with an API" in red(schedule)
    add_hypervisor(site)
    become_due(schedule)
    assert len(clock.tick()) == 1
    assert state(schedule).problem == "" and state(schedule).note == ""


def test_one_that_fails_unexpectedly_stops_no_other(site, monkeypatch):
    first, second = declare(site, "a"), declare(site, "b")
    become_due(first)
    become_due(second)
    asking = requests.request

    def fails(*args, **given):
        if given["schedule"] == "lab/a":
            raise ZeroDivisionError("the password is hunter22")
        return asking(*args, **given)

    monkeypatch.setattr(requests, "request", fails)
    assert [job.schedule for job in clock.tick()] == ["lab/b"]
    assert "Asking failed unexpectedly (ZeroDivisionError)" in state(first).problem
    assert "hunter22" not in state(first).problem


# --- real workers ---


def test_of_two_workers_one_asks_and_it_is_carried_out(workers, site):
    schedule = declare(site)
    become_due(schedule)
    workers.start("w1")
    workers.start("w2")
    until(lambda: Job.objects.filter(schedule="lab/adding").exists(), "somebody asks", log=workers.log)
    job = finished(Job.objects.get(), log=workers.log)
    assert (job.state, job.by_name) == ("succeeded", "clock")
    until(
        lambda: state(schedule).handled == job.due,
        "it is written down that this is done with",
        log=workers.log,
    )
    assert Job.objects.count() == 1


def test_a_promotion_makes_up_nothing_that_the_other_copy_may_have_done(site, kim):
    schedule = declare(site, owner=kim)
    become_due(schedule)
    copies.renew("an archive")
    assert clock.tick() == []
    promoting.promote(site, typed=site.slug, by="ada", why="the other is off")
    for _ in range(2):
        assert clock.tick() == [] and not Job.objects.exists()
    assert "may have done it" in state(schedule).note
    assert "while no worker ran" not in state(schedule).note
    schedule.refresh_from_db()
    become_due(schedule)
    Change.objects.filter(source=promoting.SOURCE).update(at=latest(schedule) - timedelta(minutes=2))
    assert len(clock.tick()) == 1, "what is due after it is asked for"
