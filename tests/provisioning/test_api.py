"""``/api/v1/jobs``: asked for once, planned, followed, confirmed, cancelled and run again, as in the browser."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.changes import change
from inventory.models import Grant, Schedule, Site
from provisioning import requests, runner
from provisioning.engine.moves import note
from provisioning.models import Job
from tests.api.conftest import Api, bearer, problem, signed_in, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(site) -> Api:
    return bearer("provision", site)


@pytest.fixture
def everywhere(db) -> Api:
    return bearer("provision")


@pytest.fixture
def other(site) -> Site:
    found = Site(slug="other")
    with change(found, by="fixture"):
        pass
    return found


ADDS = {"kind": "test_adds", "site": "lab", "why": "to see"}


def made(response) -> Job:
    assert response.status_code == 201, response.content
    told = response.json()
    assert response["Location"].endswith(f"/api/v1/jobs/{told['id']}")
    return Job.objects.get(pk=told["id"])


# --- asking ---


def test_a_job_is_asked_for_and_followed(api, site):
    answered = api.post("jobs", ADDS)
    job = made(answered)
    assert (job.kind, job.site, job.by_name, job.why, job.state) == (
        "test_adds",
        site,
        "token provision lab",
        "to see",
        "queued",
    )
    told = answered.json()
    assert told["plan"]["lines"] == [{"act": "add", "subject": "thing at lab", "detail": ""}]
    assert told["plan"]["summary"] == "1 to add" and told["plan"]["fingerprint"] == job.fingerprint
    assert [event["text"] for event in told["events"]] == [
        "Asked for by token provision lab. The plan: 1 to add."
    ]
    runner.run(job.pk)
    seen = api.get(f"jobs/{job.pk}").json()
    assert seen["state"] == "succeeded" and seen["finished"]
    after = told["last_event"]
    rest = api.get(f"jobs/{job.pk}?after={after}").json()["events"]
    assert [event["number"] for event in rest] == list(range(after + 1, seen["last_event"] + 1))
    assert rest[-1]["text"] and {event["level"] for event in rest} >= {"step"}


def test_a_plan_is_shown_and_nothing_kept(api):
    shown = api.post("jobs/plan", {"kind": "test_adds", "site": "lab"})
    assert shown.status_code == 200
    assert shown.json()["lines"] == [{"act": "add", "subject": "thing at lab", "detail": ""}]
    assert not Job.objects.exists()
    job = made(api.post("jobs", {**ADDS, "fingerprint": shown.json()["fingerprint"]}))
    assert job.confirmed == shown.json()["fingerprint"] and job.confirmed_by == "token provision lab"
    assert "another by now" in problem(api.post("jobs", {**ADDS, "fingerprint": "0" * 64}), 409)["detail"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"site": "lab", "why": "x"}, "kind", "This field is required."),
        ({**ADDS, "kind": "nonsense"}, "kind", "There are no jobs of this kind; there are "),
        ({"kind": "test_adds", "why": "x"}, "site", "Say at which site; there are: lab."),
        ({**ADDS, "site": "nowhere"}, "site", "There is no site “nowhere”, or you may not see it."),
        ({**ADDS, "kind": "test_steps"}, "site", "belongs to no site; leave it out."),
        ({**ADDS, "parameters": {"colour": "red"}}, "parameters.colour", "There is no such parameter"),
        ({**ADDS, "parameters": ["a"]}, "parameters", "Write an object"),
        ({**ADDS, "colour": "red"}, "colour", "There is no field “colour”"),
        ({"kind": "test_adds", "site": "lab"}, "why", "Say why"),
        ({"kind": "create_vm", "site": "lab", "why": "x"}, "parameters.host", "This field is required."),
        (
            {
                "kind": "survey",
                "site": "lab",
                "why": "x",
                "parameters": {"host": "PVEAPIToken=a@pve!b=11112222-3333"},
            },
            "parameters.host",
            "A secret has no place here",
        ),
    ],
)
def test_what_is_wrong_stands_beside_its_field(api, body, field, message):
    assert message in wrong(api.post("jobs", body))[field]
    assert not Job.objects.exists()


def test_what_cannot_be_as_things_are_is_a_conflict(api):
    said = problem(api.post("jobs", {"kind": "survey", "site": "lab", "why": "x"}), 409)
    assert "declares no hypervisor with an API" in said["detail"]
    assert api.post("jobs/plan", {"kind": "survey", "site": "lab"}).json()["problems"]
    made(api.post("jobs", {**ADDS, "kind": "test_stub"}))
    assert "is taken: job" in problem(api.post("jobs", {**ADDS, "kind": "test_stub"}), 409)["detail"]


def test_the_same_key_asks_once(api):
    first = api.post("jobs", ADDS, idempotency_key="one")
    again = api.post("jobs", ADDS, idempotency_key="one")
    assert made(first) == made(again) and Job.objects.count() == 1
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first
    other = problem(api.post("jobs", {**ADDS, "kind": "test_stub"}, idempotency_key="one"), 422)
    assert "was sent with another request before" in other["detail"]
    made(api.post("jobs", ADDS, idempotency_key="x" * 255))
    assert api.post("jobs", ADDS, idempotency_key="x" * 255)["Idempotency-Replayed"] == "true"
    assert Job.objects.count() == 2
    problem(api.post("jobs", ADDS, idempotency_key="with blank"), 400)


# --- acting on one ---


def test_a_destructive_job_waits_until_its_plan_is_confirmed(everywhere):
    job = made(everywhere.post("jobs", {"kind": "test_removes", "why": "x"}))
    told = everywhere.get(f"jobs/{job.pk}").json()
    assert (told["state"], told["waiting_for"]) == ("waiting", "confirmation") and told["waits_until"]
    assert (
        "another by now"
        in problem(everywhere.post(f"jobs/{job.pk}/confirm", {"fingerprint": "0"}), 409)["detail"]
    )
    assert wrong(everywhere.post(f"jobs/{job.pk}/confirm", {})) == {"fingerprint": "This field is required."}
    confirmed = everywhere.post(f"jobs/{job.pk}/confirm", {"fingerprint": told["plan"]["fingerprint"]})
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "queued")
    assert confirmed.json()["confirmed_by"] == "token provision all"


def test_one_is_cancelled_once_and_run_again(api):
    job = made(api.post("jobs", ADDS))
    assert "still queued" in problem(api.post(f"jobs/{job.pk}/again", {"why": "x"}), 409)["detail"]
    assert api.post(f"jobs/{job.pk}/cancel", {"why": "no"}).json()["state"] == "cancelled"
    assert api.post(f"jobs/{job.pk}/cancel").json()["state"] == "cancelled"
    assert "why" in wrong(api.post(f"jobs/{job.pk}/again"))
    again = made(api.post(f"jobs/{job.pk}/again", {"why": "after all"}))
    assert (again.parent, again.why) == (job, "after all")
    runner.run(again.pk)
    assert "nothing left to cancel" in problem(api.post(f"jobs/{again.pk}/cancel"), 409)["detail"]


def test_an_act_that_was_meant_for_another_state_is_refused(api):
    job = made(api.post("jobs", ADDS))
    etag = api.get(f"jobs/{job.pk}")["ETag"]
    note(job.pk, "Something else happened.")
    problem(api.post(f"jobs/{job.pk}/cancel", if_match=etag), 412)
    assert api.post(f"jobs/{job.pk}/cancel", if_match=api.get(f"jobs/{job.pk}")["ETag"]).status_code == 200


# --- who ---


def test_a_token_of_less_scope_looks_and_starts_nothing(api, site):
    job = made(api.post("jobs", ADDS))
    for scope in ("read", "write"):
        less = bearer(scope, site)
        assert less.get(f"jobs/{job.pk}").status_code == 200
        for address, body in (
            ("jobs", ADDS), ("jobs/plan", {"kind": "test_adds", "site": "lab"}), (f"jobs/{job.pk}/cancel", {}),
            (f"jobs/{job.pk}/confirm", {"fingerprint": "0"}), (f"jobs/{job.pk}/again", {"why": "x"}),
        ):  # fmt: skip
            assert f"The token has the scope {scope}" in problem(less.post(address, body), 403)["detail"]


def test_a_kind_may_need_more_than_the_scope(api):
    said = problem(
        api.post(
            "jobs", {"kind": "switch_authority", "site": "lab", "parameters": {"to": "gateway"}, "why": "x"}
        ),
        403,
    )
    assert "inventory.add_authority" in said["detail"]
    assert "for every site" in problem(api.post("jobs", {"kind": "test_steps", "why": "x"}), 403)["detail"]


def test_jobs_of_other_sites_are_not_there(api, other, everywhere):
    theirs = made(everywhere.post("jobs", {**ADDS, "site": "other"}))
    none = made(everywhere.post("jobs", {"kind": "test_steps", "why": "x"}))
    for job in (theirs, none):
        problem(api.get(f"jobs/{job.pk}"), 404)
        for act in ("cancel", "confirm", "again"):
            problem(api.post(f"jobs/{job.pk}/{act}", {"why": "x"}), 404)
    assert api.get("jobs").json()["count"] == 0
    assert everywhere.get("jobs").json()["count"] == 2


def test_a_person_asks_in_his_own_name(site):
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="operator")
    job = made(signed_in(user).post("jobs", ADDS))
    assert (job.by, job.by_name) == (user, "kim")


# --- lists ---


def test_the_list_is_narrowed(api, site):
    first = made(api.post("jobs", ADDS))
    second = requests.request("test_stub", site=site, by="kim", why="cellar")
    Job.objects.filter(pk=second.pk).update(machine_key="lab/vm01", schedule="lab/nightly")
    runner.run(second.pk)
    for query, found in (
        ("kind=test_adds", first), ("state=queued", first), ("by=kim", second), ("host=vm01", second),
        ("schedule=lab/nightly", second), ("search=cellar", second), ("state=succeeded", second),
    ):  # fmt: skip
        assert [one["id"] for one in api.get(f"jobs?{query}").json()["results"]] == [found.pk], query
    assert [one["id"] for one in api.get("jobs").json()["results"]] == [second.pk, first.pk]
    assert api.get("jobs?since=2999-01-01T00:00:00Z").json()["count"] == 0
    assert api.get("jobs?since=2000-01-01T00:00:00Z&site=lab&limit=1").json()["count"] == 2
    assert "plan" not in api.get("jobs").json()["results"][0]
    assert "colour" in wrong(api.get("jobs?colour=red"))
    assert "state" in wrong(api.get("jobs?state=tired"))
    assert "after" in wrong(api.get(f"jobs/{first.pk}?after=-1"))


def test_the_list_asks_as_often_for_many_as_for_few(api):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get("jobs?limit=1000").status_code == 200
        return len(captured)

    made(api.post("jobs", ADDS))
    queries()
    few = queries()
    for _ in range(8):
        made(api.post("jobs", ADDS))
    assert queries() == few


def test_nothing_of_a_secret_is_told(api):
    job = made(api.post("jobs", {**ADDS, "why": "the password=hunter22 is known"}))
    note(job.pk, "PVEAPIToken=root@pam!x=0b1c2d3e-aaaa")
    assert "hunter22" not in json.dumps(api.get(f"jobs/{job.pk}").json())
    assert "0b1c2d3e" not in json.dumps(api.get(f"jobs/{job.pk}").json())


# --- schedules ---

HOURLY = {"site": "lab", "name": "hourly", "kind": "survey", "every_hours": 1, "why": "VMIDs"}


def test_whoever_writes_a_schedule_owns_it_and_must_be_able_to_start_its_jobs(api, site):
    refused = wrong(bearer("write", site).post("schedules", HOURLY))
    assert refused["kind"].startswith("Its owner, the token write lab, may not start survey here.")
    assert not Schedule.objects.exists()
    made = api.post("schedules", HOURLY).json()
    assert made["owner"] == "token provision lab"
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="operator")
    changed = signed_in(user).patch(f"schedules/{made['id']}", {"every_hours": 6}).json()
    assert (changed["owner"], changed["every_hours"]) == ("kim", 6)
    assert "owner" in wrong(api.patch(f"schedules/{made['id']}", {"owner": "ada"}))


@pytest.mark.parametrize(
    ("facts", "field", "message"),
    [
        ({"kind": "brew_coffee"}, "kind", "There are no jobs of the kind “brew_coffee”"),
        ({"kind": "destroy_vm", "parameters": {"host": "a", "typed": "a"}}, "kind", "typed by a person"),
        ({"parameters": {"host": "hv99"}}, "parameters", "host: lab has no host hv99."),
        ({"every_hours": None, "cron": "x"}, "cron", "has 1 fields"),
    ],
)
def test_a_schedule_that_cannot_be_carried_out_is_refused(api, facts, field, message):
    assert message in wrong(api.post("schedules", {**HOURLY, **facts}))[field]
    assert not Schedule.objects.exists()
