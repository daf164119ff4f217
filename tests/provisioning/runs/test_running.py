"""A run from asking to its end, by real Ansible on this machine."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.urls import reverse

from inventory.changes import change
from inventory.models import JobTemplate, Project
from provisioning import requests, states
from provisioning.models import HostHold
from provisioning.observed import observing
from provisioning.requests import Refused
from tests.provisioning.projects import galaxy
from tests.provisioning.runs.conftest import HOSTS

pytestmark = pytest.mark.django_db


def test_a_run_touches_the_hosts_that_its_plan_names_and_says_how_each_fared(playground, output):
    job = playground.ask()
    assert [line.subject for line in job.planned.lines] == ["site.yml of lab", *HOSTS]
    run = playground.carry_out(job)
    assert run.job.state == states.SUCCEEDED, run.job.message
    assert run.job.message == "3 hosts: 3 changed."
    assert run.job.outcome == {
        "rc": 0, "status": "successful", "hosts": 3, "ok": 0, "changed": 3, "failed": 0, "unreachable": 0,
    }  # fmt: skip
    assert (run.rc, run.hosts_changed, run.revision) == (0, 3, playground.site.revision)
    assert {(one.host, one.ok, one.changed) for one in run.hosts.all()} == {(host, 2, 1) for host in HOSTS}
    assert "this is web02, release none" in output(run)
    assert playground.marked() == dict.fromkeys(HOSTS, "plain")
    assert not HostHold.objects.exists()
    assert playground.nothing_is_left()


def test_events_are_numbered_and_their_lines_follow_each_other(playground):
    run = playground.run()
    counters = list(run.events.order_by("counter").values_list("counter", flat=True))
    assert counters == sorted(set(counters))
    assert run.last_event == counters[-1]
    line = 1
    for event in run.events.order_by("counter"):
        if event.lines:
            assert (event.first_line, event.lines) == (line, len(event.text.split("\n")))
            line += event.lines
    assert run.lines == line - 1 > 20


def test_what_fails_on_one_host_is_relaunched_on_that_one_alone(playground):
    playground.template("breaks", extra_vars={"failing": ["web02"], "colour": "red"})
    first = playground.run("breaks")
    assert (first.job.state, first.rc) == (states.FAILED, 2)
    assert first.job.message.startswith("3 hosts: 2 changed, 1 failed (web02).")
    (playground.marks / "web01").write_text("untouched")
    again = playground.ask("", origin=first.pk, on="failed")
    assert [line.subject for line in again.planned.lines][1:] == ["web02"]
    second = playground.carry_out(again)
    assert (second.relation, second.origin_id, second.arguments["limit"]) == ("relaunches", first.pk, "web02")
    assert (second.inventory_id, second.commit) == (first.inventory_id, first.commit)
    assert [one.host for one in second.hosts.all()] == ["web02"]
    assert playground.marked()["web01"] == "untouched"


def test_a_relaunch_on_nobody_is_refused(playground):
    run = playground.run()
    for on in ("failed", "unreachable"):
        with pytest.raises(Refused, match=f"No host of run {run.pk} is {on}; there is nothing to repeat"):
            playground.ask("", origin=run.pk, on=on)


def test_a_check_is_applied_with_the_inputs_that_it_had(playground):
    check = playground.run(check_first="yes", answers={})
    assert (check.relation, check.check_mode, playground.marked()) == ("checks", True, {})
    playground.host_variables("web01", colour="blue")
    run = playground.run("", origin=check.pk, on="apply")
    assert (run.relation, run.origin_id, run.check_mode) == ("applies", check.pk, False)
    assert (run.inventory_id, run.commit) == (check.inventory_id, check.commit)
    assert playground.marked() == dict.fromkeys(HOSTS, "plain")
    with pytest.raises(Refused, match="was no check"):
        playground.ask("", origin=run.pk, on="apply")


def test_a_template_that_is_check_only_is_never_run_for_real(playground):
    template = playground.template("looks", check_mode=True)
    for said in ("no", False):
        with pytest.raises(Refused, match="looks is declared check only"):
            playground.ask("looks", check=said)
    check = playground.run("looks", check_first="yes")
    with pytest.raises(Refused, match="looks is declared check only"):
        playground.ask("", origin=check.pk, on="apply")
    with change(playground.site, by="fixture", why="for real from now on"):
        template.check_mode = False
        template.save()
    real = playground.run("", origin=check.pk, on="apply")
    assert playground.marked() == dict.fromkeys(HOSTS, "plain")
    with change(playground.site, by="fixture", why="a bound again"):
        template.check_mode = True
        template.save()
    with pytest.raises(Refused, match="looks is declared check only"):
        playground.ask("", origin=real.pk, on="all")
    assert playground.ask("", origin=check.pk, on="all").pk


@pytest.mark.parametrize("on", ["all", "apply"])
def test_what_was_withdrawn_is_not_run_once_more(playground, on):
    template = playground.template("old")
    run = playground.run("old", check_first="yes")
    with change(playground.site, by="fixture", why="withdrawn"):
        template.delete()
    with pytest.raises(Refused, match="declares no job template “old” any more"):
        playground.ask("", origin=run.pk, on=on)
    with change(playground.site, by="fixture", why="its project too"):
        other = Project(site=playground.site, name="other", location=str(playground.folder))
        other.save()
        for one in JobTemplate.objects.all():
            one.delete()
        playground.project.delete()
        JobTemplate(site=playground.site, name="old", project=other, playbook="site.yml").save()
    with pytest.raises(Refused, match="declares no project “lab” any more"):
        playground.ask("", origin=run.pk, on=on)


def test_what_ran_is_what_was_shown_though_the_inventory_changes_meanwhile(playground):
    job = playground.ask()
    shown = job.planned
    playground.host_variables("web01", colour="blue")
    run = playground.carry_out(job)
    assert run.job.planned == shown
    assert playground.marked()["web01"] == "plain"
    assert playground.run().job.planned.fingerprint != shown.fingerprint
    assert playground.marked()["web01"] == "blue"


def test_a_template_that_changes_meanwhile_changes_nothing(playground):
    template = playground.template("tinted", extra_vars={"colour": "red"})
    job = playground.ask("tinted")
    template.extra_vars = {"colour": "green"}
    with change(playground.site, by="fixture", why="another colour"):
        template.save()
    playground.carry_out(job)
    assert playground.marked()["web01"] == "red"


def test_a_directory_that_changed_meanwhile_stops_the_run_and_shows_the_new_plan(playground):
    job = playground.ask()
    before = job.planned
    playground.write("extra.yml", "- hosts: web\n  tasks: []\n")
    run = playground.carry_out(job)
    assert (run.job.state, run.job.waiting_for) == (states.WAITING, states.CONFIRMATION)
    assert playground.marked() == {}
    assert run.job.planned.fingerprint != before.fingerprint
    requests.confirm(run.job, run.job.fingerprint, by="olga")
    run = playground.carry_out(run.job)
    assert run.job.state == states.SUCCEEDED, run.job.message
    assert playground.marked() == dict.fromkeys(HOSTS, "plain")


def test_a_collection_that_changed_since_is_applied_by_no_check_and_said_by_everything_else(
    playground, tmp_path
):
    place = galaxy.source(tmp_path / "offline" / "ansible_collections", "acme.tools", "1.3.0")
    playground.write("requirements.yml", "collections: [acme.tools]\n")
    with change(playground.site, by="fixture", why="collections of our own"):
        playground.project.collections = str(tmp_path / "offline")
        playground.project.save()
    check = playground.run(check_first="yes")
    assert "; with acme.tools 1.3.0" in check.job.planned.lines[0].detail
    waits = playground.ask()
    (place / "README.md").write_text("Another one.\n")
    moved = r"collection acme\.tools was 1\.3\.0 \(\w+\) and is 1\.3\.0 \(\w+\)"
    with pytest.raises(Refused, match=rf"What would run is not what was checked: {moved}\. Check anew"):
        playground.ask("", origin=check.pk, on="apply")
    (warning,) = playground.ask("", origin=check.pk, on="all").planned.warnings
    assert re.fullmatch(moved, warning)
    run = playground.carry_out(waits)
    assert (run.job.state, run.job.waiting_for) == (states.WAITING, states.CONFIRMATION)
    assert playground.marked() == {}
    requests.confirm(run.job, run.job.fingerprint, by="olga")
    run = playground.carry_out(run.job)
    assert run.job.state == states.SUCCEEDED, run.job.message


def test_a_plan_that_was_shown_is_started_as_long_as_it_holds(playground):
    plan = requests.show_plan(
        "run_playbook", site=playground.site, parameters={"template": "base"}, by="olga"
    )

    def ask(fingerprint):
        return requests.request(
            "run_playbook",
            site=playground.site,
            parameters={"template": "base"},
            by="olga",
            why="to see",
            confirmed=fingerprint,
        )

    assert ask(plan.fingerprint).confirmed == plan.fingerprint
    playground.host_variables("web01", colour="blue")
    with pytest.raises(Refused, match="The plan is another by now"):
        ask(plan.fingerprint)


def test_a_limit_that_finds_nobody_is_refused(playground):
    with pytest.raises(Refused, match=r"No host is touched by site\.yml with the limit"):
        playground.ask(limit="web01,!web01")


def test_a_template_that_wants_a_limit_is_not_run_without(playground):
    playground.template("careful", limit_required=True)
    with pytest.raises(Refused, match="The template careful is not run without a limit") as refusal:
        playground.ask("careful")
    assert list(refusal.value.fields) == ["limit"]
    assert [line.subject for line in playground.ask("careful", limit="web03").planned.lines][1:] == ["web03"]


def test_answers_are_judged_when_it_is_asked_for(playground):
    prompts = [
        {"name": "release", "kind": "choice", "choices": ["1.4", "1.5"]},
        {"name": "pin_code", "kind": "secret", "required": False},
    ]
    playground.template("asks", prompts=prompts)
    with pytest.raises(Refused) as refusal:
        playground.ask("asks", answers={"release": "2.0", "colour": "red"})
    assert sorted(refusal.value.fields) == ["answers.colour", "answers.release"]
    with pytest.raises(Refused, match="It is a secret: it is given apart") as refusal:
        playground.ask("asks", answers={"release": "1.5", "pin_code": "4711-0815"})
    assert "4711" not in str(refusal.value)


def test_an_answer_becomes_a_variable_and_is_never_a_template(playground, output):
    playground.template("asks", prompts=[{"name": "release", "required": False}])
    run = playground.run("asks", answers={"release": "{{ 6 * 7 }}"})
    assert "release {{ 6 * 7 }}" in output(run)


def test_a_playbook_that_is_not_there_is_a_refusal_in_words(playground):
    playground.template("typo", playbook="stie.yml")
    with pytest.raises(Refused, match=r"The project has no stie\.yml\. See how it is spelt"):
        playground.ask("typo")


def test_hosts_that_no_plan_showed_are_named(playground, client):
    playground.write(
        "site.yml",
        """
- hosts: web01
  gather_facts: false
  tasks:
    - add_host: {name: added, groups: fresh, ansible_connection: local}
    - debug: {msg: from elsewhere}
      delegate_to: web02
    - debug: {msg: there}
      loop: [1]
      delegate_to: web03
- hosts: fresh
  gather_facts: false
  tasks: [debug: ]
""",
    )
    run = playground.run()
    assert run.job.state == states.SUCCEEDED, run.job.message
    assert [line.subject for line in run.job.planned.lines][1:] == ["web01"]
    assert run.others == ["added", "web02", "web03"]
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("admin:provisioning_job_change", args=(run.pk,))).content.decode()
    assert "added, web02, web03" in page


def test_what_was_gathered_and_cannot_be_kept_fails_no_run(playground, monkeypatch):
    def away(*_):
        raise OperationalError("the database is away")

    playground.write("site.yml", "- hosts: web01\n  tasks: [ping: ]\n")
    monkeypatch.setattr(observing, "keep", away)
    run = playground.run()
    assert run.job.state == states.SUCCEEDED, run.job.message
    assert (run.rc, run.job.outcome["rc"]) == (0, 0)
    assert "What was gathered could not be kept (OperationalError)." in [
        one.text for one in run.job.events.all()
    ]
