"""The drill: the newest backup restored beside the living application, every difference named, nothing left behind."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from inventory.changes import change
from inventory.models import Host, Interface, Role, Segment, Site
from provisioning import requests, runner
from provisioning.backups import archive, comparing, measuring
from provisioning.clockwork import chores
from provisioning.drills import drilling, scratch
from provisioning.models import Job
from tests.components import require_postgresql
from tests.provisioning.backups.test_round_trip import environment, manage
from tests.scale import share
from tests.shared_data import REPOSITORY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

#: at so many moments it is killed; and so many steps it tells of
POINTS, STEPS = share(20), 6
AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def places(settings, tmp_path) -> Path:
    settings.BACKUP_DIR, settings.DATA_DIR = tmp_path / "backups", tmp_path / "data"
    settings.DATA_DIR.mkdir(mode=0o700)
    return tmp_path


@pytest.fixture
def site() -> Site:
    site = Site(
        slug="lab",
        root_domain="example.net",
        block="192.0.2.0/24",
        organisation="de",
        environment="20",
        vmid_first=200,
        vmid_last=299,
    )
    with change(site, by="fixture"):
        role = Role(site=site, slug="node", code="10")
        role.save()
        segment = Segment(
            site=site,
            name="management",
            network4="192.0.2.0/26",
            static_first="192.0.2.10",
            static_last="192.0.2.20",
        )
        segment.save()
        host = Host(site=site, name="pi01", form="pi", role=role)
        host.save()
        Interface(
            host=host, name="eth0", segment=segment, ipv4="192.0.2.10", addressing="static", a_record=True
        ).save()
    return site


def done(kind: str) -> Job:
    job = requests.request(kind, by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    return job


def left() -> list[str]:
    return sorted(path.name for path in scratch._root().iterdir() if path.name != scratch.DOOR)


def databases() -> set[str]:
    if connection.vendor != "postgresql":
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'mgmtplane_drill_%'")
        return {name for (name,) in cursor.fetchall()}


def test_a_whole_backup_comes_back_and_nothing_is_left(site):
    made = done("backup_application")
    job = done("drill_backup")
    assert job.state == "succeeded", job.message
    assert job.outcome["archive"] == made.outcome["archive"]
    assert job.outcome["into"] == connection.vendor
    assert job.outcome["rows"] == made.outcome["rows"]
    assert (job.outcome["sites"], job.outcome["documents"], job.outcome["differences"]) == (1, 1, 0)
    formats = len(measuring.all_exports())
    assert job.outcome["exports"] == 3 * formats - 2, "every format in three modes; the document is of none"
    assert job.outcome["identities"] > 10
    assert left() == [] and not databases()


def test_where_a_document_finds_no_room_that_is_said_and_not_that_the_archive_is_bad(site, monkeypatch):
    made = done("backup_application")
    monkeypatch.setattr(drilling._Inside, "run", lambda inside, *words, **more: None)
    monkeypatch.setattr(drilling._Inside, "restore", lambda inside, *words: [])
    monkeypatch.setattr(drilling._Inside, "measured", lambda inside, at: {"sites": {}})
    monkeypatch.setattr(Path, "write_bytes", refuse_for_want_of_room)
    job = done("drill_backup")
    assert job.state == "failed"
    assert f"lab.yml cannot be written ({os.strerror(errno.ENOSPC)}); make room in DATA_DIR." in job.message
    assert made.outcome["archive"] not in job.message
    assert left() == []


def refuse_for_want_of_room(path: Path, content: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_a_row_that_is_missing_is_named_and_fails_it(site, settings):
    done("backup_application")
    (path,) = archive.archives(settings.BACKUP_DIR)
    without_last_line(path, "tables/inventory.interface.jsonl.gz")
    job = done("drill_backup")
    assert job.state == "failed"
    told = list(job.events.filter(level="error").values_list("text", flat=True))
    assert "inventory.interface has 0 rows instead of 1." in told
    assert "The export hosts of lab is not what it was." in told
    assert "The export hosts?authority=bootstrap of lab is not what it was." in told
    assert job.outcome["differences"] == len(told) - 1, "each is told, and then that it failed"
    assert left() == [] and not databases()


def test_a_site_of_which_no_export_was_compared_is_named(site, settings):
    """As a backup says it of a site that was changed again and again while it was made."""
    done("backup_application")
    (path,) = archive.archives(settings.BACKUP_DIR)
    with archive.workshop(path.parent) as folder:
        facts = archive.take_out(path, folder)
        facts["sites"]["lab"]["exports"] = {}
        facts.pop("files")
        path.unlink()
        archive.write(folder, facts, at=AT, destination=path.parent)
    with change(site, by="somebody"):
        Host(site=site, name="pi02", form="pi").save()
    job = done("drill_backup")
    assert job.state == "succeeded", job.message
    assert job.message.endswith("Nothing that was compared differs.")
    assert job.outcome["exports"] == 0
    told = list(job.events.filter(level="warning").values_list("text", flat=True))
    assert "No export of lab was compared: the backup says nothing of them." in told


def without_last_line(path: Path, name: str) -> None:
    """As if somebody had made it so: whole by its own sums, and not what its manifest counted."""
    with archive.workshop(path.parent) as folder:
        facts = archive.take_out(path, folder)
        lines = gzip.decompress((folder / name).read_bytes()).splitlines(keepends=True)
        (folder / name).write_bytes(gzip.compress(b"".join(lines[:-1])))
        facts.pop("files")
        path.unlink()
        archive.write(folder, facts, at=AT, destination=path.parent)


def test_what_a_killed_drill_left_goes_with_the_next_and_with_housekeeping(site):
    with scratch.place() as living:
        dead = scratch._root() / "0123456789ab"
        dead.mkdir()
        (dead / "secret_key").write_text("left")
        assert chores.end_drills() == "removed 1 places of broken drills"
        assert left() == [living.folder.name], "what somebody holds stays"
    assert left() == []


@pytest.mark.postgresql
def test_on_postgresql_the_database_of_a_killed_drill_goes_as_well():
    require_postgresql()
    with scratch._door():
        folder, lock = scratch._made()
    scratch._furnished(folder, lock)
    os.close(lock)
    assert databases() == {f"mgmtplane_drill_{folder.name}"}
    assert scratch.sweep() == 1
    assert not databases() and left() == []


def test_without_a_backup_there_is_nothing_to_drill(site):
    with pytest.raises(requests.Refused, match="There is no backup of this application yet"):
        requests.request("drill_backup", by="ada", why="to see")


def test_what_would_be_handed_out_next_is_what_is_handed_out(site):
    from inventory.allocation import Wanted, allocate

    foreseen = measuring.next_of(site, datetime.now(UTC))
    assert foreseen["address management"] == "192.0.2.11"
    host = {"host": "pi01", "interface": "eth1"}
    for question, wanted, field in (
        ("address management", Wanted(**host, address=True, segment="management"), "ipv4"),
        ("mac node", Wanted(**host, mac=True), "mac"),
    ):
        assert foreseen[question] == getattr(allocate("lab", wanted, by="ada", dry_run=True), field)


def test_differences_are_sentences():
    expected = {"exports": {"kea": "a", "bind": "b"}, "next": {"vmid": "201", "mac node": ""}}
    found = {"exports": {"kea": "a", "bind": "c"}, "next": {"vmid": "202", "mac node": "02:de:20:10:00:01"}}
    assert comparing.differing("lab", expected, found) == [
        "The export bind of lab is not what it was.",
        "The next vmid of lab is 202 instead of 201.",
        "The next mac node of lab is 02:de:20:10:00:01 instead of none.",
    ]
    refused = {"exports": {"kea": "REFUSED: UnsafeLine", "bind": "b"}}
    assert comparing.differing("lab", refused, refused) == []
    assert comparing.uncompared("lab", refused, refused) == [
        "Of lab these exports were not compared, since they could not be made: kea (UnsafeLine)."
    ]
    assert comparing.uncompared("lab", found, found) == []
    assert comparing.miscounted({"a": 1, "b": 2}, {"a": 1}) == ["b has 0 rows instead of 2."]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_in_any_step_it_leaves_the_living_alone_and_a_rerun_converges(tmp_path, settings):
    """Killed with what it started still running: that ends by itself, and what it holds goes then."""
    living = tmp_path / "living"
    manage(living, "migrate", "-v0")
    manage(living, "demo")
    manage(living, "backup", "create")
    (path,) = archive.archives(living / "backups")
    before = manage(living, "backup", "measure", "--at", AT.isoformat())
    for point in range(POINTS):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "backup", "drill"],
            cwd=REPOSITORY,
            env=environment(living),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(1 + (point * STEPS // POINTS + 1) % STEPS):  # the step's name is told when it begins
            process.stderr.readline()
        time.sleep(point % 4 / 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert archive.check(path) == []
    assert manage(living, "backup", "measure", "--at", AT.isoformat()) == before
    assert "Nothing differs." in manage(living, "backup", "drill")
    settings.DATA_DIR = living
    deadline = time.monotonic() + 600
    while left() and time.monotonic() < deadline:
        scratch.sweep()
        time.sleep(0.5)
    assert left() == []
