"""A database that was put back goes on above what consumers saw, and does nothing that was done once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inventory.changes import change
from inventory.door import bulk_allowed
from inventory.models import Change, Schedule, Site
from mgmtplane.upgrading import inside, settling
from provisioning import requests
from provisioning.models import Job, ScheduleState

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, why="made for a test"):
        Schedule(site=lab, name="nightly", kind="build_kit", every_hours=1, why="a kit at hand").save()
    return Site.objects.get()


@pytest.fixture
def newer(site: Site) -> dict[str, Any]:
    """What the newer version had come to: four revisions and a promotion on, one of two jobs done."""
    schedule = Schedule.objects.get()
    ScheduleState.objects.create(schedule=schedule, timing="x", handled=timezone.now() - timedelta(days=1))
    for kind in ("build_kit", "housekeeping"):
        requests.request(kind, site=site if kind == "build_kit" else None, by="ada", why="look")
    found = settling.reached()
    found["sites"]["lab"][:2] = [site.revision + 4, 2]
    found["jobs"][str(Job.objects.get(kind="build_kit").pk)] = "succeeded 1"
    found["schedules"][str(schedule.pk)] = str(timezone.now().replace(tzinfo=None))
    return found


def test_it_is_above_what_was_seen_and_repeats_nothing(site, newer):
    kept = site.revision
    said = settling.settle(newer)
    assert said[0].startswith(f"lab: what was revision {kept} is revision {kept + 5} now")
    assert said[1].startswith("1 jobs that the newer version went on with are over")
    site.refresh_from_db()
    assert (site.revision, site.epoch) == (kept + 5, 2)
    assert Change.objects.get(revision=kept + 5).why.startswith("Gone back by make upgrade-back")
    done, untouched = Job.objects.get(kind="build_kit"), Job.objects.get(kind="housekeeping")
    assert (done.state, untouched.state) == ("cancelled", "queued")
    assert done.finished and "ask anew" in done.message
    assert timezone.now() - ScheduleState.objects.get().handled < timedelta(minutes=10)


def test_done_again_it_does_nothing_and_what_did_not_move_stays(site, newer):
    settling.settle(newer)
    assert settling.settle(newer) == []
    site.refresh_from_db()
    before = site.revision
    assert settling.settle(settling.reached()) == []
    site.refresh_from_db()
    assert site.revision == before


def renamed(newer: dict[str, Any]) -> dict[str, Any]:
    """The newer version had the site under another name, and another one under this name."""
    lab = newer["sites"].pop("lab")
    return {**newer, "sites": {"lab": [99, 7, "0" * 32], "laboratory": lab}}


def test_a_site_that_was_renamed_meanwhile_is_above_too(site, newer):
    kept = site.revision
    assert settling.settle(renamed(newer))[0].startswith(
        f"lab: what was revision {kept} is revision {kept + 5}"
    )
    site.refresh_from_db()
    assert (site.revision, site.epoch) == (kept + 5, 2)


def test_where_no_uid_was_written_down_it_goes_by_name(site, newer):
    kept = site.revision
    newer["sites"]["lab"].pop()  # as the version before this one wrote it
    settling.settle(newer)
    site.refresh_from_db()
    assert (site.revision, site.epoch) == (kept + 5, 2)


def test_any_write_is_another_digest(site, tmp_path):
    def digest() -> str:
        inside.rows(str(tmp_path / "rows"))
        return (tmp_path / "rows").read_text()

    before = digest()
    assert digest() == before
    with bulk_allowed():
        Site.objects.update(root_domain="example.org")
    assert digest() != before
