"""Two people at once, no broker, and real workers that are killed or put to sleep while a machine is made."""

from __future__ import annotations

import signal
import threading

import pytest
from django.db import connection

from provisioning import requests, runner
from provisioning.engine import sweeping
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.faults import checking
from tests.provisioning.faults.ground import HOST, go_on, look_again
from tests.provisioning.pve.worlds import READ_TOKEN, SECRETS, WRITE_TOKEN
from tests.provisioning.support import broker_at, finished, freeze, until
from tests.scale import share

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def test_of_two_people_who_ask_at_once_one_is_told_of_the_other(on):
    ground = on("create_vm")
    ground.begin()
    together, told = threading.Barrier(2), []

    def ask() -> None:
        try:
            together.wait(20)
            told.append(ground.ask())
        except Refused as refusal:
            told.append(refusal)
        finally:
            connection.close()

    people = [threading.Thread(target=ask) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    (job,) = [one for one in told if isinstance(one, Job)]
    (refusal,) = [one for one in told if isinstance(one, Refused)]
    assert f"is taken: job {job.pk}" in str(refusal) and Job.objects.count() == 1
    assert go_on(job).state == "succeeded"
    assert len(ground.pve.requests("POST", "/clone")) == 1
    assert [*ground.harm(), *ground.wrong(), *checking.truth(job)] == []


def test_a_button_pressed_twice_is_one_job(on):
    ground = on("create_vm")
    ground.begin()
    given = {"site": ground.site, "parameters": {"host": HOST}, "by": "ada", "why": "twice", "key": "1"}
    assert requests.request("create_vm", **given) == requests.request("create_vm", **given)


def test_without_a_broker_the_job_waits_and_is_done_once_it_is_back(on):
    ground = on("create_vm")
    ground.begin()
    with broker_at("redis://127.0.0.1:1/0"):
        job = ground.ask()
        assert not sweeping.send(job.queue)
    job.refresh_from_db()
    assert (job.state, job.sent) == ("queued", None)
    runner.run(job.pk, "here")
    job.refresh_from_db()
    assert job.state == "succeeded" and [*ground.harm(), *ground.wrong()] == []


@pytest.fixture
def real(on, workers):
    """The stand-in with tasks that take a while, and workers that know its token."""
    ground = on("create_vm")
    workers.environment |= {"PVE_TOKEN": SECRETS[WRITE_TOKEN], "PVE_READ_TOKEN": SECRETS[READ_TOKEN]}
    return ground, workers


@pytest.mark.slow
def test_a_worker_killed_again_and_again_leaves_one_machine(real):
    ground, workers = real
    for number in range(share(12)):
        ground.begin()
        ground.pve.change(task_seconds=0.4)
        workers.start("w", "long")
        job = ground.ask()
        calls = 4 + 4 * number
        until(lambda calls=calls: len(ground.pve.requests()) >= calls, f"{calls} calls", 60, workers.log)
        workers.kill("w")
        workers.start(f"after{number}", "long")
        finished(job, 120, workers.log)
        assert job.state == "succeeded", job.message
        assert [*ground.harm(), *ground.wrong(), *checking.truth(job)] == [], calls
        workers.kill(f"after{number}")


@pytest.mark.slow
def test_a_worker_that_slept_sends_nothing_more_when_it_wakes_up(real):
    ground, workers = real
    ground.begin()
    ground.pve.change(task_seconds=1.5)
    sleeper = workers.start("sleeper", "long")
    job = ground.ask()
    until(lambda: ground.pve.requests("POST", "/clone"), "the clone", 60, workers.log)
    freeze(sleeper, job)
    workers.start("awake", "long")
    finished(job, 120, workers.log)
    assert job.state == "succeeded", job.message
    before = ground.pve.writes()
    sleeper.send_signal(signal.SIGCONT)
    until(lambda: "attempt 1 ends here (Superseded)" in workers.log.read_text(), "it sees", 60, workers.log)
    assert ground.pve.writes() == before
    look_again()  # it cannot tell whether the call that it was frozen in was in time
    assert [*ground.harm(), *ground.wrong(), *checking.truth(job)] == []
