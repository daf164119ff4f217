"""A worker is killed, somebody cancels, the broker is away: nothing of Ansible is left, and rows tell the truth."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from provisioning import requests, runner, states
from provisioning.models import HostHold, Job, PlaybookRun, RunEvent
from provisioning.runs import places
from tests.provisioning.support import finished, texts, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

#: waits in a process of its own, in check mode too, until a file is there
PLAYBOOK = """
- name: Wait
  hosts: web
  gather_facts: false
  tasks:
    - name: First
      ansible.builtin.debug:
        msg: first
    - name: Wait for a sign
      ansible.builtin.shell: |
        touch {{ marks }}/begun-{{ inventory_hostname }}
        while [ ! -e {{ marks }}/go ]; do sleep 0.2; done
      check_mode: false
      changed_when: false
    - name: Leave a mark
      ansible.builtin.copy:
        dest: "{{ marks }}/{{ inventory_hostname }}"
        content: done
        mode: "0600"
"""


@pytest.fixture
def waiting(playground):
    playground.write("wait.yml", PLAYBOOK)
    playground.template("waits", playbook="wait.yml")
    return playground


def processes_of(job: Job) -> list[int]:
    """Living processes that carry the run's marker; asked of the kernel, not of what is tested."""
    marker = f"MGMTPLANE_RUN={places.marker_of(job.pk)}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state not in "ZX" and marker in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def begun(playground, job: Job, log: Path) -> None:
    """All three hosts are in the middle of their task."""
    marks = playground.marks
    until(lambda: len(list(marks.glob("begun-*"))) == 3, "the tasks have begun", 120, log)
    assert processes_of(job)


def test_a_worker_that_is_killed_takes_everything_with_it_and_a_relaunch_converges(waiting, workers):
    workers.start("w1", "long")
    job = waiting.ask("waits")
    begun(waiting, job, workers.log)
    workers.kill("w1")
    until(lambda: not processes_of(job), "no process is left", 60, workers.log)
    workers.start("w2", "long")
    job = finished(job, 120, workers.log)
    assert job.state == states.LOST
    assert "may not be repeated unseen: look at what it left" in job.message
    run = PlaybookRun.objects.get(pk=job.pk)
    assert "TASK [First]" in "".join(run.events.values_list("text", flat=True)), "what it had said stays"
    until(lambda: not HostHold.objects.exists(), "nobody holds a host", 30, workers.log)
    (waiting.marks / "go").touch()
    again = finished(waiting.ask("", origin=job.pk, on="all"), 180, workers.log)
    assert again.state == states.SUCCEEDED, again.message
    assert {"web01", "web02", "web03"} <= set(waiting.marked())


def test_a_check_whose_worker_was_killed_begins_again_and_its_events_go_on(waiting, workers):
    workers.start("w1", "long")
    job = waiting.ask("waits", check="yes")
    begun(waiting, job, workers.log)
    workers.kill("w1")
    (waiting.marks / "go").touch()
    workers.start("w2", "long")
    job = finished(job, 240, workers.log)
    assert (job.state, job.attempt) == (states.SUCCEEDED, 2), texts(job)
    rows = list(RunEvent.objects.filter(run=job.pk).order_by("counter").values_list("counter", "attempt"))
    assert [attempt for _, attempt in rows] == sorted(attempt for _, attempt in rows)
    assert {attempt for _, attempt in rows} == {1, 2}
    assert len({counter for counter, _ in rows}) == len(rows)


def test_what_was_asked_for_while_the_broker_was_away_runs_when_it_is_back(playground, workers):
    folder = workers.data_dir / "broker" / "messages"
    away = folder.rename(folder.with_name("away"))
    folder.write_text("no folder")  # writing a message fails, for root too
    job = playground.ask()
    assert Job.objects.get(pk=job.pk).sent is None
    folder.unlink()
    away.rename(folder)
    workers.start("w1", "long")
    assert finished(job, 180, workers.log).state == states.SUCCEEDED


def test_two_runs_at_one_host_go_one_after_the_other(waiting, workers):
    workers.start("w1", "long")
    first = waiting.ask("waits", limit="web01,web02")
    until(lambda: len(list(waiting.marks.glob("begun-*"))) == 2, "it has begun", 120, workers.log)
    second = waiting.ask("base", limit="web02,web03")
    said = f"Waits for job {first.pk} at web02."
    until(lambda: Job.objects.filter(pk=second.pk, message=said).exists(), "the other waits", 60, workers.log)
    assert Job.objects.get(pk=second.pk).attempt == 0, "no worker is held by it"
    (waiting.marks / "go").touch()
    assert finished(first, 120, workers.log).state == states.SUCCEEDED
    assert finished(second, 120, workers.log).state == states.SUCCEEDED
    assert second.started >= first.finished


def at_step(text: str) -> Callable[[Job], bool]:
    return lambda job: job.events.filter(text__startswith=text).exists()


def after_events(number: int) -> Callable[[Job], bool]:
    return lambda job: RunEvent.objects.filter(run=job.pk).count() >= number


#: moments at which somebody cancels
MOMENTS = {
    "queued": lambda job: True,
    "taken up": at_step("Taken up"),
    "laying out": at_step("Lay out"),
    "starting": at_step("Run wait.yml"),
    "first event": after_events(1),
    "second event": after_events(2),
    "fifth event": after_events(5),
    "first task done": lambda job: RunEvent.objects.filter(run=job.pk, outcome="ok").exists(),
    "second task": lambda job: RunEvent.objects.filter(run=job.pk, task="Wait for a sign").exists(),
    "almost done": lambda job: RunEvent.objects.filter(run=job.pk, task="Leave a mark").exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_is_cancelled_whenever_somebody_wants_it(moment, waiting):
    if moment == "almost done":
        (waiting.marks / "go").touch()
    job = waiting.ask("waits")
    reached = MOMENTS[moment]

    def cancel() -> None:
        try:
            until(lambda: reached(job), f"the moment {moment}", 120)
            requests.cancel(Job.objects.get(pk=job.pk), by="kim")
        except requests.Refused:  # it came to its end before
            assert moment == "almost done"
        finally:
            (waiting.marks / "go").touch()  # whatever became of it, the run ends
            connections.close_all()

    thread = threading.Thread(target=cancel)
    thread.start()
    if moment == "queued":
        thread.join(60)
    runner.run(job.pk)
    thread.join(60)
    job.refresh_from_db()
    ended = {states.CANCELLED, states.SUCCEEDED} if moment == "almost done" else {states.CANCELLED}
    assert job.state in ended, job.message
    assert not processes_of(job)
    assert not HostHold.objects.exists()
    assert waiting.nothing_is_left() or moment == "queued"
    assert job.state == states.SUCCEEDED or "kim" in " ".join(texts(job))


def test_the_time_limit_ends_the_run_with_its_children(waiting, monkeypatch):
    monkeypatch.setattr("provisioning.runs.resolving.MINUTE", 0.1)
    waiting.template("short", playbook="wait.yml", time_limit_minutes=100)
    run = waiting.run("short")
    assert run.job.state == states.FAILED
    assert "took longer than its time limit of 100 minutes" in run.job.message
    assert not processes_of(run.job)


def test_an_attempt_that_was_superseded_stores_nothing_more_and_ends_its_children(waiting):
    job = waiting.ask("waits")

    def supersede() -> None:
        try:
            until(lambda: len(list(waiting.marks.glob("begun-*"))) == 3, "the tasks have begun", 120)
            Job.objects.filter(pk=job.pk).update(attempt=7)
        finally:
            connections.close_all()

    thread = threading.Thread(target=supersede)
    thread.start()
    runner.run(job.pk)
    thread.join(60)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (states.RUNNING, 7), "it is another's"
    assert not processes_of(job)
    assert not PlaybookRun.objects.get(pk=job.pk).hosts.exists()
    assert not RunEvent.objects.filter(run=job.pk, kind="playbook_on_stats").exists()
