"""The browser: the list, the page of a job and its lines, asking, confirming, cancelling, and who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inventory.changes import change
from inventory.models import Authority, Grant, Site
from provisioning import requests, runner
from provisioning.admin import shown
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job

pytestmark = pytest.mark.django_db


def come(name: str, *grants: tuple[Site | None, str]) -> Client:
    user = User.objects.create_user(name, is_staff=True, is_superuser=not grants)
    for site, level in grants:
        Grant.objects.create(user=user, site=site, level=level)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(db) -> Client:
    return come("ada")


@pytest.fixture
def other(site) -> Site:
    found = Site(slug="other")
    with change(found, by="fixture"):
        pass
    return found


def ask(kind: str = "test_steps", **options) -> Job:
    return requests.request(kind, **{"by": "test", "why": "to see", **options})


def page(job: Job) -> str:
    return reverse("admin:provisioning_job_change", args=(job.pk,))


def act(job: Job, name: str) -> str:
    return reverse(f"admin:provisioning_job_{name}", args=(job.pk,))


def said(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="said-(\d+)"', html)]


def more_of(html: str) -> str:
    """Where the page asks for more."""
    return re.search(r'id="mp-more"[^>]* hx-get="([^"]+)"', html).group(1).replace("&amp;", "&")


# --- the list ---


def test_the_list_narrows_by_kind_state_machine_and_person(browser, site):
    first = ask(parameters={"name": "vm01"})
    second = ask("test_adds", site=site, by="kim")
    runner.run(second.pk)
    Job.objects.filter(pk=second.pk).update(schedule="lab/nightly")
    Job.objects.filter(pk=first.pk).update(created=timezone.now() - timedelta(days=8))
    at = reverse("admin:provisioning_job_changelist")
    assert f"#{first.pk}" in browser.get(at).content.decode()
    for query, found, missing in (
        ("of_kind=test_steps", first, second),
        ("state__exact=succeeded", second, first),
        ("machine=machine/vm01", first, second),
        ("by=kim", second, first),
        ("on_site=lab", second, first),
        (f"q={second.pk}", second, first),
        ("q=kim", second, first),
        ("schedule=lab/nightly", second, first),
        ("since=7", second, first),
    ):
        html = browser.get(f"{at}?{query}").content.decode()
        assert (f"#{found.pk}<" in html, f"#{missing.pk}<" in html) == (True, False), query


def test_a_list_without_jobs_says_what_there_will_be(browser, site):
    at = reverse("admin:provisioning_job_changelist")
    assert "No job was asked for yet." in browser.get(at).content.decode()
    ask()
    assert "No job was asked for yet." not in browser.get(at).content.decode()


def test_the_list_offers_what_can_be_asked_for_site_by_site(browser, site, other):
    page = browser.get(reverse("admin:provisioning_job_changelist")).content.decode()
    places = re.findall(r"<dt>(.*?)</dt>", page)
    assert places == ["Ask for", f"Ask for, at {site}", f"Ask for, at {other}"]
    address = reverse("admin:start_job_at", args=(site.slug, "survey"))
    assert f'<a href="{address}" aria-label="Survey at {site}">Survey</a>' in page


def test_the_list_asks_as_often_for_many_as_for_few(browser, site):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(reverse("admin:provisioning_job_changelist")).status_code == 200
        return len(captured)

    ask("test_adds", site=site)
    queries()
    few = queries()
    for _ in range(20):
        ask("test_adds", site=site)
    assert queries() == few


# --- the page ---


def test_the_page_shows_steps_plan_and_every_line(browser, site):
    job = ask("test_adds", site=site)
    runner.run(job.pk)
    html = browser.get(page(job)).content.decode()
    assert "The plan as it was carried out" in html
    assert "thing at lab" in html
    assert said(html) == [1, 2, 3, 4]
    assert 'id="mp-more"' not in html, "what is finished is not asked for again"


def test_after_a_workers_death_the_page_has_the_steps_of_every_attempt(browser, site):
    job = ask("test_adds", site=site)
    turn = runner._turn_of(runner.claim(job.pk))
    turn.step("look")
    turn.step("make it")
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert "As attempt" not in browser.get(page(job)).content.decode()
    runner.run(job.pk)
    job.refresh_from_db()
    found = [(step.attempt, step.name, step.state) for step in shown.steps_of(job)]
    assert found == [(1, "look", "done"), (1, "make it", "attempt ended"), (2, "add", "done")]
    html = browser.get(page(job)).content.decode()
    assert (
        "As attempt 2 made it, from what was there by then; what earlier attempts did stands under Steps."
        in html
    )
    assert "attempt 1" in html and "attempt ended" in html


def test_lines_follow_without_gaps_and_survive_a_reload(browser):
    job = ask()
    html = browser.get(page(job)).content.decode()
    assert said(html) == [1]
    more = more_of(html)
    turn = runner._turn_of(runner.claim(job.pk))
    for number in range(3):
        turn.event("info", f"line {number}")
    answer = browser.get(more).content.decode()
    assert said(answer) == [2, 3, 4, 5]
    assert 'hx-swap-oob="true"' in answer, "the state has moved"
    again = more_of(answer)
    turn.event("info", "one more")
    answer = browser.get(again).content.decode()
    assert said(answer) == [6]
    assert "hx-swap-oob" not in answer, "nothing moved but the lines"
    assert said(browser.get(page(job)).content.decode()) == [1, 2, 3, 4, 5, 6]
    runner._Ended(turn.job).succeeded()
    last = browser.get(again).content.decode()
    assert 'id="mp-more"' not in last
    assert "succeeded" in last


def test_a_long_log_is_shown_from_its_end(browser, monkeypatch):
    from provisioning.admin import shown

    monkeypatch.setattr(shown, "MOST", 3)
    job = ask()
    turn = runner._turn_of(runner.claim(job.pk))
    for number in range(8):
        turn.event("info", f"line {number}")
    html = browser.get(page(job)).content.decode()
    assert said(html) == [8, 9, 10]
    assert "7 earlier lines are left out" in html
    assert said(browser.get(f"{page(job)}?all=1").content.decode()) == list(range(1, 11))
    runner._Ended(turn.job).succeeded()
    answer = browser.get(f"{page(job)}?after=2").content.decode()
    assert said(answer) == [3, 4, 5]
    assert 'id="mp-more"' in answer, "there is more to fetch, though it is finished"


def test_what_a_job_says_is_text(browser):
    job = ask(parameters={"name": "<script>x</script>"})
    turn = runner._turn_of(runner.claim(job.pk))
    turn.event("info", "<script>alert(1)</script>")
    html = browser.get(page(job)).content.decode()
    assert "<script>alert(1)" not in html
    assert "<script>x" not in html


# --- what can be done ---


def test_a_plan_is_confirmed_on_its_page(browser):
    job = ask("test_removes")
    html = browser.get(page(job)).content.decode()
    assert "thing one" in html
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', html).group(1)
    stale = browser.post(act(job, "confirm"), {"fingerprint": "0" * 64}, follow=True).content.decode()
    assert "The plan is another by now" in stale
    job.refresh_from_db()
    assert job.state == "waiting"
    browser.post(act(job, "confirm"), {"fingerprint": fingerprint})
    job.refresh_from_db()
    assert (job.state, job.confirmed_by) == ("queued", "ada")


def test_a_job_is_cancelled_and_run_again_once(browser):
    job = ask(parameters={"name": "vm01"})
    assert browser.get(act(job, "cancel")).status_code == 302, "a visit does nothing"
    job.refresh_from_db()
    assert job.state == "queued"
    browser.post(act(job, "cancel"))
    job.refresh_from_db()
    assert job.state == "cancelled"
    key = re.search(r'name="key" value="(\w+)"', browser.get(page(job)).content.decode()).group(1)
    assert "Say why" in browser.post(act(job, "run_again"), {"key": key}, follow=True).content.decode()
    first = browser.post(act(job, "run_again"), {"key": key, "why": "again"})
    second = browser.post(act(job, "run_again"), {"key": key, "why": "again"})
    assert first["Location"] == second["Location"] != page(job)
    assert Job.objects.count() == 2


def test_the_authority_is_switched_from_form_to_declaration(browser, site):
    at = reverse("admin:start_job_at", args=("lab", "switch_authority"))
    html = browser.post(at, {"to": "gateway", "bootstrap_host": ""}).content.decode()
    assert "none declared → gateway" in html
    fields = {
        name: re.search(rf'name="{name}" value="(\w+)"', html).group(1) for name in ("key", "fingerprint")
    }
    assert "Say why" in browser.post(at, {"to": "gateway", **fields}).content.decode()
    moved = browser.post(
        at, {"to": "gateway", **fields, "fingerprint": "0" * 64, "why": "x"}
    ).content.decode()
    assert "The plan is another by now" in moved
    made = browser.post(at, {"to": "gateway", **fields, "why": "the router is back"})
    job = Job.objects.get()
    assert made["Location"] == page(job)
    assert job.state == "queued"
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    assert Authority.objects.get().by_name == "ada"


def test_housekeeping_is_started_by_who_may_everywhere(browser, site):
    at = reverse("admin:start_job", args=("housekeeping",))
    assert "clear sessions" in browser.post(at, {}).content.decode()
    html = come("kim", (site, "administrator")).get(at).content.decode()
    assert "You may not ask for this here" in html
    assert browser.get(reverse("admin:start_job", args=("switch_authority",))).status_code == 404


# --- who may ---


@pytest.mark.parametrize(
    ("level", "sees", "acts"),
    [("viewer", True, False), ("operator", True, True), ("administrator", True, True)],
)
def test_what_a_level_may_at_its_site(site, level, sees, acts):
    kim = come("kim", (site, level))
    job = ask("test_adds", site=site)
    assert (kim.get(page(job)).status_code == 200) == sees
    assert (kim.get(f"{page(job)}?after=0").status_code == 200) == sees
    assert (kim.post(act(job, "cancel")).status_code == 302) == acts
    job.refresh_from_db()
    assert (job.state == "cancelled") == acts


def test_jobs_of_other_sites_and_of_none_are_not_there(site, other):
    kim = come("kim", (other, "administrator"))
    hidden = [ask("test_adds", site=site), ask(), ask("test_removes")]
    mine = ask("test_adds", site=other)
    html = kim.get(reverse("admin:provisioning_job_changelist")).content.decode()
    assert f"#{mine.pk}<" in html
    for job in hidden:
        assert f"#{job.pk}<" not in html
        assert kim.get(page(job)).status_code == 302
        assert "Asked for" not in kim.get(f"{page(job)}?after=0").content.decode()
        for name in ("cancel", "confirm", "run_again"):
            assert kim.post(act(job, name), {"why": "x"}).status_code in (403, 404), name
        job.refresh_from_db()
        assert job.state in ("queued", "waiting")


def test_an_operator_starts_nothing_that_an_administrator_must(site):
    kim = come("kim", (site, "operator"))
    at = reverse("admin:start_job_at", args=("lab", "switch_authority"))
    assert (
        "it needs the permission inventory.add_authority" in kim.post(at, {"to": "gateway"}).content.decode()
    )
    job = ask("test_adds", site=site, by="ada")
    Job.objects.filter(pk=job.pk).update(
        kind="switch_authority", parameters={"to": "gateway"}, state="cancelled"
    )
    assert kim.post(act(job, "run_again"), {"why": "x"}).status_code == 403
    assert not Authority.objects.exists()


# --- the banner ---


def test_every_page_says_when_workers_went_silent(browser, site):
    words = "No worker for short jobs has been heard for a minute"
    index = reverse("admin:index")
    assert words not in browser.get(index).content.decode()
    job = ask()
    assert words in browser.get(page(job)).content.decode()
    assert words not in browser.get(index).content.decode()
    Job.objects.filter(pk=job.pk).update(created=DatabaseTime(-120))
    assert "No worker has been heard for a minute" in browser.get(index).content.decode()
    assert "No worker has been heard" not in Client().get("/admin/login/").content.decode()


# --- for monitoring ---


def test_metrics_count_jobs_by_state_and_the_age_of_workers(site, other):
    from inventory.models import Token
    from provisioning.engine import workers

    runner.run(ask("test_adds", site=site).pk)
    ask("test_adds", site=other)
    workers.heard("w1@here", ["short"], 4)
    text = Client().get("/metrics").content.decode()
    assert 'mgmtplane_jobs{site="lab",state="succeeded"} 1.0' in text
    assert 'mgmtplane_jobs{site="other",state="queued"} 1.0' in text
    assert 'mgmtplane_worker_age_seconds{queue="short"}' in text
    token = Token(name="of lab", site=site)
    plain = token.issue()
    token.save()
    text = Client(headers={"Authorization": f"Bearer {plain}"}).get("/metrics").content.decode()
    assert 'mgmtplane_jobs{site="lab",state="succeeded"} 1.0' in text
    assert 'site="other"' not in text


def test_a_web_server_is_ready_without_workers_and_says_that_they_are_away():
    job = ask()
    Job.objects.filter(pk=job.pk).update(created=DatabaseTime(-120))
    body = Client().get("/readyz").json()
    assert body["workers"].startswith("No worker has been heard for a minute")
    assert all(body[name] == "ok" for name in ("database", "broker"))
