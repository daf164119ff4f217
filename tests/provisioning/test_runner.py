"""Claims, fences, faults and leases: the runner and the sweep in this process, on either database."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

import pytest
from django.db import connection, connections

from provisioning import requests, runner
from provisioning.engine import sweeping, turns
from provisioning.engine import workers as heard
from provisioning.engine.faults import Cancelled, JobFailed, Superseded
from provisioning.engine.moments import DatabaseTime, database_now
from provisioning.models import Job, Worker
from tests.provisioning.kinds import marks
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


def ask(kind: str = "test_steps", **parameters) -> Job:
    return requests.request(kind, parameters=parameters, by="test", why="to see")


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=DatabaseTime(-1))


def now(job: Job) -> Job:
    job.refresh_from_db()
    return job


# --- the database's clock ---


def test_the_databases_clock_is_what_django_stores():
    job = ask()
    Job.objects.filter(pk=job.pk).update(lease_until=DatabaseTime(30), heartbeat=DatabaseTime())
    now(job)
    assert 29.9 < (job.lease_until - job.heartbeat).total_seconds() < 31
    assert abs((database_now() - job.heartbeat).total_seconds()) < 20
    assert Job.objects.filter(lease_until__gt=DatabaseTime(5)).exists()
    assert not Job.objects.filter(lease_until__gt=DatabaseTime(60)).exists()
    assert Job.objects.filter(heartbeat__lte=DatabaseTime(1)).exists()


@pytest.mark.django_db(transaction=True)
def test_the_databases_clock_goes_on_within_a_transaction():
    from django.db import transaction

    job = ask()
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(heartbeat=DatabaseTime())
        first = now(job).heartbeat
        time.sleep(0.05)
        Job.objects.filter(pk=job.pk).update(heartbeat=DatabaseTime())
    assert now(job).heartbeat > first


# --- claims ---


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_one_wins():
    jobs = [ask().pk for _ in range(10)]
    together, won = threading.Barrier(2), []

    def go():
        try:
            together.wait(timeout=20)
            won.extend(pk for pk in jobs if runner.claim(pk) is not None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert Counter(won) == Counter(jobs)
    assert set(Job.objects.values_list("attempt", "state")) == {(1, "running")}


def test_a_message_that_comes_twice_does_nothing(tmp_path):
    job = ask(file=str(tmp_path / "marks"))
    runner.run(job.pk)
    runner.run(job.pk)
    runner.run(99_999)
    assert marks(tmp_path / "marks") == [f"{job.pk} 1 first", f"{job.pk} 1 second"]


# --- fences ---


def test_a_worker_that_comes_back_after_it_was_reaped_writes_nothing():
    stale = runner._turn_of(runner.claim(ask().pk))
    expire(stale.job)
    assert sweeping.reap() == 1
    fresh = runner._turn_of(runner.claim(stale.job.pk))
    before = texts(stale.job)
    for act in (
        lambda: stale.step("clone"),
        lambda: stale.event("info", "still here"),
        stale.check,
        stale.renew,
        lambda: stale.keep_plan(stale.kind.plan(stale.asked)),
        lambda: stale.need_confirmation(stale.kind.plan(stale.asked)),
        lambda: stale.wait(lambda: True, timeout=1),
    ):
        with pytest.raises(Superseded):
            act()
    runner._Ended(stale.job).succeeded()
    assert now(stale.job).state == "running"
    assert texts(stale.job) == before
    fresh.step("clone")
    assert (fresh.attempt, now(fresh.job).attempt) == (2, 2)


def test_a_lease_that_nobody_took_is_renewed_by_its_owner():
    turn = runner._turn_of(runner.claim(ask().pk))
    expire(turn.job)
    turn.check()
    assert sweeping.reap() == 0


@pytest.mark.django_db(transaction=True)
def test_the_heart_keeps_the_lease_while_a_step_takes_long(settings, tmp_path):
    settings.JOB_LEASE_SECONDS = 1
    job = ask("test_deaf", seconds=2.5, file=str(tmp_path / "marks"))
    reaped = []
    thread = threading.Thread(target=lambda: (runner.run(job.pk), connections.close_all()))
    thread.start()
    while thread.is_alive():
        reaped.append(sweeping.reap())
        time.sleep(0.2)
    assert not any(reaped)
    assert (now(job).state, job.attempt) == ("succeeded", 1)


# --- cancelling ---


def test_a_cancel_is_seen_between_steps():
    turn = runner._turn_of(runner.claim(ask().pk))
    turn.step("one")
    requests.cancel(turn.job, by="kim")
    with pytest.raises(Cancelled, match="cancelled by kim"):
        turn.step("two")
    turn.step("tidy up", cancellable=False)


@pytest.mark.django_db(transaction=True)
def test_a_cancel_is_seen_while_a_step_waits(tmp_path):
    job = ask("test_waits", file=str(tmp_path / "never"))
    thread = threading.Thread(target=lambda: (runner.run(job.pk), connections.close_all()))
    thread.start()
    while now(job).step != "wait":
        time.sleep(0.02)
    requests.cancel(job, by="kim")
    thread.join(timeout=20)
    assert now(job).state == "cancelled"
    assert job.message == "Cancelled by kim at the step “wait”; what was done before it stays done."


def test_a_job_that_was_to_be_cancelled_when_its_worker_died_is_cancelled():
    job = runner.claim(ask().pk)
    requests.cancel(job, by="kim")
    expire(job)
    sweeping.reap()
    assert now(job).state == "cancelled"


# --- waiting ---


def test_waiting_ends_with_what_was_waited_for_or_in_words():
    turn = runner._turn_of(runner.claim(ask().pk))
    answers = iter([None, "", JobFailed("busy", retryable=True), "here"])

    def look():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert turn.wait(look, timeout=10, pause=0.01) == "here"
    with pytest.raises(JobFailed, match=r"Waited 0 s for the agent, in vain\. The last answer was: busy"):
        turn.wait(
            lambda: (_ for _ in ()).throw(JobFailed("busy", retryable=True)),
            timeout=0.05,
            pause=0.01,
            what="the agent",
        )
    with pytest.raises(JobFailed, match="broken"):
        turn.wait(lambda: (_ for _ in ()).throw(JobFailed("broken")), timeout=5)


# --- faults ---


def test_an_expected_fault_fails_in_its_own_words():
    job = ask("test_fails")
    runner.run(job.pk)
    assert (now(job).state, job.message) == ("failed", "There is no template. Make one.")


def test_a_fault_that_may_pass_is_tried_again_so_many_times(tmp_path):
    job = ask("test_fails", name="passing", file=str(tmp_path / "marks"))
    runner.run(job.pk)
    assert (now(job).state, job.not_before is not None, job.sent) == ("queued", True, None)
    for _ in range(5):
        time.sleep(0.06)
        runner.run(job.pk)
    assert (now(job).state, job.attempt, job.message) == ("failed", 3, "The node does not answer.")
    assert len(marks(tmp_path / "marks")) == 3
    assert "Once more in 0 s (attempt 1 of 3)." in texts(job)[3]


def test_a_job_that_is_to_be_tried_later_is_not_taken_up_before():
    job = ask()
    Job.objects.filter(pk=job.pk).update(not_before=DatabaseTime(60))
    runner.run(job.pk)
    assert now(job).state == "queued"


def test_an_unexpected_fault_gives_people_a_reference_and_the_log_the_rest(caplog):
    job = ask("test_fails", name="unexpected")
    with caplog.at_level(logging.ERROR):
        runner.run(job.pk)
    assert now(job).state == "failed"
    assert "Something unexpected happened (ZeroDivisionError)" in job.message
    assert "hunter22" not in " ".join([job.message, *texts(job)])
    reference = job.message.split()[-1].rstrip(".")
    assert reference in caplog.text
    assert "Traceback" in caplog.text


def test_nothing_that_is_kept_holds_a_secret():
    job = ask("test_fails", name="secret")
    runner.run(job.pk)
    kept = " ".join([now(job).message, str(job.outcome), str(job.plan), *texts(job)])
    assert "hunter22" not in kept
    assert "0b1c2d3e" not in kept
    assert job.message == "[secret] was wrong."


def test_a_kind_that_this_version_does_not_know_fails_in_words():
    job = ask()
    Job.objects.filter(pk=job.pk).update(kind="from_the_future")
    runner.run(job.pk)
    assert (
        now(job).message
        == "This version knows no jobs of the kind from_the_future. Cancel it, or update the worker."
    )
    assert str(job) == f"job {job.pk}: from_the_future (unknown here)"


def test_a_job_whose_site_is_gone_fails_in_words(site):
    from inventory.changes import change

    job = requests.request("test_adds", site=site, by="test", why="x")
    with change(site, by="fixture"):
        site.delete()
    runner.run(job.pk)
    assert (now(job).state, job.site_slug) == ("failed", "lab")
    assert job.message.startswith("Its site lab is gone.")


# --- leases ---


def test_an_expired_lease_brings_the_job_back_until_its_tries_are_used_up():
    job = ask()
    for _ in range(10):
        assert runner.claim(job.pk) is not None
        expire(job)
        sweeping.reap()
    assert (now(job).state, job.attempt) == ("lost", 10)
    assert job.message == (
        "The worker of attempt 10 is gone. The job was tried 10 times: look at what it left, then run it again."
    )
    texts(job)


def test_what_may_not_be_repeated_is_lost_with_its_worker():
    turn = runner._turn_of(runner.claim(ask("test_once").pk))
    turn.step("burn")
    expire(turn.job)
    sweeping.reap()
    assert now(turn.job).state == "lost"
    assert "at the step “burn”" in turn.job.message
    assert "may not be repeated unseen" in turn.job.message


# --- messages ---


@pytest.fixture
def sent(monkeypatch):
    found: list[int] = []
    monkeypatch.setattr(sweeping, "deliver", lambda pk, queue: not found.append(pk))
    return found


def test_what_was_never_sent_is_sent_and_what_was_is_left_alone_for_a_while(sent):
    fresh, unsent = ask(), ask()
    Job.objects.filter(pk=unsent.pk).update(sent=None)
    sweeping.sweep()
    sweeping.sweep()
    assert sent == [unsent.pk]
    assert fresh.pk not in sent


def test_what_nobody_took_up_is_sent_again_only_where_a_worker_has_nothing_to_do(sent):
    job = ask()
    Job.objects.filter(pk=job.pk).update(sent=DatabaseTime(-11))
    sweeping.sweep()
    assert sent == [], "nobody is there to take it"
    heard.heard("w1@here", ["short"], 1)
    busy = runner.claim(ask().pk)
    sweeping.sweep()
    assert sent == [], "its message waits behind a job that is running"
    runner.run(busy.pk)
    expire(busy)
    sweeping.sweep()
    assert job.pk in sent
    before = len(sent)
    sweeping.sweep()
    assert len(sent) == before, "not again within ten seconds"


def test_a_broker_that_is_away_fails_nobody_who_asks(monkeypatch, django_capture_on_commit_callbacks):
    from provisioning.engine import delivery

    def away(*_, **__):
        raise ConnectionRefusedError("amqp://user:hunter22@broker")

    monkeypatch.setattr(delivery.app, "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        job = ask()
    assert (now(job).state, job.sent) == ("queued", None)
    assert sweeping.send("short") is False
    monkeypatch.undo()
    assert sweeping.send("short") is True
    assert now(job).sent is not None


# --- workers ---


def test_silence_is_told_in_a_sentence():
    assert heard.silence() == "", "a new installation is not at fault"
    assert heard.unheard("short").startswith("No worker for short jobs has been heard for a minute")
    heard.heard("short@here", ["short"], 4)
    assert (heard.silence(), heard.unheard("short")) == ("", "")
    job = ask("test_long")
    assert heard.silence() == ""
    Job.objects.filter(pk=job.pk).update(created=DatabaseTime(-61))
    assert heard.silence().startswith("No worker for long jobs has been heard for a minute")
    heard.heard("long@here", ["long"], 4)
    assert heard.silence() == ""
    assert 0 <= heard.ages()["short"] < 5
    Worker.objects.update(seen=DatabaseTime(-61))
    assert heard.silent_queues() == ["short", "long"]
    assert heard.silence().startswith("No worker has been heard for a minute")
    Worker.objects.update(seen=DatabaseTime(-90_000))
    assert heard.forget() == 2


def test_every_event_has_the_next_number():
    turn = runner._turn_of(runner.claim(ask().pk))
    for number in range(5):
        turn.event("info", f"line {number}")
    assert len(texts(turn.job)) == 7
    assert now(turn.job).last_event == 7
    assert turns.LOOK_EVERY <= 1
    assert connection.vendor in ("sqlite", "postgresql")
