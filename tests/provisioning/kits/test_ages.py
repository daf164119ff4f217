"""When a kit is asked for, and what is said of one that is old or did not arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from inventory.changes import change
from inventory.copying import copies
from inventory.models import Change, Host, KitPlace, Site
from provisioning import runner
from provisioning.engine.moments import database_now
from provisioning.kits import ages, states
from provisioning.kits.delivering import Brought
from provisioning.models import Job, KitState, PoweredSpan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(settings) -> Site:
    settings.KIT_EVERY_HOURS, settings.KIT_AFTER_CHANGE_MINUTES = 24, 30
    lab = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(lab, by="fixture"):
        Host(site=lab, name="pi01", form="pi").save()
        KitPlace(site=lab, name="stick", kind="mount", location="/media/stick").save()
    return Site.objects.get()


def changed(ago: timedelta) -> None:
    Change.objects.update(at=database_now() - ago)


def aged(site: Site, ago: timedelta, **more: object) -> None:
    """The kit is of so long ago, and the lab was on ever since."""
    now = database_now()
    KitState.objects.filter(site=site).update(arrived=now - ago, **more)
    PoweredSpan.objects.create(began=now - ago, until=now)


def why(_: Site) -> list[str]:
    return [reason for _, reason in ages.due()]


def test_a_site_gets_its_kit_once_it_rests(site):
    assert why(site) == []
    changed(timedelta(minutes=29))
    assert why(site) == []
    changed(timedelta(minutes=31))
    assert why(site) == ["The site was changed."]
    states.built(site, site.revision)
    assert why(site) == []


def test_a_site_that_never_rests_gets_it_all_the_same(site):
    changed(timedelta(hours=5))
    with change(site, by="ada"):
        Host(site=site, name="pi02", form="pi").save()
    assert why(site) == ["The site was changed."]


def test_one_that_is_too_old_is_built_anew(site, settings):
    states.built(site, site.revision)
    aged(site, timedelta(hours=25))
    assert why(site) == ["The newest kit is too old."]


def test_the_clock_asks_once(site, monkeypatch):
    changed(timedelta(hours=1))
    for _ in range(2):
        monkeypatch.setattr(ages, "_looked", float("-inf"))
        ages.ask_when_due()
    (job,) = Job.objects.all()
    assert (job.kind, job.by_name, job.why) == ("build_kit", "clock", "The site was changed.")


def test_what_is_old_or_did_not_arrive_is_told(site, client, admin_client):
    states.built(site, site.revision)
    states.brought(site, site.revision, [Brought("stick", "Nothing is mounted at /media/stick.")], ["stick"])
    assert "1 recovery kits are old or did not arrive" in ages.silence()
    assert "lab" not in client.get("/readyz").json()["kits"], "anybody reads it"
    page = admin_client.get("/admin/").content.decode()
    assert "The recovery kit of lab never arrived at stick." in page
    states.brought(site, site.revision, [Brought("stick")], ["stick"])
    assert ages.silence() == ""
    aged(site, timedelta(hours=80))
    assert "is 3 days, 8:00:00 of powered-on time old" in admin_client.get("/admin/").content.decode()
    assert (
        'mgmtplane_kit_revisions_behind{place="stick",site="lab"} 0.0'
        in admin_client.get("/metrics").content.decode()
    )


def test_a_read_only_copy_is_told_nothing_asks_for_none_and_brings_none(site, admin_client):
    states.built(site, site.revision)
    aged(site, timedelta(hours=80))
    changed(timedelta(hours=1))
    copies.renew("an archive")
    assert ages.silence() == "" and why(site) == []
    assert "The recovery kit of lab" not in admin_client.get("/admin/").content.decode()
    with pytest.raises(CommandError, match="promote lab"):
        call_command("recovery_kit", "deliver", site="lab")


def test_a_lab_that_was_switched_off_is_not_told_of_it(site):
    states.built(site, site.revision)
    states.brought(site, site.revision, [Brought("stick")], ["stick"])
    KitState.objects.update(arrived=database_now() - timedelta(days=30))
    assert ages.silence() == ""


def test_a_kit_that_was_never_built_is_told_once_the_site_is_older_than_a_kit_may_be(
    site, settings, admin_client
):
    with change(site, by="ada") as the_change:
        the_change.delete(KitPlace.objects.filter(name="stick"))
    changed(timedelta(days=30))
    assert ages.silence() == "", "the lab was off"
    now = database_now()
    PoweredSpan.objects.create(began=now - timedelta(hours=23), until=now)
    assert ages.silence() == ""
    PoweredSpan.objects.update(began=now - timedelta(hours=25))
    assert "1 recovery kits are old or did not arrive" in ages.silence()
    told = "No recovery kit of lab was ever built; ask for the job build_kit."
    assert told in admin_client.get("/admin/").content.decode()
    assert 'place="",site="lab"' not in admin_client.get("/metrics").content.decode(), "no age is told of it"
    states.built(site, site.revision)
    assert ages.silence() == ""


def test_many_sites_take_no_more_queries_than_one(site, django_assert_num_queries):
    for number in range(6):
        other = Site(slug=f"lab{number}", root_domain="example.net", block="192.0.2.0/24")
        with change(other, by="fixture"):
            Host(site=other, name="pi01", form="pi").save()
        if number % 2:
            states.built(other, other.revision)
    with django_assert_num_queries(9):
        assert len(ages.newest()) == 8, "seven sites, and the place of one"


def test_the_first_kit_is_asked_for_where_no_change_asks_for_one(site, settings):
    settings.KIT_AFTER_CHANGE_MINUTES = 0
    assert why(site) == ["There is no kit yet."]
    states.built(site, site.revision)
    assert why(site) == []


def test_a_job_builds_delivers_and_names_what_failed(site, settings, tmp_path):
    from provisioning import requests

    settings.KIT_DIR, settings.BACKUP_DIR = tmp_path / "kits", tmp_path / "backups"
    (tmp_path / "share").mkdir()
    with change(site, by="ada"):
        KitPlace(site=site, name="share", location=str(tmp_path / "share")).save()
    job = requests.request("build_kit", site=site, by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "did not arrive at 1 of 2 places: stick (" in job.message
    assert (job.outcome["delivered"], job.outcome["not_delivered"]) == (["share"], ["stick"])
    assert (tmp_path / "share" / "lab" / "index.html").exists()
    rows = dict(KitState.objects.values_list("place", "fault"))
    assert (rows[""], rows["share"]) == ("", "") and "Nothing is mounted at" in rows["stick"]
    with change(site, by="ada") as the_change:
        the_change.delete(KitPlace.objects.filter(name="stick"))
    job = requests.request("build_kit", site=site, by="ada", why="again")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    assert set(KitState.objects.values_list("place", flat=True)) == {"", "share"}
