"""Made, configured, seen to answer: one visible job with its parts, run by real Ansible on this machine."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import F
from django.urls import reverse

from inventory.changes import change
from inventory.models import (
    Grant,
    Host,
    JobTemplate,
    Membership,
    Token,
)
from provisioning import requests
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.jobs.chain import HOST, clones, parts_of
from tests.provisioning.jobs.chain import chain as chain
from tests.provisioning.jobs.conftest import ADDRESS, VMID
from tests.provisioning.jobs.rebuilding import asked, confirmed, put
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


def test_a_creation_ends_with_the_runs_that_role_and_profiles_name(chain, pve, client):
    job = chain.ask()
    assert (job.state, job.message) == ("succeeded", f"{HOST} runs on hv01 as {VMID}, at {ADDRESS}.")
    base, web = parts_of(job)
    assert [one.parameters for one in (base, web)] == [
        {**base.parameters, "template": "base", "limit": HOST},
        {**web.parameters, "template": "web", "limit": HOST},
    ]
    assert [(one.state, one.by_name, one.why) for one in (base, web)] == [
        ("succeeded", "olga", f"Part of job {job.pk}: to see")
    ] * 2
    assert job.outcome["parts"] == [base.pk, web.pk]
    assert chain.left() == {"base": [HOST], "web": [HOST]}
    assert clones(pve) == 1
    assert f"Its part is over: job {base.pk} is succeeded." in texts(job)
    client.force_login(User.objects.create_superuser("root"))
    page_of = {
        one.pk: client.get(reverse("admin:provisioning_job_change", args=(one.pk,))).content.decode()
        for one in (job, base)
    }
    for here, there, said in (
        (job, base, "Run base at lab"),
        (job, web, "Run web at lab"),
        (base, job, job.title),
    ):
        address = reverse("admin:provisioning_job_change", args=(there.pk,))
        assert f'<a href="{address}">job {there.pk}</a>: {said}' in page_of[here.pk]


@pytest.mark.parametrize(
    ("leaves", "said"),
    [
        (lambda kim: kim.delete(), "kim, who asked for job {}, is no user here any more. Somebody who may"),
        (
            lambda kim: Grant.objects.filter(user=kim).update(level="viewer"),
            "kim, who asked for job {}, has no permission provisioning.run_job at lab. Somebody who may",
        ),
    ],
)
def test_no_part_is_asked_for_in_the_name_of_who_is_gone_or_may_not_any_more(chain, leaves, said):
    kim = User.objects.create_user("kim", is_staff=True)
    Grant(user=kim, site=chain.site, level="operator").save()
    whole = requests.request("create_vm", site=chain.site, parameters={"host": HOST}, by=kim, why="to see")
    chain.step(whole)
    (base,) = parts_of(whole)
    assert base.by == kim
    leaves(kim)
    chain.work(whole)
    assert whole.state == "failed"
    assert whole.message.startswith(said.format(whole.pk))
    assert chain.left() == {"base": [HOST]}, "what had begun before is done"


@pytest.mark.parametrize(
    ("scope", "said"),
    [("write", "has no permission provisioning.run_job with its scope write"), ("", "is gone")],
)
def test_no_part_is_asked_for_in_the_name_of_a_token_that_may_not_any_more(chain, scope, said):
    token = Token(name="ci", site=chain.site, scope="provision")
    token.issue()
    token.save()
    whole = requests.request(
        "retire_host", site=chain.site, parameters={"host": HOST}, by="token ci", why="to see"
    )
    if scope:
        Token.objects.filter(pk=token.pk).update(scope=scope)
    else:
        token.delete()
    chain.work(whole)
    assert (whole.state, chain.left()) == ("failed", {})
    assert f"token ci, who asked for job {whole.pk}, {said}" in whole.message


def test_the_plan_shows_the_chain(chain):
    plan = requests.show_plan("create_vm", site=chain.site, parameters={"host": HOST}, by="olga")
    assert [(line.subject, line.detail) for line in plan.lines[-2:]] == [
        (f"run {name}", f"site.yml of lab, limited to {HOST}; a job of its own") for name in ("base", "web")
    ]


def test_while_its_part_runs_the_whole_waits_and_holds_no_worker(chain, pve):
    whole, part = chain.begun()
    assert (whole.state, whole.waiting_for, whole.lease_until, whole.waits_until) == (
        "waiting",
        "part",
        None,
        None,
    )
    assert part.state == "queued"
    with pytest.raises(Refused, match=f"Machine lab/{HOST} is taken: job {whole.pk}"):
        chain.ask("create_vm")
    chain.step(part)
    whole.refresh_from_db()
    assert (part.state, whole.state) == ("succeeded", "queued")
    assert chain.work(whole).state == "succeeded"


def test_a_machine_without_templates_is_made_as_ever(chain):
    with change(chain.site, by="fixture", why="no chain"):
        host = Host.objects.get(name=HOST)
        host.role = None
        host.save()
        Membership.objects.get(host=host).delete()
    job = chain.ask()
    assert (job.state, parts_of(job), sorted(job.outcome)) == (
        "succeeded", [], ["addresses", "hypervisor", "mac", "vmid"]
    )  # fmt: skip


# --- what fails, and going on ---


def test_a_part_that_fails_fails_the_whole_which_names_it_and_the_way_out(chain, pve):
    chain.breaks("web")
    job = chain.ask()
    base, web = parts_of(job)
    assert (job.state, base.state, web.state) == ("failed", "succeeded", "failed")
    assert f"A part came to nothing: job {web.pk} (Run web at lab) is failed." in job.message
    assert "1 failed" in job.message and "it goes on with that part" in job.message
    assert pve.guest(VMID)["running"]


def test_run_again_it_clones_nothing_and_repeats_no_part_that_succeeded(chain, pve):
    chain.breaks("web")
    first = chain.ask()
    chain.mend()
    again = chain.work(requests.run_again(first, by="olga", why="mended"))
    assert again.state == "succeeded", again.message
    base = parts_of(first)[0]
    (second,) = parts_of(again)
    assert (second.parameters["template"], again.outcome["parts"]) == ("web", [base.pk, second.pk])
    assert chain.left() == {"base": [HOST], "web": [HOST]}
    assert clones(pve) == 1
    assert f"base has run on {HOST} already: job {base.pk}." in texts(again)


def test_asked_for_once_more_it_runs_nothing_that_this_creation_had(chain, pve):
    chain.ask()
    again = chain.ask()
    assert (again.state, parts_of(again)) == ("succeeded", [])
    assert chain.left() == {"base": [HOST], "web": [HOST]}


def test_another_creation_is_configured_anew(chain, pve):
    chain.ask()
    guest = pve.guest(VMID)
    pve.change(
        guests={VMID: {**guest, "config": {**guest["config"], "vmgenid": "another", "smbios1": "uuid=other"}}}
    )
    assert chain.ask().state == "succeeded"
    assert chain.left() == {"base": [HOST, HOST], "web": [HOST, HOST]}


def test_a_template_that_asks_what_nobody_answers_is_refused_before_anything_is_made(chain, pve):
    with change(chain.site, by="fixture", why="a question"):
        template: Any = JobTemplate.objects.get(name="web")
        template.prompts = [{"name": "release"}]
        template.save()
    with pytest.raises(Refused, match="asks for release without a default"):
        chain.ask()
    assert clones(pve) == 0


def test_a_part_that_cannot_be_asked_for_fails_the_whole_by_name(chain, pve):
    with change(chain.site, by="fixture", why="a slip"):
        template = JobTemplate.objects.get(name="base")
        template.playbook = "gone.yml"
        template.save()
    job = chain.ask()
    assert job.state == "failed" and f"base cannot be run on {HOST}" in job.message
    assert "has no gone.yml" in job.message
    assert pve.guest(VMID)["running"]


# --- rebuilt, retired ---


def test_a_rebuilt_machine_is_configured_anew(chain, pve):
    put(pve, chain.site)
    whole = asked(chain.site, backup="no")
    assert [line.subject for line in whole.planned.lines][-2:] == ["run base", "run web"]
    job = chain.work(confirmed(whole))
    assert job.state == "succeeded", job.message
    assert chain.left() == {"base": [HOST], "web": [HOST]}
    assert clones(pve) == 1
    again = confirmed(asked(chain.site, backup="no"))
    assert chain.work(again).state == "succeeded", again.message
    assert chain.left() == {"base": [HOST, HOST], "web": [HOST, HOST]}


def test_a_rebuild_whose_part_failed_is_gone_on_with_by_a_creation(chain, pve):
    put(pve, chain.site)
    chain.breaks("web")
    job = chain.work(confirmed(asked(chain.site, backup="no")))
    assert job.state == "failed" and "create it (create_vm)" in job.message
    chain.mend()
    assert chain.ask().state == "succeeded"
    assert chain.left() == {"base": [HOST], "web": [HOST]}
    assert clones(pve) == 1


def test_a_host_is_retired_once_what_cleans_up_behind_it_has_run(chain):
    job = chain.ask("retire_host")
    assert (job.state, job.message) == ("succeeded", f"{HOST} is retired.")
    assert Host.objects.get(name=HOST).status == "retired"
    assert chain.left() == {"clean": [HOST]}
    assert [line.subject for line in job.planned.lines] == [f"host {HOST}", "run clean"]


def test_a_host_whose_clean_up_failed_is_not_retired_and_goes_on(chain):
    chain.breaks("clean")
    job = chain.ask("retire_host")
    assert job.state == "failed" and "A part came to nothing" in job.message
    assert Host.objects.get(name=HOST).status != "retired"
    chain.mend()
    again = chain.work(requests.run_again(job, by="olga", why="mended"))
    assert again.state == "succeeded", again.message
    assert Host.objects.get(name=HOST).status == "retired"
    assert chain.left() == {"clean": [HOST]}


def test_whoever_may_not_retire_a_host_does_not_by_a_job(chain):
    kim = User.objects.create_user("kim", is_staff=True)
    kim.user_permissions.add(Permission.objects.get(codename="run_job"))
    job = requests.request("retire_host", site=chain.site, parameters={"host": HOST}, by=kim, why="to see")
    chain.work(job)
    assert "has no permission inventory.change_host at lab" in job.message
    assert (chain.left(), Host.objects.get(name=HOST).status) == ({}, "active")


def test_a_host_that_is_retired_already_is_not_retired_again(chain):
    chain.ask("retire_host")
    with pytest.raises(Refused, match="is retired already"):
        chain.ask("retire_host")


def test_going_on_is_counted_as_no_new_try(chain):
    job = chain.ask()
    assert job.attempt == 3
    assert Job.objects.filter(pk=job.pk, tries__lt=F("attempt")).exists()
