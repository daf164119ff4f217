"""Real workers, and waiting for what they do."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, transaction

from provisioning import states
from provisioning.models import Job
from tests.shared_data import REPOSITORY

#: seconds; long enough that a worker on a busy machine is not taken for dead
LEASE = 6


def database_url() -> str:
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    password = f":{known['PASSWORD']}" if known["PASSWORD"] else ""
    return f"postgresql://{known['USER']}{password}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """What a process of the shipped shape sees: this test's database, that data directory."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "mgmtplane.settings",
        "BACKUP_EVERY_HOURS": "0",  # what no test asks for is no job either
        "BACKUP_DRILL_EVERY_HOURS": "0",
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(data_dir),
        "JOB_LEASE_SECONDS": str(LEASE),
        **variables,
    }


class Workers:
    """Worker processes over one data directory."""

    def __init__(self, data_dir: Path, log: Path, **variables: str) -> None:
        self.environment = environment(data_dir, **variables)
        self.log, self.data_dir = log, data_dir
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, name: str = "w1", queue: str = "short") -> subprocess.Popen:
        with self.log.open("ab") as output:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.provisioning.worker", name, queue],
                cwd=REPOSITORY,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.running[name]

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait(timeout=20)

    def stop_all(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for name in list(self.running):
            try:
                self.running[name].wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill(name)


def freeze(process: subprocess.Popen, job: Job) -> None:
    """Stop *process* at a moment when it holds no lock that anybody else would wait for."""
    for _ in range(200):
        process.send_signal(signal.SIGSTOP)
        if _is_free(job):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("the process holds a lock at every moment")


def _is_free(job: Job) -> bool:
    if connection.vendor == "sqlite":
        with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=1)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True
    try:
        with transaction.atomic():
            Job.objects.select_for_update(nowait=True).get(pk=job.pk)
    except OperationalError:
        return False
    return True


def until(look: Callable[[], Any], what: str, timeout: float = 30.0, log: Path | None = None) -> Any:
    """What *look* returns as soon as that is true."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout} s: {what}" + (f"\n{log.read_text()[-4000:]}" if log else ""))


def finished(job: Job, timeout: float = 40.0, log: Path | None = None) -> Job:
    def look() -> bool:
        job.refresh_from_db()
        return job.state in states.FINISHED

    until(look, f"{job} is finished", timeout, log)
    return job


def texts(job: Job) -> list[str]:
    """What the job said, in order; its events are numbered without gaps."""
    rows = list(job.events.order_by("number").values_list("number", "text"))
    assert [number for number, _ in rows] == list(range(1, len(rows) + 1))
    return [text for _, text in rows]


@contextlib.contextmanager
def broker_at(url: str) -> Iterator[None]:
    """This process sends its messages to another broker."""
    from mgmtplane.celery import app

    before = app.conf.broker_url, app.conf.broker_transport_options
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url
    app.conf.broker_transport_options = {}
    _reset_pools(app)
    try:
        yield
    finally:
        app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = before[0]
        app.conf.broker_transport_options = before[1]
        _reset_pools(app)


@contextlib.contextmanager
def broker_in(settings: Any, data_dir: Path) -> Iterator[None]:
    """This process sends its messages into the folder that the workers of *data_dir* read."""
    from mgmtplane.celery import app

    folder = data_dir / "broker"
    for part in ("messages", "control", "processed"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    before = dict(app.conf.broker_transport_options)
    app.conf.broker_transport_options = {
        **before,
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": folder / "control",
        "processed_folder": str(folder / "processed"),
    }
    _reset_pools(app)
    try:
        yield
    finally:
        app.conf.broker_transport_options = before
        _reset_pools(app)


def _reset_pools(app: Any) -> None:
    from kombu import pools

    pools.reset()
    app.pool.force_close_all() if app._pool else None
    app._pool = None
    app.amqp._producer_pool = None
