"""A hundred who ask over HTTP at once, of a real server: no value twice, no gap, no 500."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.db import connection, connections  # noqa: F401 - skipif looks at the first

from inventory.models import Change, Host, Identity, Interface, RememberedAnswer, Segment, Token
from tests.allocation import race
from tests.allocation.test_race import database_url

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS, AT_ONCE = 100, 20


@pytest.fixture
def token() -> str:
    row = Token(name="racer", scope="write")
    plain = row.issue()
    row.save()
    return plain


@pytest.fixture
def server(tmp_path) -> Iterator[str]:
    """gunicorn as it is shipped: two processes with eight threads each, on this test's database."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "mgmtplane.settings",
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "race" * 16,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "gunicorn", "mgmtplane.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "8", "--timeout", "100", "--log-level", "error"]
    process = subprocess.Popen(command, env=environment)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}/api/v1/"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "gunicorn did not start"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def post(address: str, token: str, body: dict[str, Any], **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(address, json.dumps(body).encode(), method="POST")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=100) as answered:
            return answered.status, answered.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def at_once(act: Any, count: int) -> list[tuple[int, bytes]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(act, range(count)))


def test_100_allocations_at_once_get_100_different_addresses(server, token):
    site = race.declare(REQUESTS)
    segment = Segment.objects.get()
    address = f"{server}segments/{segment.pk}/allocate"
    answers = at_once(
        lambda number: post(address, token, {"host": f"h{number:04}", "mac": True, "vmid": True}), REQUESTS
    )
    assert Counter(status for status, _ in answers) == {200: REQUESTS}, answers
    told = [json.loads(body) for _, body in answers]
    assert {one["ipv4"] for one in told} == {f"10.9.0.{number}" for number in range(1, REQUESTS + 1)}, (
        "no gap"
    )
    assert len({one["mac"] for one in told}) == REQUESTS
    assert {one["vmid"] for one in told} == set(range(1000, 1000 + REQUESTS))
    assert Interface.objects.exclude(ipv4=None).count() == REQUESTS
    assert Identity.objects.filter(kind="ip", state="held").count() == REQUESTS
    status, body = post(
        f"{server}sites/{site.pk}/allocate", token, {"role": "dns", "form": "vm", "vmid": True}
    )
    assert status == 409
    assert "1000-1099" in json.loads(body)["detail"].replace(" to ", "-"), "the range that is exhausted"


def test_one_key_of_20_at_once_makes_one_host(server, token):
    site = race.declare(REQUESTS)
    before = Host.objects.count(), Change.objects.count()
    address = f"{server}sites/{site.pk}/allocate"
    body = {"role": "dns", "form": "vm", "vmid": True, "mac": True, "address": True, "segment": "lan"}
    answers = at_once(lambda _: post(address, token, body, Idempotency_Key="the-one"), AT_ONCE)
    assert Counter(status for status, _ in answers) == {200: AT_ONCE}, answers
    assert len({content for _, content in answers}) == 1, "the same bytes"
    assert (Host.objects.count(), Change.objects.count()) == (before[0] + 1, before[1] + 1)
    assert RememberedAnswer.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL: SQLite has one writer")
def test_a_key_that_is_still_being_answered_is_told_so_after_a_while(monkeypatch):
    from inventory.api.v1 import remembering

    monkeypatch.setattr(remembering, "PATIENCE", 0.2)
    claimed, done = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            remembering.once("token:1", "key", "digest", lambda: str(claimed.set()) + str(done.wait(20)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(slow)
        assert claimed.wait(20)
        with pytest.raises(remembering.Problem) as refused:
            remembering.once("token:1", "key", "digest", lambda: "never")
        done.set()
        first.result()
    assert (refused.value.status, refused.value.headers) == (409, {"Retry-After": "1"})
    assert remembering.once("token:1", "key", "digest", lambda: "never") == ("NoneTrue", True)
