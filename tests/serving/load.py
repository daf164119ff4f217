"""Readers and writers at a real web server while something is broken, and what every answer has to be."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.shared_data import REPOSITORY

FORMATS = ("kea", "dnsmasq", "bind", "ansible", "hosts")
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Read:
    at: float
    seconds: float
    status: int
    etag: str
    degraded: str
    right: bool


@dataclass(frozen=True)
class Written:
    at: float
    seconds: float
    name: str
    status: int
    kind: str


@dataclass
class Server:
    """gunicorn, or everything that ``manage.py up`` starts, over one data directory."""

    data: Path
    variables: dict[str, str] = field(default_factory=dict)
    port: int = 8000
    log: Path = Path()

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.data),
            "DATA_DIR": str(self.data),
            "PORT": str(self.port),
            "BACKUP_EVERY_HOURS": "0",
            "ADMIN_PASSWORD": "correct horse battery",
            **self.variables,
        }

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env=self.environment(),
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self, name: str, scope: str) -> str:
        return next(
            word
            for word in self.manage("token", "create", name, "--scope", scope).split()
            if word.startswith("mgmt_")
        )

    def start(self, words: list[str], output: IO[bytes]) -> subprocess.Popen:
        return subprocess.Popen(
            words,
            cwd=REPOSITORY,
            env=self.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @contextmanager
    def running(
        self, log: Path, *, everything: bool = False, before: tuple[str, ...] = ()
    ) -> Iterator[Server]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port, self.log = probe.getsockname()[1], log
        gunicorn = [
            sys.executable,
            "-m",
            "gunicorn",
            "mgmtplane.wsgi",
            "--worker-class=gthread",
            "--threads=8",
        ]
        gunicorn += [
            "--no-control-socket",
            "--bind",
            f"127.0.0.1:{self.port}",
            "--timeout=120",
            "--log-level=warning",
        ]
        words = [sys.executable, "manage.py", "up"] if everything else gunicorn
        with log.open("wb") as output:
            process = self.start([*before, *words], output)
            try:
                self.wait_until_it_answers(process)
                yield self
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def wait_until_it_answers(self, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert process.poll() is None, self.log.read_text()
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def ask(self, method: str, path: str, token: str = "", body: object = None) -> tuple[int, dict, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            content = None
            if body is not None:
                content, headers["Content-Type"] = json.dumps(body), "application/json"
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


class Load:
    """Threads that read and write until ``stop``; what came of each."""

    def __init__(
        self, server: Server, reading: str, writing: str, *, readers: int = 5, writers: int = 2
    ) -> None:
        self.server, self.reading, self.writing = server, reading, writing
        self.reads: list[Read] = []
        self.writes: list[Written] = []
        self.faults: list[str] = []
        self._stopping = threading.Event()
        self._bodies: dict[tuple[str, str], str] = {}
        self._threads = [threading.Thread(target=self._read, args=(one,)) for one in range(readers)]
        self._threads += [threading.Thread(target=self._write, args=(one,)) for one in range(writers)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=90)

    def _read(self, number: int) -> None:
        while not self._stopping.is_set():
            format = FORMATS[number % len(FORMATS)]
            number += 1
            began = time.monotonic()
            try:
                status, headers, body = self.server.ask("GET", f"/export/lab/{format}", self.reading)
            except OSError as error:
                self.faults.append(f"read: {error!r}")
                continue
            etag = headers.get("etag", "")
            right = status == 200 and self._is_right(format, etag, body)
            took = time.monotonic() - began
            self.reads.append(Read(began, took, status, etag, headers.get("mgmtplane-degraded", ""), right))
            if status != 200:
                self.faults.append(f"read {format}: {status} {body[:200]!r}")
            time.sleep(0.02)

    def _is_right(self, format: str, etag: str, body: bytes) -> bool:
        """A file's ETag names its content; and one ETag never has two contents."""
        digest = hashlib.sha256(body).hexdigest()
        known = self._bodies.setdefault((format, etag), digest)
        return known == digest and (format == "bind" or digest[:20] in etag)

    def _write(self, number: int) -> None:
        count = 0
        while not self._stopping.is_set():
            count += 1
            name = f"load_{number}_{count}_{int(time.monotonic() * 1000)}"
            began = time.monotonic()
            body = {"site": "lab", "name": name, "variables": {"one": 1}}
            try:
                status, headers, text = self.server.ask("POST", "/api/v1/groups", self.writing, body)
            except OSError as error:
                self.faults.append(f"write: {error!r}")
                continue
            took = time.monotonic() - began
            self.writes.append(Written(began, took, name, status, headers.get("content-type", "")))
            if status not in (201, 503):
                self.faults.append(f"write: {status} {text[:300]!r}")
            time.sleep(0.05)

    # --- what has to be true ---

    def require_right_reads(
        self, begin: float, end: float, *, degraded: bool, longest: float = 30.0
    ) -> Counter:
        """Every read that began between the two moments: right bytes, and, where it was answered by then, told or not."""
        found = [read for read in self.reads if begin <= read.at <= end]
        assert len(found) >= 5, (len(found), self.faults[:3])
        assert all(read.right for read in found), self.faults[:5]
        answered = [read for read in found if read.at + read.seconds <= end]
        if degraded:
            assert all(read.degraded for read in answered), Counter(read.degraded for read in answered)
        else:
            assert not any(read.degraded for read in found), Counter(read.degraded for read in found)
        assert max(read.seconds for read in found) < longest, sorted(read.seconds for read in found)[-5:]
        return Counter(read.degraded for read in answered)

    def require_whole_writes(self, doubtful: int = 0) -> None:
        """Each write is there exactly where it was said to be; *doubtful*: whose answer may have been lost."""
        stored: set[str] = set()
        path = "/api/v1/groups?site=lab&limit=1000"
        while path:
            status, _, body = self.server.ask("GET", path, self.writing)
            assert status == 200, body
            page = json.loads(body)
            stored |= {row["name"] for row in page["results"]}
            path = "/api/v1" + page["next"].partition("/api/v1")[2] if page["next"] else ""
        said = {one.name: one.status for one in self.writes}
        lost = [name for name, status in said.items() if status == 201 and name not in stored]
        ghosts = [name for name, status in said.items() if status != 201 and name in stored]
        assert not lost
        assert len(ghosts) <= doubtful, ghosts
        refused = [one for one in self.writes if one.status != 201]
        assert all((one.status, one.kind) == (503, PROBLEM) for one in refused), self.faults[:5]
