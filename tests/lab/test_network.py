"""The lab itself: hidden while it runs, gone when it ends, however it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.components import require, require_namespaces
from tests.lab.network import Lab, Plug, Wire

pytestmark = pytest.mark.lab

WIRES = [Wire("one", ("192.0.2.1/24", "2001:db8::1/64"))]
PLUGS = [Plug("a", "02:00:00:00:00:0a", "one"), Plug("b", "02:00:00:00:00:0b", "one")]

DYING = """
import os, sys
from pathlib import Path
from tests.lab.network import Lab
lab = Lab()
lab.start(["sleep", sys.argv[1]], Path(os.devnull))
os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    require_namespaces()
    require("nsenter", package="util-linux")


def test_a_client_has_one_card_with_its_mac_and_reaches_the_router() -> None:
    lab = Lab()
    try:
        lab.build(WIRES, PLUGS)
        lab.run(["ip", "addr", "add", "192.0.2.10/24", "dev", "eth0"], "a")
        cards = lab.run(["ip", "-brief", "link"], "a").stdout.splitlines()
        assert [card.split()[2] for card in cards] == ["00:00:00:00:00:00", "02:00:00:00:00:0a"]
        assert lab.run(["ping", "-c", "1", "-W", "5", "192.0.2.1"], "a").returncode == 0
    finally:
        lab.close()


def test_nothing_of_a_lab_is_seen_outside() -> None:
    before = _outside()
    lab = Lab()
    try:
        lab.build(WIRES, PLUGS)
        assert _outside() == before
    finally:
        lab.close()
    assert _outside() == before


def test_two_labs_with_the_same_addresses_do_not_meet() -> None:
    labs = [Lab(), Lab()]
    try:
        for lab in labs:
            lab.build(WIRES, PLUGS)
        for lab in labs:
            added = lab.run(["ip", "addr", "add", "192.0.2.10/24", "dev", "eth0"], "a")
            assert added.returncode == 0
            seen = lab.run(["sh", "-c", "ping -c 1 192.0.2.1 >&2; ip neighbour"], "a").stdout
            assert seen.count("lladdr") == 1
    finally:
        for lab in labs:
            lab.close()


def test_what_runs_in_a_lab_ends_with_it(tmp_path: Path) -> None:
    lab = Lab()
    process = lab.start(["sleep", "6543.21"], tmp_path / "log")
    _wait_until(lambda: _is_running("6543.21"))
    lab.close()
    assert process.poll() is not None
    assert not _is_running("6543.21")


def test_what_runs_in_a_lab_ends_when_the_tests_are_killed() -> None:
    killed = subprocess.run([sys.executable, "-c", DYING, "6543.22"], timeout=30, check=False)
    assert killed.returncode == -9
    _wait_until(lambda: not _is_running("6543.22"))


def _outside() -> tuple[str, list[str]]:
    mounts = Path("/proc/self/mountinfo").read_text()
    return mounts, sorted(Path("/proc/net/dev").read_text().split()[::17])


def _is_running(word: str) -> bool:
    """Whether a process here has *word* among its arguments."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if words[0] != sys.executable.encode() and word.encode() in words:
            return True
    return False


def _wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        time.sleep(0.02)
