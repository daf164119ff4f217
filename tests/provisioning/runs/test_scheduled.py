"""Runs that a clock asks for: the answers that were kept, judged anew, and never others instead."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from inventory.changes import change
from inventory.models import Grant, Host, JobTemplate, Schedule
from provisioning import states
from provisioning.clockwork import clock, schedules
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job, PlaybookRun, ScheduleState
from provisioning.requests import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(site) -> User:
    user = User.objects.create_user("olga", password="a long password", is_staff=True)
    Grant.objects.create(user=user, site=site, level="operator")
    return user


@pytest.fixture
def nightly(playground, olga) -> Schedule:
    """The template tinted asks for a colour, and the schedule answers red."""
    playground.template(
        "tinted", prompts=[{"name": "colour", "kind": "choice", "choices": ["red", "green"]}], limit="web01"
    )
    return _scheduled(playground, template="tinted", answers={"colour": "red"})


def _scheduled(playground: Any, **given: Any) -> Schedule:
    parameters: Any = given
    row = Schedule(
        site=playground.site, name="nightly", kind="run_playbook", every_hours=1, owner="olga", why="each night",
        parameters=parameters,
    )  # fmt: skip
    with change(playground.site, by="olga"):
        row.save()
    return row


def _changed(row: Any, **columns: Any) -> None:
    with change(row.site, by="fixture", why="otherwise"):
        for name, value in columns.items():
            setattr(row, name, value)
        row.save()


def _due() -> list[Job]:
    """The jobs of a tick at which the schedule is due."""
    clock.tick()
    Schedule.history.update(history_date=DatabaseTime(-3 * 3600))
    ScheduleState.objects.update(handled=DatabaseTime(-2 * 3600))
    return clock.tick()


def _faults(row: Schedule) -> str:
    return " ".join(said for found in schedules.faults_of(row).values() for said in found)


def test_it_runs_with_the_answers_that_were_kept(playground, nightly):
    (job,) = _due()
    assert (job.state, job.by_name, PlaybookRun.objects.exists()) == (states.QUEUED, "olga", False)
    run = playground.carry_out(job)
    assert run.job.state == states.SUCCEEDED, run.job.message
    assert playground.marked() == {"web01": "red"}


def test_the_inputs_are_those_of_the_moment_at_which_it_begins(playground, nightly):
    (job,) = _due()
    playground.host_variables("web01", marks=str(playground.folder))
    playground.carry_out(job)
    assert (playground.folder / "web01").read_text() == "red"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"prompts": [{"name": "colour", "kind": "choice", "choices": ["blue"]}]}, "colour is one of blue"),
        ({"prompts": [{"name": "shade"}]}, "asks for no “colour”"),
        ({"prompts": [{"name": "colour"}, {"name": "shade"}]}, "shade must be given"),
        ({"prompts": [{"name": "colour"}, {"name": "word", "kind": "secret"}]}, "asks for the secret word"),
        ({"limit": "", "limit_required": True}, "is not run without a limit"),
        ({"limit": "web09"}, "limit: lab has no host or group web09."),
        ({"name": "other"}, "declares no job template “tinted”"),
    ],
)
def test_a_template_that_is_another_turns_it_red_and_nothing_is_run(playground, nightly, columns, said):
    _changed(JobTemplate.objects.get(name="tinted"), **columns)
    assert said in _faults(nightly)
    assert _due() == []
    assert said in ScheduleState.objects.get().fault
    assert not Job.objects.exists()


def test_a_host_of_its_limit_that_is_retired_turns_it_red(playground, nightly):
    _changed(Host.objects.get(name="web01"), status="retired")
    assert "limit: lab has no host or group web01." in _faults(nightly)
    assert _due() == []


def test_an_owner_who_may_not_run_it_any_more_turns_it_red(playground, nightly, olga):
    Grant.objects.update(level="viewer")
    assert "olga may not start run_playbook at lab" in _faults(nightly)
    assert _due() == []


def test_mended_it_runs_again(playground, nightly):
    template = JobTemplate.objects.get(name="tinted")
    _changed(template, limit="web09")
    assert _due() == []
    _changed(template, limit="web01")
    assert len(_due()) == 1


def test_what_changes_after_it_was_asked_for_fails_the_run_and_takes_no_other_input(playground, nightly):
    (job,) = _due()
    template = JobTemplate.objects.get(name="tinted")
    _changed(template, prompts=[{"name": "colour", "kind": "choice", "choices": ["blue"], "default": "blue"}])
    from provisioning import runner

    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == states.FAILED and "colour is one of blue" in job.message
    assert playground.marked() == {}


def test_a_secret_forbids_a_schedule_when_it_is_written(playground, olga):
    playground.template("asking", prompts=[{"name": "word", "kind": "secret", "required": False}])
    row = Schedule(
        site=playground.site, name="n", kind="run_playbook", every_hours=1, owner="olga", why="x",
        parameters={"template": "asking"},
    )  # fmt: skip
    assert "asks for the secret word" in row.judged()["parameters"][0]


def test_a_schedule_repeats_no_run_that_is_over(playground, olga):
    run = playground.run()
    row = Schedule(
        site=playground.site, name="n", kind="run_playbook", every_hours=1, owner="olga", why="x",
        parameters={"origin": run.pk, "on": "all"},
    )  # fmt: skip
    assert "a schedule names a template" in row.judged()["parameters"][0]


def test_patterns_of_a_limit_are_left_to_ansible(playground, olga):
    row = _scheduled(playground, template="base", limit="web*,!web03,&web,~web0[1-9],web[0:1]")
    assert _faults(row) == ""


def test_a_limit_of_localhost_is_refused_as_ansible_does_with_the_way_out(playground, olga):
    playground.write("site.yml", "- hosts: localhost\n  gather_facts: false\n  tasks: [debug: ]\n")
    row = _scheduled(playground, template="base", limit="localhost")
    assert "a play on localhost needs none, it is on the worker's machine alone" in _faults(row)
    with pytest.raises(Refused, match="No host is touched"):
        playground.ask(limit="localhost")
    _changed(row, parameters={"template": "base"})
    assert _faults(row) == ""
    assert [line.subject for line in playground.ask().planned.lines][1:] == ["localhost"]
