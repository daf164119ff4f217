"""Whatever ends a run ends everything below it: real processes, killed for real."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from provisioning.adapters.ansible import AnsibleFault, end_strays
from provisioning.adapters.ansible.processes import below, marked
from provisioning.adapters.ansible.surroundings import in_memory
from provisioning.clockwork import chores
from tests.scale import share

ROOT = Path(__file__).resolve().parents[3]
#: three ways to be below a run: a task, one that was sent to the background by Ansible, one that left its session
SLEEPING = """
- hosts: a
  gather_facts: false
  tasks:
    - name: In the background
      command: sleep 301
      async: 300
      poll: 0
    - name: Left its session
      shell: setsid sh -c 'sleep 302 & sleep 303' < /dev/null > /dev/null 2>&1 &
    - name: Sleeping
      command: sleep 304
"""
SLEEPERS = {"sleep 301", "sleep 302", "sleep 303", "sleep 304"}


def commands_of(marker: str) -> dict[int, str]:
    found = {}
    for pid in marked(marker):
        with contextlib.suppress(OSError):
            found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    return found


def sleepers(marker: str) -> set[str]:
    return SLEEPERS & set(commands_of(marker).values())


def wait_for(what, seconds: float = 60.0):
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.05)
    return found


@pytest.fixture
def worker(stage):
    """Another process that carries out the run, until every sleeper sleeps."""
    stage.write("site.yml", SLEEPING)
    (stage.root / "launch.json").write_text(json.dumps(stage.launch().as_json()))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.provisioning.ansible.worker", str(stage.root / "launch.json")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: sleepers(stage.marker) == SLEEPERS)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def child_of(marker: str) -> int:
    (child,) = [pid for pid, said in commands_of(marker).items() if said.endswith("adapters.ansible.child")]
    return child


def test_a_worker_that_is_killed_takes_everything_with_it(stage, worker):
    worker.kill()

    wait_for(lambda: not marked(stage.marker))
    assert not in_memory(stage.marker).exists()
    assert not (stage.root / "run" / "private").exists()


def test_a_worker_that_is_asked_to_end_takes_everything_with_it(stage, worker):
    worker.terminate()

    wait_for(lambda: not marked(stage.marker))


def test_where_the_child_is_killed_the_worker_ends_what_it_left_and_says_so(stage, worker):
    os.kill(child_of(stage.marker), signal.SIGKILL)

    said = worker.communicate(timeout=60)[0]

    assert worker.returncode != 0
    assert "Result" not in said
    assert marked(stage.marker) == []
    assert not in_memory(stage.marker).exists()


def test_a_child_that_is_killed_is_a_fault_in_words(stage):
    def kill(events):
        if any(event.task == "Sleeping" for event in events):
            os.kill(child_of(stage.marker), signal.SIGKILL)

    with pytest.raises(AnsibleFault, match=r"was killed \(signal 9\) and left no outcome"):
        stage.run(SLEEPING, on_events=kill)
    assert marked(stage.marker) == []


def test_where_both_are_killed_the_next_attempt_ends_what_they_left(stage, worker):
    child = child_of(stage.marker)
    worker.send_signal(signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    worker.kill()
    worker.wait()
    assert sleepers(stage.marker), "something is left, or this test shows nothing"

    told = stage.run("- hosts: a\n  gather_facts: false\n  tasks: [ping: ]\n")

    assert told.result.status == "successful"
    assert marked(stage.marker) == []


def test_what_nobody_takes_up_again_is_ended_by_housekeeping(stage, worker):
    child = child_of(stage.marker)
    chores.end_orphans()
    assert sleepers(stage.marker) == SLEEPERS, "a run that goes on is left alone"
    worker.send_signal(signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    worker.kill()
    worker.wait()

    # every run that begins on this machine does so too: another test may have been first
    assert re.fullmatch(r"ended what \d+ broken runs had left", chores.end_orphans())

    wait_for(lambda: not marked(stage.marker))
    wait_for(lambda: not in_memory(stage.marker).exists())


def test_the_agent_with_the_key_dies_with_the_child(stage, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")], check=True)
    agents = []

    def kill(events):
        if not agents and any(event.task == "Sleeping" for event in events):
            agents.extend(
                pid for pid, said in commands_of(stage.marker).items() if said.startswith("ssh-agent")
            )
            os.kill(child_of(stage.marker), signal.SIGKILL)
            wait_for(lambda: not any(map(alive, agents)), 25)  # it looks for its parent every ten seconds

    with pytest.raises(AnsibleFault, match="was killed"):
        stage.run(SLEEPING, on_events=kill, ssh_key=(tmp_path / "id").read_text())

    assert len(agents) == 1


def test_ansible_itself_dies_with_the_child(stage, worker):
    (playbook,) = [pid for pid in below(child_of(stage.marker)) if is_ansible(pid)][:1]
    worker.send_signal(signal.SIGSTOP)
    os.kill(child_of(stage.marker), signal.SIGKILL)

    wait_for(lambda: not alive(playbook))
    worker.send_signal(signal.SIGCONT)


def is_ansible(pid: int) -> bool:
    return "ansible-playbook" in Path(f"/proc/{pid}/cmdline").read_text()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_time_limit_ends_a_run_and_counts_what_was_done(stage):
    told = stage.run(SLEEPING, time_limit=12.0)

    assert told.result.status == "timed_out"
    assert told.result.rc is None
    assert told.result.message == "The run took longer than its limit of 12 seconds and was ended."
    assert told.result.stats["a"]["ok"] >= 1
    assert marked(stage.marker) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", range(10)[-share(10) :])
def test_a_run_that_is_cancelled_at_any_point_leaves_nothing(stage, point):
    """From before the child has begun to the middle of the last task."""
    begun = time.monotonic()

    told = stage.run(SLEEPING, stopped=lambda: time.monotonic() - begun > point * 0.9)

    assert told.result.status == "cancelled"
    assert told.result.rc is None
    assert "cancelled" in told.result.message
    assert marked(stage.marker) == []
    assert not in_memory(stage.marker).exists()
    assert list((stage.root / "run").rglob("*")) == []


def test_what_a_successful_run_left_in_the_background_ends_with_it(stage):
    told = stage.run(SLEEPING.replace("command: sleep 304", "command: 'true'"))

    assert told.result.status == "successful"
    assert marked(stage.marker) == []


def test_an_exception_while_events_are_stored_ends_the_run_and_is_passed_on(stage):
    class Superseded(Exception):
        pass

    def store(events):
        raise Superseded

    with pytest.raises(Superseded):
        stage.run(SLEEPING, on_events=store)
    assert marked(stage.marker) == []
    assert not in_memory(stage.marker).exists()


def test_a_run_in_a_thread_of_a_worker_is_not_ended_by_other_threads(stage):
    results = []
    thread = threading.Thread(
        target=lambda: results.append(
            stage.run("- hosts: a\n  gather_facts: false\n  tasks: [ping: ]\n").result
        )
    )
    thread.start()
    for _ in range(5):
        other = threading.Thread(target=lambda: time.sleep(0.1))
        other.start()
        other.join()
    thread.join()

    assert [result.status for result in results] == ["successful"]


def test_strays_are_those_of_one_run_and_no_others(stage):
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, "MGMTPLANE_RUN": f"{stage.marker}/another"})
    ours = subprocess.Popen(["sleep", "60"], env={**os.environ, "MGMTPLANE_RUN": stage.marker})

    end_strays(stage.marker)

    assert ours.wait(timeout=5) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()
