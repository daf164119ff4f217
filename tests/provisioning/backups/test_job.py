"""Backups as jobs: asked for, kept in number, told when they are late."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from inventory.changes import change
from inventory.copying import copies
from inventory.exports.text import UnsafeLine
from inventory.models import Host, Site
from provisioning import requests, runner
from provisioning.backups import ages, archive, making, measuring, tables
from provisioning.engine.moments import database_now
from provisioning.models import Job, PoweredSpan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def place(settings, tmp_path, monkeypatch) -> Path:
    settings.BACKUP_DIR = tmp_path / "backups"
    monkeypatch.setattr(ages, "_looked", float("-inf"))
    return tmp_path / "backups"


@pytest.fixture
def site() -> Site:
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(site, by="fixture"):
        Host(site=site, name="pi01", form="pi").save()
    return site


def back_up() -> Job:
    job = requests.request("backup_application", by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    return job


def old(place: Path, days: int) -> Path:
    at = datetime.now(UTC) - timedelta(days=days)
    with archive.workshop(place) as folder:
        (folder / "a").write_text("a")
        return archive.write(folder, {}, at=at, destination=place)


def test_a_job_makes_one_and_keeps_the_newest(site, place, settings):
    settings.BACKUP_KEEP = 2
    gone, stays = old(place, 3), old(place, 2)
    job = back_up()
    assert job.state == "succeeded", job.message
    assert archive.archives(place) == [place / job.outcome["archive"], stays]
    assert not gone.exists()
    assert job.outcome["removed"] == 1 and job.outcome["rows"] > 10
    assert archive.check(place / job.outcome["archive"]) == []


def test_without_a_seal_the_secret_key_stays_out_and_the_plan_says_so(site, place):
    plan = requests.show_plan("backup_application", by="ada")
    assert plan.warnings == (making.UNSEALED,)
    job = back_up()
    assert making.SEALED not in archive.read_manifest(place / job.outcome["archive"])["files"]


@pytest.fixture
def kea_ends_with(monkeypatch):
    """Have the export kea raise what is given."""
    document = measuring.renderings.document

    def have(error: Exception) -> None:
        def rendered(slug, format, **more):
            if format == "kea":
                raise error
            return document(slug, format, **more)

        monkeypatch.setattr(measuring.renderings, "document", rendered)

    return have


def test_an_export_that_refuses_what_is_declared_is_named_and_stops_no_backup(site, place, kea_ends_with):
    kea_ends_with(UnsafeLine("line 3"))
    job = back_up()
    assert job.state == "succeeded", job.message
    told = list(job.events.filter(level="warning").values_list("text", flat=True))
    assert (
        "Of lab these exports cannot be made, and are not compared after a restore: kea (UnsafeLine), "
        "kea?authority=bootstrap (UnsafeLine), kea?authority=gateway (UnsafeLine). manage.py export FORMAT --site lab says "
        "why." in told
    )
    exports = archive.read_manifest(place / job.outcome["archive"])["sites"]["lab"]["exports"]
    assert exports["kea"] == "REFUSED: UnsafeLine" and len(exports["bind"]) == 64


def test_a_database_that_is_away_is_no_export_that_refuses(site, place, kea_ends_with):
    kea_ends_with(OperationalError("the connection is closed"))
    with pytest.raises(OperationalError):
        making.create(place, making.Lock())


@pytest.mark.parametrize(("times", "compared"), [(1, True), (making.ATTEMPTS, False)])
def test_a_site_that_is_changed_meanwhile_is_rendered_again(site, place, times, compared):
    left = [f"pi1{number}" for number in range(times)]

    def step(name: str) -> None:
        if name == "copy every row" and left:
            with change(site, by="somebody"):
                Host(site=site, name=left.pop(), form="pi").save()

    made = making.create(place, making.Lock(), step=step)
    lab = archive.read_manifest(made.path)["sites"]["lab"]
    assert lab["revision"] == 1 + times and bool(lab["exports"]) == compared
    if compared:
        assert lab["exports"] == measuring.exports_of("lab")
        assert made.warnings == (making.UNSEALED,)
    else:
        assert made.warnings[0].startswith("lab was changed again and again while this was made")


def test_a_place_that_cannot_be_written_fails_it_in_words(site, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.BACKUP_DIR = tmp_path / "file" / "below"
    job = back_up()
    assert job.state == "failed"
    assert "give another place" in job.message


def test_it_is_asked_for_when_the_newest_is_too_old_and_not_twice(site, place, settings, monkeypatch):
    settings.BACKUP_EVERY_HOURS = 24
    old(place, 2)
    for _ in range(2):
        monkeypatch.setattr(ages, "_looked", float("-inf"))
        ages.ask_when_due()
    (job,) = Job.objects.filter(kind="backup_application")
    assert (job.by_name, job.state) == ("clock", "queued")


def test_a_fresh_one_and_an_empty_installation_are_left_alone(place, settings):
    settings.BACKUP_EVERY_HOURS = 24
    ages.ask_when_due()
    assert not Job.objects.exists(), "nothing is declared: nothing to lose"
    with change(Site(slug="lab", root_domain="example.net", block="192.0.2.0/24"), by="fixture"):
        pass
    old(place, 0)
    ages._looked = float("-inf")
    ages.ask_when_due()
    assert not Job.objects.exists()


def test_a_late_one_is_told(place, settings):
    settings.BACKUP_EVERY_HOURS = 24
    assert "there is no backup" in ages.silence()
    old(place, 4)
    assert ages.silence() == "", "nobody was heard since: the power was off"
    now = database_now()
    PoweredSpan.objects.create(began=now - timedelta(days=9), until=now)
    assert "is 4 days" in ages.silence()
    old(place, 1)
    assert ages.silence() == ""
    settings.BACKUP_EVERY_HOURS = 0
    os.unlink(archive.archives(place)[0])
    assert ages.silence() == ""


def test_a_clock_that_is_behind_costs_no_archive_and_is_told(site, place, settings):
    settings.BACKUP_KEEP = 2
    ahead = [old(place, -days) for days in (2, 1)]
    job = back_up()
    assert job.state == "succeeded", job.message
    assert archive.archives(place) == [ahead[0], place / job.outcome["archive"]]
    assert (
        "the clock of this machine is behind" in job.events.get(level="warning", text__contains="clock").text
    )


def test_a_read_only_copy_misses_no_backup(site, settings):
    settings.BACKUP_EVERY_HOURS = 24
    assert "there is no backup" in ages.silence()
    copies.renew("an archive")
    assert ages.silence() == ""


@pytest.mark.parametrize("words", [("create",), ("restore", "mgmtplane.tar")])
def test_an_empty_passphrase_is_none(site, place, monkeypatch, words):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(CommandError, match="Standard input has no passphrase"):
        call_command("backup", *words, "--passphrase-stdin")
    assert archive.archives(place) == []


def test_every_table_is_either_kept_or_left_out_on_purpose():
    labels = {model._meta.label_lower for model in tables.kept()}
    assert {
        "inventory.host",
        "inventory.historicalhost",
        "auth.user",
        "provisioning.job",
        "inventory.token",
    } <= labels
    assert not {label for label in labels if label.startswith(("sessions.", "axes.", "provisioning.worker"))}


def test_one_of_the_future_does_not_count_and_is_told(site, place, settings):
    settings.BACKUP_EVERY_HOURS = 24
    right = old(place, 2)
    old(place, -400)
    assert archive.newest(place) == right
    assert ages.silence().startswith("1 archives in BACKUP_DIR are of the future")
    ages.ask_when_due()
    assert Job.objects.filter(kind="backup_application").exists()


def test_a_place_that_cannot_be_read_is_told_and_stops_nothing(site, place, settings):
    settings.BACKUP_EVERY_HOURS = 24
    place.symlink_to(place)
    assert ages.silence().startswith("BACKUP_DIR cannot be read")
    assert ages.age_seconds() is None and ages.powered_age() is None
    for kind in ("backup_application", "drill_backup"):
        with pytest.raises(requests.Refused, match="cannot be read"):
            requests.request(kind, by="ada", why="to see")
    ages.ask_when_due()


def test_a_name_of_an_impossible_date_is_no_archives(site, place, settings):
    settings.BACKUP_EVERY_HOURS = 24
    right = old(place, 0)
    (place / "mgmtplane-20269999T999999Z-0123456789abcdef.tar").write_text("")
    assert archive.archives(place) == [right]
    assert ages.silence() == ""
