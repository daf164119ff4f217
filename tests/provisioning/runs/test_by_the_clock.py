"""Runs that a schedule asks for: frozen when the job begins, and never with other inputs than declared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User

from inventory.changes import change
from inventory.models import JobTemplate, Schedule
from provisioning import requests, runner, states
from provisioning.clockwork import schedules
from provisioning.models import HostHold, Job, PlaybookRun
from provisioning.runs import holding
from tests.provisioning.runs.conftest import HOSTS
from tests.provisioning.runs.test_holding import run_at
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

DUE = datetime(2026, 1, 1, tzinfo=UTC)


def asked_by_the_clock(playground, **parameters) -> Job:
    return requests.request(
        "run_playbook",
        site=playground.site,
        parameters={"template": "base", **parameters},
        by="clock",
        why="nightly",
        schedule="lab/nightly",
        due=DUE,
    )


def test_the_clock_does_not_wait_for_ansible_and_the_job_freezes_its_inputs(playground):
    job = asked_by_the_clock(playground)
    assert job.plan is None and not PlaybookRun.objects.exists()
    playground.host_variables("web01", colour="blue")
    run = playground.carry_out(job)
    assert run.job.state == states.SUCCEEDED, run.job.message
    assert [line.subject for line in run.job.planned.lines][1:] == list(HOSTS)
    assert playground.marked()["web01"] == "blue"
    assert not HostHold.objects.exists()


def test_it_waits_for_a_host_that_another_run_has_once_it_knows_its_hosts(playground):
    other = run_at(playground.site, "web02")
    holding.take(other, ("web02",), 1)
    job = asked_by_the_clock(playground)
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (states.QUEUED, f"Waits for job {other.pk} at web02.")
    shown = job.planned
    Job.objects.filter(pk=other.pk).update(state=states.SUCCEEDED)
    holding.release(other.pk, 1)
    run = playground.carry_out(job)
    assert (run.job.state, run.job.planned) == (states.SUCCEEDED, shown)


def test_what_the_plan_would_refuse_fails_the_job_in_words(playground):
    job = asked_by_the_clock(playground, limit="web01,!web01")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == states.FAILED
    assert "No host is touched by site.yml with the limit" in job.message


def test_what_ansible_complains_of_is_for_who_may_read_what_runs_say(playground):
    playground.write("site.yml", "- hosts: all\n  roles: [nowhere]\n")
    job = asked_by_the_clock(playground)
    runner.run(job.pk)
    job.refresh_from_db()
    assert (
        "Ansible cannot read the playbook site.yml (exit code 1). What it says is shown where" in job.message
    )
    assert not any("nowhere" in said for said in (job.message, *texts(job)))
    kim = User.objects.create_user("kim", is_staff=True)
    kim.user_permissions.add(Permission.objects.get(codename="run_job"))
    for by, told in (("olga", True), (kim, False)):
        plan = requests.show_plan(
            "run_playbook", site=playground.site, parameters={"template": "base"}, by=by
        )
        assert ("site.yml, line 2: the role 'nowhere' was not found" in plan.problems[0]) == told


def test_the_message_of_a_run_has_none_of_what_ansible_says(playground):
    playground.write("site.yml", "- hosts: web\n  strategy: planted_words\n  tasks: [ping: ]\n")
    run = playground.run()
    assert (run.job.state, run.rc) == (states.FAILED, 1), run.job.message
    assert "planted_words" in run.complaint
    assert "exit code 1" in run.job.message
    assert not any("planted_words" in said for said in (run.job.message, *texts(run.job)))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"template": "gone"}, "template: The site declares no job template “gone”; there are: asks, base."),
        ({"template": "asks"}, "answers.release: release must be given."),
        ({"template": "asks", "answers": {"release": 1}}, "answers.release: release is 2 or more."),
        ({"template": "base", "forks": 0}, "forks:"),
    ],
)
def test_a_schedule_that_asks_wrongly_is_red_and_says_why(playground, parameters, said):
    playground.template("asks", prompts=[{"name": "release", "kind": "number", "minimum": 2}])
    schedule = Schedule(site=playground.site, name="nightly", kind="run_playbook", parameters=parameters)
    assert said in " ".join(schedules.faults_of(schedule)["parameters"])


def test_a_schedule_turns_red_when_its_template_goes(playground):
    parameters = {"template": "base"}
    schedule = Schedule(site=playground.site, name="nightly", kind="run_playbook", parameters=parameters)
    assert "parameters" not in schedules.faults_of(schedule)
    with change(playground.site, by="fixture", why="nobody needs it"):
        JobTemplate.objects.get(name="base").delete()
    assert "there are: none" in " ".join(schedules.faults_of(schedule)["parameters"])
