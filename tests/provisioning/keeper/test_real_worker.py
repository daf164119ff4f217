"""A real worker, a real keeper and this process: what one is given, another uses, and nothing of it stays anywhere."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from django.db import connection

from provisioning import requests, states
from provisioning.keeper import client
from provisioning.keeper.client import KeeperAway
from provisioning.models import Job
from tests.provisioning.keeping import Keeper
from tests.provisioning.kinds import marks
from tests.provisioning.support import finished, texts, until
from tests.shared_data import REPOSITORY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SECRET = "Zq7-planted/horse+battery"


@pytest.fixture
def together(workers, settings):
    """A worker and a keeper over one folder, which this process asks as well."""
    settings.DATA_DIR = workers.data_dir
    found = Keeper(workers.data_dir).start()
    workers.start()
    yield workers, found
    found.kill()


@pytest.fixture
def lab(db):
    from inventory.changes import change
    from inventory.models import Site

    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(site, by="fixture", why="a small site"):
        pass
    return site


def ask(lab, used: Path, references: str = "unlock:vault") -> Job:
    given = {"name": references, "file": str(used)}
    return requests.request("test_locked", site=lab, parameters=given, by="test", why="to see")


def waits(job: Job, log: Path) -> None:
    def look() -> bool:
        job.refresh_from_db()
        return job.state == states.WAITING

    until(look, "the job waits", 60, log)


def test_a_job_waits_and_goes_on_and_the_secret_is_nowhere(together, lab, tmp_path):
    workers, _ = together
    job = ask(lab, tmp_path / "used")
    waits(job, workers.log)
    requests.unlock(lab, "vault", SECRET, minutes=5, by="anna")
    assert finished(job, log=workers.log).state == states.SUCCEEDED
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    assert marks(tmp_path / "used") == [f"{job.pk} {job.attempt} unlock:vault {digest}"]
    assert "unlock:vault is [secret]" in texts(job)
    assert found_in(workers) == []


def test_a_keeper_that_dies_forgets_and_the_job_waits_for_a_person_again(together, lab, tmp_path):
    workers, keeper = together
    requests.unlock(lab, "vault", SECRET, minutes=5, by="anna")
    keeper.kill()
    job = ask(lab, tmp_path / "used")
    waits(job, workers.log)
    keeper.start()
    assert client.held() == []
    job.refresh_from_db()
    assert job.state == states.WAITING
    requests.unlock(lab, "vault", SECRET, minutes=5, by="anna")
    assert finished(job, log=workers.log).state == states.SUCCEEDED


def test_a_worker_that_dies_leaves_what_was_given_to_its_job_for_the_next_one(together, lab, tmp_path):
    workers, _ = together
    job = ask(lab, tmp_path / "used", "unlock:vault unlock:other")
    waits(job, workers.log)
    requests.answer(job, {"vault": SECRET}, by="anna")
    workers.kill("w1")
    workers.start("w2")
    requests.answer(job, {"other": "another"}, by="anna")
    assert finished(job, log=workers.log).state == states.SUCCEEDED
    until(lambda: client.held() == [], "the worker has forgotten what was the job's alone", 20)


def spellings() -> set[bytes]:
    """The secret as it is, percent-encoded, in base64, as JSON has it."""
    plain = SECRET.encode()
    return {
        plain,
        urllib.parse.quote(SECRET, safe="").encode(),
        base64.b64encode(plain),
        SECRET.replace("/", "\\/").encode(),
    }


def found_in(workers) -> list[str]:
    """Where the secret stands: every table, every file of the data directory, the log, argv and environment."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = b"\n".join(
                bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
                for row in cursor.fetchall()
                for cell in row
            )
            found += [f"table {table}" for one in spellings() if one in rows]
    files = [path for path in workers.data_dir.rglob("*") if path.is_file()]
    database = Path(str(connection.settings_dict["NAME"]))
    files += (
        [workers.log, *database.parent.glob(f"{database.name}*")]
        if connection.vendor == "sqlite"
        else [workers.log]
    )
    for process in workers.running.values():
        files += [Path(f"/proc/{process.pid}/{view}") for view in ("cmdline", "environ")]
    for path in files:
        said = path.read_bytes()
        found += [str(path) for one in spellings() if one in said]
    return found


def test_the_search_finds_what_is_there(together, lab, tmp_path):
    """Or the one above would say nothing."""
    workers, _ = together
    assert found_in(workers) == []
    (workers.data_dir / "left").write_bytes(base64.b64encode(SECRET.encode()))
    requests.request("housekeeping", by="test", why=f"because {SECRET}")
    assert {Path(one).name for one in found_in(workers)} >= {"left"}
    assert "table provisioning_job" in found_in(workers)


def test_the_supervisor_starts_the_keeper_and_starts_it_again(tmp_path, settings):
    """``manage.py up`` without its other children: the keeper is killed, and is there again, empty."""
    settings.DATA_DIR = tmp_path
    code = (
        "import sys; from functools import partial; from pathlib import Path\n"
        "from mgmtplane.supervisor import Child, Supervisor\n"
        "from provisioning.keeper import process\n"
        "Supervisor([Child('keeper', partial(process.serve, Path(sys.argv[1])))]).run()"
    )
    with (tmp_path / "log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, stdout=log, stderr=log
        )
    try:
        until(_answers, "the keeper answers", 60, tmp_path / "log")
        client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
        (child,) = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        until(lambda: not _answers(), "it is gone", 20)
        until(_answers, "it is there again", 60, tmp_path / "log")
        assert client.held() == []
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=30)
    assert not _answers()
    assert "keeper was killed by SIGKILL; starting it again" in (tmp_path / "log").read_text()


def _answers() -> bool:
    try:
        client.held()
    except KeeperAway:
        return False
    return True
