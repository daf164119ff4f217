"""Must show: readers are served, under load, with the database stopped, locked, read-only and the disk full.

Every read has the right bytes and is told; every write is whole or refused; afterwards everything is as before.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.components import unavailable
from tests.serving.load import FORMATS, Load, Server

pytestmark = pytest.mark.timeout(300)

#: seconds of load with the fault; the first of them are its onset
FAULTY, ONSET = 4.0, 1.5


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Iterator[Path]:
    """A small file system in memory."""
    place = tmp_path_factory.mktemp("disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if done.returncode:
        unavailable("needs permission to mount: run as root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.fixture(scope="module")
def server(disk, tmp_path_factory) -> Iterator[tuple[Server, str, str]]:
    """The demo's sites, served; a token that reads and one that writes, both known."""
    server = Server(disk / "data")
    server.manage("migrate", "-v0")
    server.manage("demo")
    server.manage("collectstatic", "--noinput", "-v0")
    reading, writing = server.token("router", "read"), server.token("builder", "write")
    with server.running(tmp_path_factory.mktemp("log") / "log"):
        for format in FORMATS:
            assert server.ask("GET", f"/export/lab/{format}", reading)[0] == 200
        yield server, reading, writing


def database_of(server: Server) -> Path:
    return server.data / "mgmtplane.sqlite3"


def require_sound(server: Server) -> None:
    with contextlib.closing(sqlite3.connect(database_of(server))) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def under_load(
    server: tuple[Server, str, str],
    begin: Callable[[], Callable[[], None]],
    *,
    doubtful: int = 0,
    seconds: float = FAULTY,
) -> tuple[Load, dict]:
    """Load before, during and after a fault: *begin* makes it and gives what ends it; the moments and /readyz of then."""
    running, reading, writing = server
    with Load(running, reading, writing) as load:
        time.sleep(1.0)
        end = begin()
        began = time.monotonic()
        time.sleep(seconds)
        ready = running.ask("GET", "/readyz")
        ended = time.monotonic()
        end()
        wait_until_normal(running, reading, writing)
        after = time.monotonic()
        time.sleep(1.0)
    facts = {"began": began, "ended": ended, "after": after, "ready": ready}
    load.require_whole_writes(doubtful)
    assert any(write.status == 201 for write in load.writes if write.at < began)
    assert any(write.status == 201 for write in load.writes if write.at > after)
    load.require_right_reads(after, time.monotonic(), degraded=False)
    assert running.ask("GET", "/healthz")[0] == 200
    log = running.log.read_text()
    assert "Traceback" not in log.replace("Exception in worker process", ""), log[-3000:]
    return load, facts


def wait_until_normal(server: Server, reading: str, writing: str) -> None:
    """Readers get the newest without a word, and changes are taken again: within what the docs promise."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status, headers, _ = server.ask("GET", "/export/lab/hosts", reading)
        ready = server.ask("GET", "/readyz")
        if status == 200 and "mgmtplane-degraded" not in headers and json.loads(ready[2])["database"] == "ok":
            return
        time.sleep(0.2)
    raise AssertionError(f"still {headers.get('mgmtplane-degraded')}: {server.ask('GET', '/readyz')[2]!r}")


def run(*words: str) -> None:
    subprocess.run(words, check=True)


def fill(place: Path) -> None:
    """Write until nothing more fits."""
    with contextlib.suppress(OSError), place.open("wb", buffering=0) as file:
        for _ in range(1 << 20):
            file.write(bytes(4096))


def refused(load: Load, facts: dict) -> set[int]:
    return {one.status for one in load.writes if facts["began"] + ONSET < one.at < facts["ended"] - 0.5}


def test_a_database_that_somebody_holds_alone(server):
    """Not even reading is possible: another program has the whole file."""

    def begin() -> Callable[[], None]:
        holder = sqlite3.connect(
            database_of(server[0]), timeout=20, isolation_level=None, check_same_thread=False
        )
        deadline = time.monotonic() + 20
        while True:  # it gets in between two requests
            try:
                holder.execute("PRAGMA busy_timeout=0")
                holder.execute("PRAGMA locking_mode=EXCLUSIVE")
                holder.execute("BEGIN EXCLUSIVE")
                break
            except sqlite3.OperationalError:
                assert time.monotonic() < deadline
        return holder.close

    load, facts = under_load(server, begin)
    told = load.require_right_reads(facts["began"] + ONSET + 2, facts["ended"], degraded=True, longest=6)
    assert set(told) == {"database"}
    assert refused(load, facts) <= {503}
    assert facts["ready"][0] == 503 and b"does not answer" in facts["ready"][2]
    require_sound(server[0])


def test_a_database_on_a_disk_that_became_read_only(server, tmp_path):
    folder, aside = str(server[0].data), str(tmp_path)

    def begin() -> Callable[[], None]:
        # Read-only before the server can open a file of it for writing: then it would be busy.
        run("mount", "--bind", folder, aside)
        run("mount", "-o", "remount,bind,ro", aside)
        run("mount", "--bind", aside, folder)
        run("umount", aside)
        return lambda: run("umount", "-l", folder)

    load, facts = under_load(server, begin)
    load.require_right_reads(facts["began"] + ONSET, facts["ended"], degraded=True, longest=6)
    assert refused(load, facts) == {503}
    assert facts["ready"][0] == 503
    require_sound(server[0])


def test_a_full_disk(server):
    filler = server[0].data.parent / "filler"

    def begin() -> Callable[[], None]:
        fill(filler)
        return filler.unlink

    load, facts = under_load(server, begin)
    load.require_right_reads(facts["began"] + ONSET, facts["ended"], degraded=True, longest=6)
    assert 503 in refused(load, facts)
    assert facts["ready"][0] == 503
    require_sound(server[0])
