"""Many ask at once, and each gets something else.

The long form, twenty repetitions, is in the slow lane; ``docs/benchmarks.md`` has its numbers and the command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from inventory import reading
from inventory.models import Host, Identity, Interface
from tests.allocation import race
from tests.scale import share

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS, CONNECTIONS, PROCESSES = 200, 20, 4

on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="needs PostgreSQL: many connections"
)
on_sqlite = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="needs SQLite: one file, several processes"
)


def over_connections(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Twenty threads, each with a connection of its own, which it closes at the end."""
    together = threading.Barrier(CONNECTIONS)

    def ask(share: int) -> list[tuple[str, str]]:
        connection.ensure_connection()
        together.wait()
        try:
            return [race.request("race", number, kinds) for number in range(share, REQUESTS, CONNECTIONS)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [pair for pairs in pool.map(ask, range(CONNECTIONS)) for pair in pairs]


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """What a process of the shipped shape sees: this test's database, its own data directory."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "mgmtplane.settings",
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(tmp_path),
    }


def database_url() -> str:
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    password = f":{known['PASSWORD']}" if known["PASSWORD"] else ""
    return f"postgresql://{known['USER']}{password}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


def over_processes(
    kinds: tuple[str, ...], environment: dict[str, str]
) -> tuple[list[tuple[str, str]], float]:
    """What all were given, and the seconds from the common start."""
    share = REQUESTS // PROCESSES
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.allocation.race",
                "race",
                str(n * share),
                str(share),
                ",".join(kinds),
            ],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=100)[0] for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    return [tuple(pair) for text in said for pair in json.loads(text)], time.monotonic() - began


def check(given: list[tuple[str, str]], kinds: tuple[str, ...]) -> None:
    """All different, none lost, and all of them the lowest there were: no gaps."""
    assert len(given) == len(set(given)) == REQUESTS
    counted = Counter(kind for kind, _ in given)
    assert counted == {kind: REQUESTS // len(kinds) for kind in kinds}
    held = Counter(Identity.objects.filter(state="held").values_list("kind", flat=True))
    hosts = counted.get("host", 0)
    assert held["mac"] == counted.get("mac", 0) + hosts == Interface.objects.exclude(mac=None).count()
    assert held["ip"] == counted.get("address", 0) + hosts == Interface.objects.exclude(ipv4=None).count()
    vmids = sorted(Host.objects.exclude(vmid=None).values_list("vmid", flat=True))
    assert vmids == list(range(1000, 1000 + counted.get("vmid", 0) + hosts))
    assert not Identity.objects.exclude(state="held").exists()
    reading.forget()
    assert reading.load("race").claimants == {}


def race_on_postgresql(kinds: tuple[str, ...]) -> float:
    race.declare(REQUESTS)
    began = time.monotonic()
    given = over_connections(kinds)
    seconds = time.monotonic() - began
    check(given, kinds)
    return seconds


def race_on_sqlite(kinds: tuple[str, ...], environment: dict[str, str]) -> float:
    race.declare(REQUESTS)
    given, seconds = over_processes(kinds, environment)
    check(given, kinds)
    return seconds


@pytest.mark.postgresql
@on_postgresql
def test_200_requests_over_20_connections_get_200_different_values():
    race_on_postgresql(race.KINDS)


@on_sqlite
def test_200_requests_from_4_processes_get_200_different_values(environment):
    race_on_sqlite(race.KINDS, environment)


def test_who_is_killed_in_the_middle_keeps_nothing_and_loses_nothing(environment):
    race.declare(4)
    before = Identity.objects.count()
    command = [sys.executable, "-m", "tests.allocation.race", "race", "0", "0", "host"]
    killed = subprocess.run(command, env=environment, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Identity.objects.count() == before
    assert race.request("race", 0, ("host",)) == ("host", "dns-vm001"), "what it would have got"


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [*((kind,) for kind in race.KINDS), *[race.KINDS] * share(20)])
def test_the_race_again_and_again(kinds, environment):
    """Each kind alone, then twenty times all of them mixed; with ``-s`` each says how long it took."""
    on_many_connections = connection.vendor == "postgresql"
    seconds = race_on_postgresql(kinds) if on_many_connections else race_on_sqlite(kinds, environment)
    print(f"\nrace: {connection.vendor}, {'+'.join(kinds)}: {REQUESTS} requests in {seconds:.1f} s")
    assert seconds < 100
