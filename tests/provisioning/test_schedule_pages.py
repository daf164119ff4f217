"""The browser's side of schedules: list, page, first one, running now, and the banner when one is red."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.changes import change
from inventory.models import Change, Grant, Schedule, Site
from provisioning.clockwork import clock
from provisioning.models import Job, ScheduleState

pytestmark = pytest.mark.django_db
LIST = "/admin/inventory/schedule/"


@pytest.fixture(autouse=True)
def _nothing_was_judged():
    clock._judged.clear()


def come(name: str, site: Site | None = None, level: str = "operator") -> Client:
    user = User.objects.create_user(name, is_staff=True, is_superuser=site is None)
    if site is not None:
        Grant.objects.create(user=user, site=site, level=level)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(site) -> Client:
    return come("kim", site)


def declare(site: Site, name: str = "adding", **facts) -> Schedule:
    schedule = Schedule(
        site=site, name=name, **{"kind": "test_adds", "every_hours": 1, "why": "to see", **facts}
    )
    with change(site, by="fixture"):
        schedule.save()
    return schedule


def page(schedule: Schedule) -> str:
    return f"{LIST}{schedule.pk}/change/"


def form(**facts) -> dict[str, str]:
    return {
        "name": "nightly", "kind": "survey", "parameters": "", "cron": "30 2 * * *", "every_hours": "",
        "time_zone": "Europe/Berlin", "enabled": "on", "why": "VMIDs", **facts,
    }  # fmt: skip


def test_a_site_without_one_is_offered_a_survey_every_hour(browser, site):
    html = browser.get(LIST).content.decode()
    assert "Survey lab every hour" in html
    made = browser.post("/admin/site/lab/hourly-survey/")
    schedule = Schedule.objects.get()
    assert made["Location"] == page(schedule)
    assert (schedule.kind, schedule.every_hours, schedule.owner) == ("survey", 1, "kim")
    assert Change.objects.latest("id").by_name == "kim"
    assert "Survey lab every hour" not in browser.get(LIST).content.decode()
    assert browser.post("/admin/site/lab/hourly-survey/").status_code == 302
    assert Schedule.objects.count() == 1
    assert browser.get("/admin/site/lab/hourly-survey/").status_code == 405


def test_one_is_written_and_belongs_to_who_wrote_it(browser, site):
    assert "hv01" in browser.get(f"{LIST}add/?site={site.pk}").content.decode(), (
        "the help says how parameters are written"
    )
    made = browser.post(f"{LIST}add/", {"site": site.pk, **form()})
    assert made.status_code == 302, made.context["adminform"].form.errors
    schedule = Schedule.objects.get()
    assert (schedule.name, schedule.cron, schedule.time_zone, schedule.owner, schedule.parameters) == (
        "nightly", "30 2 * * *", "Europe/Berlin", "kim", {},
    )  # fmt: skip
    other = come("lee", site)
    shown = other.get(page(schedule)).content.decode()
    version = re.search(r'name="version" value="([^"]*)"', shown)
    data = form(every_hours="6", cron="") | ({"version": version.group(1)} if version else {})
    assert other.post(page(schedule), data).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.every_hours, schedule.owner) == (6, "lee")


@pytest.mark.parametrize(
    ("facts", "field", "message"),
    [
        ({"cron": "every night"}, "cron", "has 2 fields"),
        ({"parameters": "host: hv99"}, "parameters", "host: lab has no host hv99."),
        ({"parameters": "colour: red"}, "parameters", "colour: There is no such parameter"),
        (
            {"parameters": "host: PVEAPIToken=a@pve!b=11112222-3333"},
            "parameters",
            "A secret has no place here",
        ),
        (
            {"kind": "switch_authority", "parameters": "to: gateway"},
            "kind",
            "may not start switch_authority at lab",
        ),
        ({"kind": "destroy_vm"}, "kind", "Select a valid choice"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "no time zone"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(browser, site, facts, field, message):
    answer = browser.post(f"{LIST}add/", {"site": site.pk, **form(**facts)})
    assert answer.status_code == 200 and not Schedule.objects.exists()
    assert message in " ".join(answer.context["adminform"].form.errors[field])


def test_the_page_shows_the_next_runs_in_both_time_zones(browser, site):
    schedule = declare(site, cron="30 2 1 1 *", every_hours=None, time_zone="Asia/Tokyo")
    browser.cookies["mgmtplane_timezone"] = "Europe/Berlin"
    html = browser.get(page(schedule)).content.decode()
    assert (
        len(
            re.findall(r"-12-31 18:30</time> <span class=\"mp-quiet\">\(\d{4}-01-01 02:30 Asia/Tokyo\)", html)
        )
        == 5
    )
    assert "-12-31 18:30" in browser.get(LIST).content.decode()
    assert "It has not run yet." in html


def test_it_is_run_now_in_the_name_of_who_asks(browser, site):
    schedule = declare(site, owner="somebody else")
    run = reverse("admin:inventory_schedule_run_now", args=(schedule.pk,))
    shown = browser.get(page(schedule)).content.decode()
    assert f'action="{run}"' in shown and f'href="{run}"' not in shown
    browser.get(run)
    assert not Job.objects.exists(), "a visit starts nothing"
    asked = browser.post(run)
    job = Job.objects.get()
    assert asked["Location"] == reverse("admin:provisioning_job_change", args=(job.pk,))
    assert (job.by_name, job.schedule, job.why) == ("kim", "lab/adding", "Schedule adding, now: to see")
    assert f"queued, job {job.pk}" in browser.get(LIST).content.decode()
    assert "Add at lab" in browser.get(page(schedule)).content.decode()


def test_what_cannot_be_run_now_says_why(browser, site):
    schedule = declare(site, kind="brew_coffee")
    answer = browser.post(reverse("admin:inventory_schedule_run_now", args=(schedule.pk,)), follow=True)
    assert "There are no jobs of the kind" in answer.content.decode() and not Job.objects.exists()


def test_a_red_one_is_told_in_list_page_banner_and_metrics(browser, site):
    schedule = declare(site, kind="brew_coffee")
    declare(site, "fine")
    clock.tick()
    clock.tick()
    said = "There are no jobs of the kind “brew_coffee”"
    first = browser.get("/admin/").content.decode()
    assert "cannot be carried out" in first and page(schedule) in first and said in first
    assert said in browser.get(page(schedule)).content.decode()
    listed = browser.get(f"{LIST}?red=1").content.decode()
    assert ">adding<" in listed and ">fine<" not in listed
    told = browser.get("/metrics").content.decode()
    assert 'mgmtplane_schedules{site="lab",state="red"} 1.0' in told
    assert 'mgmtplane_schedules{site="lab",state="ok"} 1.0' in told
    schedule.enabled = False
    with change(site, by="fixture"):
        schedule.save()
    assert "cannot be carried out" not in browser.get("/admin/").content.decode(), (
        "what is off troubles nobody"
    )


def test_other_sites_see_nothing_of_it(browser, site):
    other = Site(slug="other")
    with change(other, by="fixture"):
        pass
    theirs = declare(other, "secret-name", kind="brew_coffee")
    clock.tick()
    clock.tick()
    assert ScheduleState.objects.get().fault
    for address in ("/admin/", LIST):
        assert "secret-name" not in browser.get(address).content.decode()
    assert browser.get(page(theirs)).status_code == 302
    run = reverse("admin:inventory_schedule_run_now", args=(theirs.pk,))
    assert browser.post(run).status_code in (403, 404) and not Job.objects.exists()
    assert browser.post("/admin/site/other/hourly-survey/").status_code == 404


def test_a_viewer_looks_and_starts_nothing(site):
    schedule = declare(site)
    viewer = come("lou", site, "viewer")
    html = viewer.get(page(schedule)).content.decode()
    assert "Runs" in html and ">Run now<" not in html
    assert viewer.post(reverse("admin:inventory_schedule_run_now", args=(schedule.pk,))).status_code == 403
    assert viewer.post("/admin/site/lab/hourly-survey/").status_code == 403
    assert "Survey lab every hour" not in viewer.get(LIST).content.decode()


def test_the_list_asks_as_often_for_many_as_for_few(browser, site):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(LIST).status_code == 200
        return len(captured)

    declare(site)
    clock.tick()
    queries()
    few = queries()
    for number in range(10):
        declare(site, f"s{number}")
    clock.tick()
    assert queries() == few
