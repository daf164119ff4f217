"""The supervisor, with children that do nothing: quick, and without a database."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from mgmtplane import supervisor
from tests.shared_data import REPOSITORY

PROGRAM = """
import pathlib, signal, sys, time
from mgmtplane.supervisor import Child, Supervisor, only_one, Refused
def quiet():
    print("hello from", __import__("os").getpid(), flush=True)
    time.sleep(600)
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    quiet()
def parent():
    import subprocess
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    grandchild = subprocess.Popen(["sleep", "601"])
    print("grandchild", grandchild.pid, flush=True)
    time.sleep(600)
def crash():
    print("no end of line", end="", flush=True)
    raise SystemExit(3)
__import__("mgmtplane.supervisor").supervisor.STOP_TIMEOUT = 1.0
kinds = {"quiet": quiet, "stubborn": stubborn, "parent": parent, "crash": crash}
try:
    with only_one(pathlib.Path(sys.argv[1])):
        end = pathlib.Path(sys.argv[1]) / "end"
        went_on = Supervisor([Child(name, kinds[name]) for name in sys.argv[2:]], until=end.exists).run()
    print("ended by itself" if went_on else "ended as asked")
except Refused as reason:
    sys.exit(str(reason))
"""


class Running:
    """A supervisor in a process of its own, and what it has said so far."""

    def __init__(self, directory, *children: str) -> None:
        self.log = directory / f"log{time.monotonic_ns()}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(directory), *children],
                cwd=REPOSITORY,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def said(self, pattern: str, count: int = 1, timeout: float = 15) -> list[str]:
        """Wait until *pattern* has appeared *count* times; its first group each time."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = re.findall(pattern, self.log.read_text())
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{pattern!r} not {count} times in:\n{self.log.read_text()}")


@pytest.fixture
def run(tmp_path):
    started = []

    def start(*children: str) -> Running:
        started.append(Running(tmp_path, *children))
        return started[-1]

    yield start
    for running in started:
        with contextlib.suppress(ProcessLookupError):
            running.process.kill()
        running.process.wait()


def alive(pid: int) -> bool:
    """Whether *pid* runs; a zombie that nobody waits for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, timeout: float = 5) -> bool:
    deadline = time.monotonic() + timeout
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_each_line_carries_the_name_of_its_process(run):
    running = run("quiet")
    assert running.said(r"(?m)^ +quiet \| hello from (\d+)$")


def test_a_child_that_is_killed_starts_again(run):
    running = run("quiet")
    (first,) = running.said(r"hello from (\d+)")
    os.kill(int(first), signal.SIGKILL)
    running.said(r"mgmtplane \| quiet was killed by SIGKILL; starting it again in 1 s")
    assert running.said(r"hello from (\d+)", count=2)[1] != first


def test_a_child_that_keeps_dying_is_given_longer_and_longer_pauses(run):
    running = run("crash")
    pauses = running.said(r"crash ended with exit status 3; starting it again in (\d+) s", count=3)
    assert pauses[:3] == ["1", "2", "4"]
    assert running.said(r"crash \| (no end of line)\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_cleanly_and_leaves_nothing_behind(run, number):
    running = run("quiet", "parent")
    (child,), (grandchild,) = running.said(r"hello from (\d+)"), running.said(r"grandchild (\d+)")
    running.process.send_signal(number)
    assert running.process.wait(timeout=10) == 0
    assert gone(int(child))
    assert gone(int(grandchild))
    assert "starting it again" not in running.log.read_text()


def test_it_ends_by_itself_where_it_was_told_when_and_says_which_it_was(run, tmp_path):
    running = run("quiet")
    running.said("hello")
    (tmp_path / "end").touch()
    assert running.process.wait(timeout=10) == 0
    running.said("ended by itself")
    (tmp_path / "end").unlink()
    asked = run("quiet")
    asked.said("hello")
    asked.process.send_signal(signal.SIGINT)
    assert asked.process.wait(timeout=10) == 0
    asked.said("ended as asked")


def test_a_child_that_will_not_stop_is_killed(run):
    running = run("stubborn")
    (child,) = running.said(r"hello from (\d+)")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=10) == 0
    assert gone(int(child))
    assert "stubborn did not stop within 1 s; killing it" in running.log.read_text()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
def test_children_die_with_a_supervisor_that_is_killed(run):
    running = run("quiet", "stubborn")
    children = running.said(r"hello from (\d+)", count=2)
    running.process.kill()
    assert all(gone(int(child)) for child in children)


def test_a_second_supervisor_over_the_same_data_is_refused(run, tmp_path):
    first = run("quiet")
    first.said(r"hello from (\d+)")
    second = run("quiet")
    assert second.process.wait(timeout=10) == 1
    assert second.log.read_text() == (
        f"already running over the data directory {tmp_path} (process {first.process.pid}); "
        "stop that one, or give this one its own with DATA_DIR=… and PORT=…\n"
    )


def test_a_lock_left_by_a_dead_supervisor_does_not_matter(run):
    first = run("quiet")
    (child,) = first.said(r"hello from (\d+)")
    first.process.kill()
    first.process.wait()
    assert gone(int(child))
    assert run("quiet").said(r"hello from (\d+)")


def test_work_done_once_reports_its_exit_code():
    # In a process of its own: pytest's has threads, and a fork does not copy those.
    program = "import sys; from mgmtplane.supervisor import run_once; "
    program += "print([run_once(work) for work in (lambda: None, lambda: sys.exit(7), lambda: 1 / 0)])"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert result.stdout == "[0, 7, 1]\n"
    assert "ZeroDivisionError" in result.stderr


def test_exit_statuses_in_words() -> None:
    assert supervisor.describe(signal.SIGKILL) == "was killed by SIGKILL"
    assert supervisor.describe(3 << 8) == "ended with exit status 3"
