"""``/api/v1/runs``: read, followed, and launched again."""

from __future__ import annotations

import pytest

from provisioning import runner
from provisioning.models import Job, PlaybookRun
from tests.api.conftest import Api, bearer, problem, wrong
from tests.provisioning.runs.conftest import HOSTS
from tests.provisioning.runs.factories import HostFactory, RunFactory, events

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(site) -> Api:
    return bearer("provision", site)


def test_a_run_is_asked_for_followed_and_launched_again_on_what_failed(playground, api):
    playground.template("breaks", extra_vars={"failing": ["web02"]})
    body = {"kind": "run_playbook", "site": "lab", "parameters": {"template": "breaks"}}
    plan = api.post("jobs/plan", body).json()
    assert [line["subject"] for line in plan["lines"]] == ["site.yml of lab", *HOSTS]
    made = api.post("jobs", {**body, "fingerprint": plan["fingerprint"], "why": "to see"})
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    runner.run(number)
    told = api.get(f"runs/{number}").json()
    assert (told["state"], told["rc"]) == ("failed", 2)
    assert told["hosts"] == {"ok": 0, "changed": 2, "failed": 1, "unreachable": 0}
    assert told["arguments"]["extra_vars"] == {"failing": ["web02"]}
    found = api.get(f"runs/{number}/events?after=0").json()
    assert found[-1]["number"] == told["last_event"]
    assert any("TASK [Say who it is]" in event["text"] for event in found)
    failed = api.get(f"runs/{number}/events?outcome=failed").json()
    assert [event["host"] for event in failed] == ["web02"]
    assert {one["host"]: one["worst"] for one in api.get(f"runs/{number}/hosts").json()} == {
        "web01": "changed", "web02": "failed", "web03": "changed",
    }  # fmt: skip
    again = api.post(f"runs/{number}/relaunch", {"on": "failed", "why": "mended"})
    assert again.status_code == 201, again.content
    assert again["Location"].endswith(f"/api/v1/jobs/{again.json()['id']}")
    assert PlaybookRun.objects.get(pk=again.json()["id"]).arguments["limit"] == "web02"
    assert Job.objects.get(pk=again.json()["id"]).by_name == "token provision lab"


def test_events_come_in_parts(site, api):
    run = RunFactory(job__site=site)
    events(run, [{"text": f"line {number}"} for number in range(1005)])
    first = api.get(f"runs/{run.pk}/events").json()
    rest = api.get(f"runs/{run.pk}/events?after={first[-1]['number']}").json()
    assert (len(first), len(rest)) == (1000, 5)
    assert [one["text"] for one in rest][-1] == "line 1004"


def test_a_relaunch_on_nobody_is_refused(site, api):
    run = RunFactory(job__site=site)
    HostFactory(run=run, ok=1)
    told = wrong(api.post(f"runs/{run.pk}/relaunch", {"on": "failed", "why": "to see"}))
    assert told == {"parameters.on": f"No host of run {run.pk} is failed; there is nothing to repeat."}
    assert "on" in wrong(api.post(f"runs/{run.pk}/relaunch", {"on": "some", "why": "to see"}))
    problem(api.post(f"runs/{run.pk}/relaunch", {"on": "all"}), 400)


def test_who_may_not_read_runs_sees_none(site):
    run = RunFactory(job__site=site)
    problem(bearer("read", site).get(f"runs/{run.pk}"), 403)
    problem(bearer("write", site).get(f"runs/{run.pk}/events"), 403)
    problem(Api().get("runs"), 401)
