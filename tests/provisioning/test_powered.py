"""Ages in powered-on time: what was switched off does not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inventory.changes import change
from inventory.models import Site
from provisioning.backups import ages, archive
from provisioning.clockwork import powered
from provisioning.drills import ages as drills
from provisioning.engine.moments import database_now
from provisioning.models import Job, PoweredSpan

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


@pytest.mark.parametrize(
    ("spans", "since", "hours"),
    [
        ([], 0, 0),
        ([(0, 10)], 0, 10),
        ([(-5, 2), (8, 10)], 0, 4),
        ([(0, 3), (1, 2), (2, 5)], 0, 5),
        ([(-5, -3)], 0, 0),
        ([(8, 30)], 0, 2),
        ([(5, 1)], 0, 0),
    ],
    ids=[
        "never",
        "all the time",
        "off in between",
        "two machines",
        "before",
        "a clock ahead",
        "a clock put back",
    ],
)
def test_what_counts_is_the_time_in_which_somebody_was_heard(spans, since, hours):
    known = [(at(began), at(until)) for began, until in spans]
    assert powered.reckoned(known, at(since), at(10)) == hours * 3600


@pytest.fixture
def hears(monkeypatch):
    def hear() -> None:
        monkeypatch.setattr(powered, "_said", float("-inf"))
        powered.heard()

    return hear


@pytest.mark.django_db(transaction=True)
def test_a_span_goes_on_while_somebody_is_heard_and_another_begins_after_a_silence(hears):
    hears()
    hears()
    span = PoweredSpan.objects.get()
    assert span.until >= span.began
    powered.heard()
    assert PoweredSpan.objects.get().until == span.until, "twice a minute is enough"
    long_ago = span.until - timedelta(days=30)
    PoweredSpan.objects.update(began=long_ago - HOUR, until=long_ago)
    hears()
    assert PoweredSpan.objects.count() == 2
    assert powered.age(long_ago - 2 * HOUR) == pytest.approx(3600, abs=60)


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_put_back_begins_a_span(hears):
    ahead = database_now() + timedelta(days=300)
    PoweredSpan.objects.create(began=ahead - HOUR, until=ahead)
    hears()
    assert PoweredSpan.objects.count() == 2
    assert powered.age(database_now() - HOUR) < 60


@pytest.mark.django_db(transaction=True)
def test_after_weeks_in_the_dark_nobody_is_alarmed(settings, tmp_path):
    settings.BACKUP_DIR = tmp_path
    settings.BACKUP_EVERY_HOURS, settings.BACKUP_DRILL_EVERY_HOURS = 24, 168
    now = database_now()
    made = now - timedelta(days=40)
    with archive.workshop(tmp_path) as folder:
        (folder / "a").write_text("a")
        archive.write(folder, {}, at=made, destination=tmp_path)
    drilled(made, "succeeded")
    PoweredSpan.objects.create(began=made - 600 * HOUR, until=made + HOUR)
    PoweredSpan.objects.create(began=now - HOUR, until=now)
    assert (ages.silence(), drills.silence()) == ("", "")
    assert ages.powered_age() == pytest.approx(7200, abs=60)
    PoweredSpan.objects.create(began=now - 80 * HOUR, until=now)
    assert "newest backup of this application is 3 days" in ages.silence()
    assert drills.silence() == ""
    PoweredSpan.objects.create(began=now - 600 * HOUR, until=now)
    assert "last drill of the backup is 25 days" in drills.silence()


def drilled(when: datetime, state: str) -> Job:
    return Job.objects.create(kind="drill_backup", state=state, finished=when)


@pytest.mark.django_db(transaction=True)
def test_a_drill_that_failed_is_told_until_one_succeeds(settings, tmp_path):
    settings.BACKUP_DIR, settings.BACKUP_DRILL_EVERY_HOURS = tmp_path, 168
    now = database_now()
    drilled(now - 2 * HOUR, "failed")
    assert "the last drill of the backup failed" in drills.silence()
    drilled(now - HOUR, "cancelled")
    assert "the last drill of the backup failed" in drills.silence()
    drilled(now, "succeeded")
    assert drills.silence() == ""
    settings.BACKUP_DRILL_EVERY_HOURS = 0
    drilled(now, "failed")
    assert drills.silence() == ""


@pytest.mark.django_db(transaction=True)
def test_a_new_installation_is_not_alarmed_and_an_old_one_is_that_never_drilled(settings):
    settings.BACKUP_DRILL_EVERY_HOURS = 168
    assert drills.silence() == ""
    now = database_now()
    PoweredSpan.objects.create(began=now - 505 * HOUR, until=now)
    assert "was never drilled" in drills.silence()


@pytest.mark.django_db(transaction=True)
def test_a_drill_is_asked_for_when_the_last_is_too_long_ago_and_not_twice(settings, tmp_path, monkeypatch):
    settings.BACKUP_DIR, settings.BACKUP_DRILL_EVERY_HOURS = tmp_path, 168

    def look() -> int:
        monkeypatch.setattr(drills, "_looked", float("-inf"))
        drills.ask_when_due()
        return Job.objects.filter(kind="drill_backup", by_name="clock").count()

    assert look() == 0, "there is nothing to drill"
    with archive.workshop(tmp_path) as folder:
        (folder / "a").write_text("a")
        archive.write(folder, {}, at=database_now(), destination=tmp_path)
    done = drilled(database_now() - HOUR, "succeeded")
    assert look() == 0
    Job.objects.filter(pk=done.pk).update(
        finished=database_now() - 200 * HOUR, created=database_now() - 200 * HOUR
    )
    assert (look(), look()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_first_page_tells_ages_and_what_is_wrong_to_who_sees_jobs(
    settings, tmp_path, admin_client, client, django_user_model
):
    settings.BACKUP_DIR, settings.BACKUP_DRILL_EVERY_HOURS = tmp_path, 168
    settings.BACKUP_EVERY_HOURS = 24
    with change(Site(slug="lab", root_domain="example.net", block="192.0.2.0/24"), by="fixture"):
        pass
    text = admin_client.get("/admin/").content.decode()
    assert "There is no backup of this application; no backup was drilled yet." in text
    assert "There is no backup of this application yet" not in text, "a new installation is about to make one"
    now = database_now()
    PoweredSpan.objects.create(began=now - 50 * HOUR, until=now)
    assert "There is no backup of this application yet" in admin_client.get("/admin/").content.decode()
    with archive.workshop(tmp_path) as folder:
        (folder / "a").write_text("a")
        archive.write(folder, {}, at=now - 49 * HOUR, destination=tmp_path)
    drilled(now - 3 * HOUR, "succeeded")
    drilled(now, "failed")
    text = admin_client.get("/admin/").content.decode()
    assert "is 2 days of powered-on time old; the last drill of a backup was 3 hours ago." in text
    assert "The last drill of the backup failed" in text
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    client.force_login(reader)
    assert "drill" not in client.get("/admin/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_metrics_have_both_ages(settings, tmp_path):
    from provisioning import metrics

    settings.BACKUP_DIR = tmp_path
    now = database_now()
    PoweredSpan.objects.create(began=now - HOUR, until=now)
    drilled(now - 3 * HOUR, "succeeded")
    found = {family.name: [one.value for one in family.samples] for family in metrics._of_recovery()}
    assert found["mgmtplane_drill_age_seconds"] == [pytest.approx(3 * 3600, abs=60)]
    assert found["mgmtplane_drill_powered_age_seconds"] == [pytest.approx(3600, abs=60)]
    assert found["mgmtplane_backup_age_seconds"] == found["mgmtplane_backup_powered_age_seconds"] == []
