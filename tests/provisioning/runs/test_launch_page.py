"""The page before a run: its questions, the hosts that Ansible names, and that exactly what was shown is started."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inventory.changes import change
from inventory.models import Project
from provisioning import requests
from provisioning.admin.runs import unlocked
from provisioning.models import Job, PlaybookRun
from provisioning.models.unlockings import Unlocking
from provisioning.runs import looks
from tests.importers.test_tree_problems import sealed
from tests.provisioning.test_admin import come

pytestmark = pytest.mark.django_db

PROMPTS = [
    {"name": "release", "label": "Release", "kind": "string", "help": "Such as 1.4."},
    {"name": "colour", "kind": "choice", "choices": ["red", "green"], "default": "green"},
    {"name": "batch", "kind": "number", "minimum": 1, "maximum": 9, "default": 2},
    {"name": "failing", "kind": "list", "choices": ["web01", "web02"], "required": False},
    {"name": "tidy", "kind": "yes_no", "default": True},
    {"name": "token", "label": "Token", "kind": "secret"},
]


@pytest.fixture
def browser(db) -> Client:
    return come("ada")


def at(name: str, *arguments: str) -> str:
    return reverse(f"admin:{name}", args=("lab", *arguments))


def shown(browser: Client, template: str = "base", **given: Any) -> str:
    answer = browser.post(at("launch_preview", template), given)
    assert answer.status_code == 200
    return answer.content.decode()


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""


def start(browser: Client, act: str, template: str = "base", **given: Any) -> Any:
    html = shown(browser, template, **given)
    fingerprints = {name: hidden(html, name) for name in ("fingerprint_run", "fingerprint_check")}
    return browser.post(
        at("launch_template", template), {"why": "to see", **given, "act": act, **fingerprints}
    )


def test_every_prompt_has_its_own_field_and_no_secret_is_ever_in_the_page(browser, playground):
    playground.template("asks", prompts=PROMPTS)
    html = browser.get(at("launch_template", "asks")).content.decode()
    for field in (
        'name="answer-release"',
        'type="number" name="answer-batch"',
        '<select name="answer-colour"',
    ):
        assert field in html
    assert 'type="checkbox" name="answer-failing" value="web01"' in html
    assert 'type="password" name="secret-token"' in html and "value" not in _tag(html, "secret-token")
    again = browser.post(at("launch_template", "asks"), {"secret-token": "hunter2", "act": "look"})
    assert "hunter2" not in again.content.decode()


def _tag(html: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', html)
    assert found is not None
    return found[0]


def test_ansible_names_the_hosts_of_each_play(browser, playground):
    html = shown(browser)
    assert "3 hosts" in html and "Say" in html
    assert [name for name in ("web01", "web02", "web03") if f">{name}</a>" in html] == [
        "web01",
        "web02",
        "web03",
    ]
    few = shown(browser, limit="web*:!web02")
    assert "2 hosts" in few and ">web02</a>" not in few


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": "nobody"}, "No host is touched by site.yml with the limit “nobody”"),
        ({"limit": "web01 && reboot"}, "Limit:"),
        ({"forks": "0"}, "Forks:"),
    ],
)
def test_what_cannot_be_run_says_why_and_offers_no_button(browser, playground, given, said):
    html = shown(browser, **given)
    assert said in html and "fingerprint_run" not in html


def test_one_look_at_a_time_for_a_person_and_few_in_all(browser, playground):
    with held("ada", "lab", "lab"):
        html = shown(browser)
        assert "data-again" in html and "fingerprint_run" not in html and "mp-problem" not in html
        asked = {"kind": "run_playbook", "site": "lab", "parameters": {"template": "base"}}
        plan = browser.post("/api/v1/jobs/plan/", asked, content_type="application/json")
        assert "A look at which hosts these are is going on" in plan.content.decode()
    with held("olga", "lab", "lab"):
        assert "fingerprint_run" in shown(browser)
        with held("kim", "lab", "other"):
            assert "data-again" in shown(browser)
            assert playground.ask().pk  # the shell and schedules are not counted
    assert "fingerprint_run" in shown(browser)


@contextmanager
def held(*who: str) -> Iterator[None]:
    """Somebody's look goes on in this process."""

    def answer(request: Any) -> Any:
        stack.enter_context(looks.place(*who))

    with ExitStack() as stack:
        looks.in_a_request(answer)(HttpRequest())
        yield


def test_what_is_not_installed_is_installed_by_the_update_and_not_by_a_page(browser, playground, monkeypatch):
    playground.write("collections/requirements.yml", "collections: [{name: no.such, version: 1.0.0}]\n")
    monkeypatch.setattr("provisioning.projects.installing._Work.install", pytest.fail)
    html = shown(browser)
    assert "The project needs" in html and "no.such" in html and "Update the project first" in html
    assert f'href="{reverse("admin:start_job_at", args=("lab", "update_project"))}?project=lab"' in html
    assert "fingerprint_run" not in html


def test_code_that_does_not_come_soon_is_not_waited_for(browser, playground, monkeypatch):
    monkeypatch.setattr(looks, "CODE_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        far(playground, f"https://127.0.0.1:{silent.getsockname()[1]}/far.git")
        html = shown(browser, "far")
    assert "was not here within 1 s" in html and "update_project/?project=far" in html


def test_a_repository_that_cannot_be_reached_is_said_in_words(browser, playground):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    far(playground, f"https://127.0.0.1:{port}/far.git")
    assert "cannot be reached" in shown(browser, "far")


def far(playground: Any, location: str) -> None:
    playground.project = Project(site=playground.site, name="far", source="git", location=location)
    with change(playground.site, by="fixture"):
        playground.project.save()
    playground.template("far")


def test_without_the_limit_that_a_template_requires_nothing_runs(browser, playground):
    playground.template("careful", limit_required=True)
    assert "is not run without a limit" in shown(browser, "careful")
    assert "1 host</b>" in shown(browser, "careful", limit="web02")


def test_a_wrong_answer_stands_beside_its_field(browser, playground):
    playground.template("asks", prompts=PROMPTS[:3])
    assert "Batch" in shown(browser, "asks", **{"answer-release": "1", "answer-batch": "12"})
    fingerprint = hidden(shown(browser, "asks", **{"answer-release": "1"}), "fingerprint_run")
    given = {
        "answer-release": "1",
        "answer-batch": "12",
        "why": "x",
        "act": "run",
        "fingerprint_run": fingerprint,
    }
    html = browser.post(at("launch_template", "asks"), given).content.decode()
    assert re.search(r'name="answer-batch"[^>]*>\s*<p class="mp-problem"[^>]*>[^<]*9 at most', html)
    assert not Job.objects.exists()


def test_run_starts_exactly_what_was_shown(browser, playground):
    answer = start(browser, "run", limit="web01", diff="yes")
    job = Job.objects.get()
    assert answer["Location"] == reverse("admin:provisioning_job_change", args=(job.pk,))
    assert (job.by_name, job.why, job.confirmed) == ("ada", "to see", job.fingerprint)
    assert job.parameters["limit"] == "web01" and not PlaybookRun.objects.get().check_mode


def test_what_moved_since_it_was_shown_is_shown_anew_and_not_started(browser, playground):
    fingerprint = hidden(shown(browser), "fingerprint_run")
    playground.host_variables("web01", colour="blue")
    given = {"why": "to see", "act": "run", "fingerprint_run": fingerprint}
    html = browser.post(at("launch_template", "base"), given).content.decode()
    assert "The plan is another by now" in html
    assert not Job.objects.exists()


def test_check_first_is_applied_by_one_click_with_the_same_inputs(browser, playground):
    start(browser, "check", limit="web01")
    checked = playground.carry_out(Job.objects.get())
    assert checked.check_mode and playground.marked() == {}
    html = browser.get(reverse("admin:provisioning_job_change", args=(checked.pk,))).content.decode()
    assert 'value="apply"' in html
    playground.host_variables("web01", colour="blue")  # too late
    browser.post(at("follow_run", str(checked.pk)), {"on": "apply", "why": "looks right"})
    applied = playground.carry_out(Job.objects.latest("pk"))
    assert (applied.relation, applied.origin_id) == ("applies", checked.pk)
    assert playground.marked() == {"web01": "plain"}
    html = browser.get(reverse("admin:provisioning_job_change", args=(applied.pk,))).content.decode()
    assert "Applies what was checked by" in html and f"job {checked.pk}</a>" in html


def test_relaunch_is_offered_for_what_failed_and_refused_where_nobody_did(browser, playground):
    playground.template("fails", extra_vars={"failing": ["web02"]})
    run = playground.run("fails")
    page = reverse("admin:provisioning_job_change", args=(run.pk,))
    html = browser.get(page).content.decode()
    assert "On 1 failed" in html and "every host was reached" in html
    answer = browser.post(at("follow_run", str(run.pk)), {"on": "unreachable", "why": "again"}, follow=True)
    assert "there is nothing to repeat" in answer.content.decode()
    browser.post(at("follow_run", str(run.pk)), {"on": "failed", "why": "again"})
    again = PlaybookRun.objects.latest("pk")
    assert (again.relation, again.arguments["limit"]) == ("relaunches", "web02")


def test_variables_of_a_host_say_where_they_come_from_and_sealed_ones_stay_sealed(browser, playground):
    value = {"__ansible_vault": sealed("hunter2")}
    playground.host_variables("web01", sealed=value)
    html = browser.get(
        at("launch_variables", "base", "web01"), headers={"HX-Request": "true"}
    ).content.decode()
    assert "host web01" in html and "marks" in html
    assert "ANSIBLE_VAULT" not in html and "sealed" in html and "hunter2" not in html


def test_who_may_not_start_jobs_opens_no_launch_page(playground):
    vera = come("vera", (playground.site, "viewer"))
    for name in ("launch", "launch_template"):
        assert vera.get(at(name, *(["base"] if name != "launch" else []))).status_code == 403


def test_secrets_given_with_the_launch_are_held_for_that_run_alone(browser, playground, monkeypatch):
    held: dict[tuple[str, str], str] = {}

    def hold(scope: str, name: str, value: str, **how: object) -> datetime:
        held[scope, name] = value
        return timezone.now() + timedelta(hours=1)

    monkeypatch.setattr(unlocked.client, "hold", hold)
    playground.template("asks", prompts=PROMPTS)
    start(browser, "run", "asks", **{"answer-release": "1.4", "secret-token": "hunter2"})
    job = Job.objects.get()
    assert held == {(f"job/{job.pk}", "prompt:token"): "hunter2"}
    (entered,) = Unlocking.objects.values("name", "verb", "job_id", "by_name")
    assert entered == {"name": "prompt:token", "verb": "given", "job_id": job.pk, "by_name": "ada"}
    run = PlaybookRun.objects.get()
    assert "hunter2" not in str([job.__dict__, run.__dict__, run.inventory.text, *job.events.values()])


def test_a_secret_that_is_too_short_starts_nothing_and_is_not_repeated(browser, playground):
    playground.template(
        "asks", prompts=[{"name": "token", "label": "Token", "kind": "secret", "minimum": 12}]
    )
    html = start(browser, "run", "asks", **{"secret-token": "hunter2"}).content.decode()
    assert "Token has 12 characters or more." in html and "hunter2" not in html
    assert not Job.objects.exists()


def test_what_is_given_to_a_job_that_is_over_already_is_not_held(browser, playground, monkeypatch):
    dropped: list[str] = []

    def hold(scope: str, name: str, value: str, **how: object) -> datetime:
        job = Job.objects.get()
        requests.cancel(job, by="ada")
        return timezone.now() + timedelta(hours=1)

    monkeypatch.setattr(unlocked.client, "hold", hold)
    monkeypatch.setattr(unlocked.client, "drop", lambda scope, name=None: dropped.append(scope))
    playground.template("asks", prompts=PROMPTS)
    start(browser, "run", "asks", **{"answer-release": "1.4", "secret-token": "hunter2"})
    assert f"job/{Job.objects.get().pk}" in dropped


def test_the_secrets_of_a_template_are_said_to_be_locked_or_held_nowhere(browser, playground):
    playground.template("sealed", vault_secrets={"default": "unlock:vault"}, ssh_key="env:KEY")
    html = browser.get(at("launch_template", "sealed")).content.decode()
    assert "the keeper of secrets does not answer" in html and "env:KEY" in html


def test_the_list_of_runs_leads_to_their_jobs_and_is_filtered(browser, playground):
    job = playground.ask()
    listed = reverse("admin:provisioning_playbookrun_changelist")
    html = browser.get(listed, {"template": "base", "q": ""}).content.decode()
    assert f"#{job.pk}" in html
    assert f"#{job.pk}" not in browser.get(listed, {"state": "failed"}).content.decode()
    answer = browser.get(reverse("admin:provisioning_playbookrun_change", args=(job.pk,)))
    assert answer["Location"] == reverse("admin:provisioning_job_change", args=(job.pk,))


def test_a_run_that_waits_for_another_at_its_hosts_links_to_it(browser, playground):
    job = playground.ask()
    Job.objects.filter(pk=job.pk).update(message=f"Waits for job {job.pk + 7} at web01.")
    html = browser.get(reverse("admin:provisioning_job_change", args=(job.pk,))).content.decode()
    assert reverse("admin:provisioning_job_change", args=(job.pk + 7,)) in html
    requests.cancel(job, by="test")
