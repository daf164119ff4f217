"""Must show: opening a SQLite file makes none, and what lies in the log of one that is gone stays."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django_celery_beat.schedulers import DatabaseScheduler

from mgmtplane.celery import app
from provisioning.tasks import run_job
from tests.platform.test_command_line import run

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = "SELECT count(*) FROM kept"


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The database of an application that was killed: a row lies in the log alone."""
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite: a server's files are its own")
    living, place = tmp_path / "living.sqlite3", tmp_path / "50% of #1?.sqlite3"
    with sqlite3.connect(living) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE kept (name)")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.execute("INSERT INTO kept VALUES ('one')")
        writer.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{living}{suffix}", f"{place}{suffix}")
    writer.close()
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(place))
    yield place
    connection.close()


@pytest.fixture
def unmounted(killed: Path) -> Iterator[Path]:
    """The same without its file, which is there again at the end with its row."""
    away = killed.with_name("away")
    killed.rename(away)
    yield killed
    connection.close()
    assert not killed.exists()
    away.rename(killed)
    with connection.cursor() as cursor:
        assert cursor.execute(ROWS).fetchone() == (1,)


def test_a_tick_of_beat_makes_no_file(unmounted: Path) -> None:
    clock = DatabaseScheduler(app=app, lazy=True)
    assert clock.schedule_changed() is False
    clock.sync()


def test_a_message_of_a_job_makes_no_file(unmounted: Path) -> None:
    with pytest.raises(OperationalError, match="the file of the database is gone"):
        run_job.run(1)


def test_nobody_begins_a_new_database_beside_the_log_of_another(unmounted: Path) -> None:
    with pytest.raises(OperationalError, match="is gone, and its log is there: put the file back beside"):
        call_command("migrate", verbosity=0)


def test_an_empty_file_does_not_cost_the_log_beside_it(killed: Path) -> None:
    away = killed.rename(killed.with_name("away"))
    killed.touch()
    with pytest.raises(OperationalError, match="is empty, and its log is not"):
        connection.ensure_connection()
    away.rename(killed)
    with connection.cursor() as cursor:
        assert cursor.execute(ROWS).fetchone() == (1,)


def test_migrating_by_hand_makes_a_file_of_its_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    database = tmp_path / "mgmtplane.sqlite3"
    refused = run("migrate", "--check", DATA_DIR=str(tmp_path))
    assert refused.returncode == 1 and "there is no database" in refused.stderr
    assert not database.exists()
    begun = run("migrate", "contenttypes", "zero", "-v0", DATA_DIR=str(tmp_path))
    assert "there is no database" not in begun.stderr
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    nowhere = f"sqlite:////{os.fspath(tmp_path).lstrip('/')}/no/such.sqlite3"
    done = run("migrate", DATA_DIR=str(tmp_path), DATABASE_URL=nowhere)
    assert done.returncode == 1
    assert "no/such.sqlite3 cannot be made: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
