"""Unlocking in the browser's pages, over the API and from a shell: what they do, and that they repeat no secret."""

from __future__ import annotations

import io
import logging

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory import vault
from inventory.changes import change
from inventory.models import Grant, JobTemplate, Project, Token
from provisioning import requests, runner, states
from provisioning.keeper import client
from provisioning.models import Job, Unlocking
from tests.provisioning.keeping import keeper  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("keeper")]

SECRET = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _nothing_held(keeper):  # noqa: F811
    for one in client.held():
        client.drop(one.scope)


@pytest.fixture
def browser(site):
    person = User.objects.create_user("olga", password="x", is_staff=True)
    Grant.objects.create(user=person, site=site, level="operator")
    found = Client()
    found.force_login(person)
    return found


@pytest.fixture
def declared(site):
    """Job templates that ask for a vault password and a key, and a value that the password opens."""
    with change(site, by="fixture", why="a template"):
        site.variables = {"vault_token": {"__ansible_vault": vault.encrypt(b"hidden", SECRET.encode())}}
        site.save()
        project = Project(site=site, name="lab", source="directory", location="/srv/lab")
        project.save()
        JobTemplate(
            site=site,
            name="base",
            project=project,
            playbook="site.yml",
            vault_secrets={"default": "unlock:vault"},
            ssh_key="unlock:deploy",
        ).save()
    return site


def waiting(site, references: str = "unlock:vault") -> Job:
    job = requests.request("test_locked", site=site, parameters={"name": references}, by="test", why="to see")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == states.WAITING
    return job


def text(answer) -> str:
    return answer.content.decode()


AT = "/admin/site/lab/unlocked/"


# --- the page of a site ---


def test_the_page_names_what_is_asked_for_and_who_asks(browser, declared):
    page = text(browser.get(AT))
    assert (
        page.index("deploy")
        < page.index("Asked for by job template base")
        < page.index("Private key for deploy")
    )
    assert page.count('<span class="mp-badge">locked</span>') == 2
    assert 'type="password" name="value" required autocomplete="off"' in page


def test_unlocking_shows_until_when_and_by_whom_and_locks_again(browser, declared):
    answer = browser.post(
        AT, {"act": "unlock", "name": "vault", "value": SECRET, "minutes": "5"}, follow=True
    )
    page = text(answer)
    assert "vault is unlocked until" in page
    assert 'data-seconds-left="30' in page or 'data-seconds-left="29' in page
    assert "by olga" in page and "Lock vault now" in page
    assert SECRET not in page
    first = text(browser.get("/admin/"))
    assert "Unlocked at lab" in first and "Lock all of lab" in first
    assert "Unlocked at lab" in text(browser.get("/admin/provisioning/job/"))  # on every page
    page = text(browser.post(AT, {"act": "lock", "name": "vault"}, follow=True))
    assert "Locked: vault." in page
    assert "Unlocked at lab</a>:" not in page
    assert client.held() == []


def test_all_is_locked_by_one_button(browser, site):
    for name in ("one", "two"):
        client.hold("site/lab", name, SECRET, seconds=60, by="anna")
    assert "Locked: one, two." in text(browser.post(AT, {"act": "lock_all"}, follow=True))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"value": "wrong horse"}, "does not open what is sealed at site lab, vault_token"),
        ({"value": ""}, "Nothing was entered."),
        ({"minutes": "1000"}, "1 to 480 minutes"),
        ({"minutes": "many"}, "for how many minutes, as a number"),
        ({"name": "no blanks"}, "A name has letters"),
        ({"act": "sing"}, "Nothing of that name can be done here"),
    ],
)
def test_what_is_refused_says_why_and_does_not_come_back(browser, declared, given, said):
    asked = {"act": "unlock", "name": "vault", "value": SECRET, "minutes": "5", **given}
    answer = browser.post(AT, asked)
    assert answer.status_code == 200
    assert said in text(answer)
    assert SECRET not in text(answer) and "wrong horse" not in text(answer)
    assert client.held() == []


def test_without_a_keeper_the_page_says_how_to_start_one(browser, site, keeper):  # noqa: F811
    keeper.kill()
    try:
        assert "manage.py keeper" in text(browser.get(AT))
        answer = browser.post(AT, {"act": "unlock", "name": "vault", "value": SECRET, "minutes": "5"})
        assert "manage.py keeper" in text(answer) and SECRET not in text(answer)
        assert browser.get("/admin/").status_code == 200
    finally:
        keeper.start()


@pytest.mark.parametrize("at", [AT, "/admin/", "/admin/provisioning/job/"])
def test_a_page_asks_no_more_where_more_is_unlocked_and_waits(browser, declared, at):
    def asked() -> int:
        browser.get(at)
        with CaptureQueriesContext(connection) as seen:
            browser.get(at)
        return len(seen)

    for number in (1, 2):
        waiting(declared)
        requests.unlock(declared, f"few{number}", SECRET, minutes=5, by="anna")
    few = asked()
    for number in range(6):
        waiting(declared)
        requests.unlock(declared, f"many{number}", SECRET, minutes=5, by="anna")
    assert asked() == few


def test_who_may_not_unlock_sees_nothing_of_it(site):
    person = User.objects.create_user("vera", is_staff=True)
    Grant.objects.create(user=person, site=site, level="viewer")
    viewer = Client()
    viewer.force_login(person)
    client.hold("site/lab", "vault", SECRET, seconds=60, by="anna")
    assert viewer.get(AT).status_code == 403
    assert "Unlocked at lab" not in text(viewer.get("/admin/"))


# --- the page of a job ---


def enter(browser, job: Job, **given: str):
    return browser.post(reverse("admin:provisioning_job_enter", args=(job.pk,)), given, follow=True)


def test_a_waiting_job_asks_for_what_it_needs_and_goes_on(browser, declared):
    job = waiting(declared, "unlock:vault unlock:other")
    page = text(browser.get(reverse("admin:provisioning_job_change", args=(job.pk,))))
    assert "needs unlock" in page
    assert 'type="password" name="secret:vault"' in page and 'name="secret:other"' in page
    page = text(enter(browser, job, **{"secret:other": "another", "hold": "job"}))
    assert 'name="secret:vault"' in page and 'name="secret:other"' not in page
    page = text(enter(browser, job, **{"secret:vault": SECRET, "hold": "site", "minutes": "7"}))
    job.refresh_from_db()
    assert job.state == states.QUEUED
    assert SECRET not in page
    assert [(one.scope, one.name) for one in client.held()] == [
        (f"job/{job.pk}", "other"),
        ("site/lab", "vault"),
    ]


@pytest.mark.parametrize("given", [{}, {"secret:vault": " "}, {"secret:strange": SECRET}])
def test_nothing_entered_leaves_it_waiting(browser, site, given):
    job = waiting(site)
    assert "Nothing was entered." in text(enter(browser, job, **given))
    job.refresh_from_db()
    assert job.state == states.WAITING


def test_a_wrong_password_for_one_job_is_refused_there(browser, declared):
    job = waiting(declared)
    page = text(enter(browser, job, **{"secret:vault": "wrong horse", "hold": "job"}))
    assert "This is not the vault password" in page and "wrong horse" not in page
    assert client.held() == []


# --- API ---


@pytest.fixture
def api(site):
    token = Token(name="ci", scope="provision", site=site)
    bearer = token.issue()
    token.save()
    return Client(headers={"Authorization": f"Bearer {bearer}"})


def post(api, at: str, **body):
    return api.post(f"/api/v1/jobs/{at}", body, content_type="application/json")


def test_the_api_unlocks_lists_and_locks_without_a_value_in_any_answer(api, site):
    job = waiting(site)
    done = post(api, "unlock", site="lab", name="vault", value=SECRET, minutes=5)
    assert (done.status_code, done.json()["name"], done.json()["by"]) == (200, "vault", "token ci")
    job.refresh_from_db()
    assert job.state == states.QUEUED
    listed = api.get("/api/v1/jobs/unlocked?site=lab")
    assert [(one["site"], one["name"]) for one in listed.json()] == [("lab", "vault")]
    assert SECRET not in text(done) + text(listed)
    assert post(api, "lock", site="lab").json() == []
    assert client.held() == []


def test_the_api_gives_a_job_its_own(api, site):
    job = waiting(site)
    told = api.get(f"/api/v1/jobs/{job.pk}").json()
    assert told["needs"] == [{"name": "vault", "scope": "site/lab", "said": "vault", "key": False}]
    assert post(api, f"{job.pk}/answer", secrets={"vault": SECRET}).json()["state"] == "queued"
    again = post(api, f"{job.pk}/answer", secrets={"vault": SECRET})
    assert (again.status_code, SECRET in text(again)) == (409, False)


@pytest.mark.parametrize(
    ("change_of_it", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"name": "no blanks"}, "name"),
        ({"value": " "}, "value"),
        ({"value": 7}, "value"),
    ],
)
def test_the_api_names_the_field_and_repeats_nothing(api, site, change_of_it, field):
    asked = {"site": "lab", "name": "vault", "value": SECRET, "minutes": 5, **change_of_it}
    refused = post(api, "unlock", **asked)
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert SECRET not in text(refused)


@pytest.mark.parametrize("scope", ["read", "write"])
def test_other_scopes_may_not(site, scope):
    token = Token(name="ci", scope=scope, site=site)
    bearer = token.issue()
    token.save()
    reader = Client(headers={"Authorization": f"Bearer {bearer}"})
    assert post(reader, "unlock", site="lab", name="vault", value=SECRET, minutes=5).status_code == 403
    assert reader.get("/api/v1/jobs/unlocked?site=lab").status_code == 403


# --- a shell ---


def command(*arguments: str, typed: str = "", monkeypatch=None) -> str:
    out = io.StringIO()
    if monkeypatch is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    call_command("unlock", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_reads_standard_input_lists_and_locks(declared, monkeypatch):
    job = waiting(declared)
    said = command("vault", "--site", "lab", "--minutes", "5", typed=SECRET + "\n", monkeypatch=monkeypatch)
    assert "vault of lab is unlocked until" in said and f"job {job.pk} goes on" in said
    assert client.fetch("site/lab", "vault") == SECRET
    listed = command("--site", "lab", "--list")
    assert "deploy: locked; asked for by job template base" in listed
    assert "vault: unlocked by" in listed
    assert SECRET not in said + listed
    assert "Locked: vault." in command("vault", "--site", "lab", "--lock")
    assert [one.verb for one in Unlocking.objects.all()] == ["locked", "unlocked"]


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("vault", "--site", "nowhere"), SECRET, "nowhere"),
        (("--site", "lab"), SECRET, "--list shows the names"),
        (("vault", "--site", "lab"), "", "Nothing was entered"),
        (("vault", "--site", "lab", "--minutes", "999"), SECRET, "1 to 480 minutes"),
    ],
)
def test_the_command_refuses_with_the_way_out(site, monkeypatch, arguments, typed, said):
    with pytest.raises(CommandError, match=said):
        command(*arguments, typed=typed, monkeypatch=monkeypatch)


# --- when it fails unexpectedly ---


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("way", ["page", "job", "api"])
def test_an_unexpected_error_shows_and_logs_nothing_that_was_entered(
    browser, api, site, settings, monkeypatch, caplog, debug, way
):
    job = waiting(site)
    settings.DEBUG = debug
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    caplog.set_level(logging.DEBUG)

    def broken(*args, **kwargs):
        kept = dict(kwargs, of=args)
        raise ZeroDivisionError(f"{len(kept)} values")

    monkeypatch.setattr("provisioning.keeper.calling.ask", broken)
    who = api if way == "api" else browser
    who.raise_request_exception = False
    if way == "page":
        answer = who.post(AT, {"act": "unlock", "name": "vault", "value": SECRET, "minutes": "5"})
    elif way == "job":
        at = reverse("admin:provisioning_job_enter", args=(job.pk,))
        answer = who.post(at, {"secret:vault": SECRET, "hold": "job"})
    else:
        answer = post(who, "unlock", site="lab", name="vault", value=SECRET, minutes=5)
    assert answer.status_code == 500
    assert SECRET not in text(answer)
    assert SECRET not in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_no_message_keeps_what_was_entered(browser, site):
    answer = browser.post(AT, {"act": "unlock", "name": "vault", "value": SECRET, "minutes": "5"})
    assert SECRET not in " ".join(str(one) for one in get_messages(answer.wsgi_request))
    assert SECRET not in str(dict(browser.session))
