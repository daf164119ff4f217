"""Real workers over the folder of the embedded broker: from a request to an outcome, whatever dies in between."""

from __future__ import annotations

import signal

import pytest

from provisioning import requests
from provisioning.engine import workers as heard
from provisioning.models import Job
from tests.provisioning.kinds import marks
from tests.provisioning.support import finished, freeze, texts, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def ask(kind: str = "test_steps", **parameters) -> Job:
    return requests.request(kind, parameters=parameters, by="test", why="to see")


def test_a_job_is_asked_for_and_carried_out(workers):
    workers.start()
    job = finished(ask(name="a"), log=workers.log)
    assert (job.state, job.message, job.outcome, job.attempt) == ("succeeded", "Two steps.", {"steps": 2}, 1)
    assert texts(job) == ["Asked for by test.", "Taken up by w1@test.", "first", "second", "Two steps."]
    assert job.created <= job.started <= job.finished
    until(
        lambda: heard.silent_queues() == ["long"], "the worker of the short queue was heard", log=workers.log
    )


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(workers, tmp_path):
    file = tmp_path / "marks"
    workers.start("w1")
    job = ask("test_deaf", file=str(file), seconds=600)
    until(lambda: marks(file) == [f"{job.pk} 1 first"], "the first step", log=workers.log)
    workers.kill("w1")
    Job.objects.filter(pk=job.pk).update(parameters={**job.parameters, "seconds": 0})
    workers.start("w2")
    finished(job, log=workers.log)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert marks(file)[1:] == [f"{job.pk} 2 first", f"{job.pk} 2 second"]
    assert "The worker of attempt 1 is gone at the step “first”. Once more from the start." in texts(job)


def test_a_worker_that_wakes_up_after_it_was_given_up_writes_nothing(workers, tmp_path):
    file = tmp_path / "marks"
    first = workers.start("w1")
    job = ask("test_steps", file=str(file), seconds=2)
    until(lambda: marks(file), "the first step", log=workers.log)
    freeze(first, job)
    workers.start("w2")
    finished(job, log=workers.log)
    before = texts(job)
    first.send_signal(signal.SIGCONT)
    until(lambda: "is not attempt 1's any more" in workers.log.read_text() or "(Superseded)" in workers.log.read_text(),
          "the first worker goes home", log=workers.log)  # fmt: skip
    job.refresh_from_db()
    assert (job.state, job.attempt, texts(job)) == ("succeeded", 2, before)
    assert f"{job.pk} 1 second" not in marks(file)


def test_a_message_that_was_lost_is_sent_again(workers, settings):
    job = ask(name="a")
    for path in (workers.data_dir / "broker" / "messages").glob("*.msg"):
        path.unlink()
    workers.start()
    assert finished(job, log=workers.log).state == "succeeded"


def test_what_was_asked_for_while_the_broker_was_away_is_done_when_it_is_back(workers):
    folder = workers.data_dir / "broker" / "messages"
    away = folder.rename(folder.with_name("away"))
    folder.write_text("no folder")  # writing a message fails, for root too
    job = ask(name="a")
    assert (job.state, Job.objects.get(pk=job.pk).sent) == ("queued", None)
    folder.unlink()
    away.rename(folder)
    workers.start()
    assert finished(job, log=workers.log).state == "succeeded"


def test_a_running_job_is_cancelled(workers, tmp_path):
    workers.start()
    job = ask("test_waits", file=str(tmp_path / "never"))
    until(lambda: Job.objects.filter(pk=job.pk, step="wait").exists(), "it waits", log=workers.log)
    requests.cancel(job, by="kim")
    assert finished(job, log=workers.log).state == "cancelled"
