"""One at a time at each host."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from inventory.automating.automation_facts import ProjectFacts
from inventory.changes import change
from inventory.models import Host, Interface, Site
from provisioning import kinds, requests, runner, states
from provisioning.engine import sweeping
from provisioning.engine.faults import Paused, Superseded
from provisioning.engine.moments import DatabaseTime, database_now
from provisioning.kinds.base import Asked, Kind
from provisioning.models import HostHold, Job
from provisioning.plans import Plan
from provisioning.runs import holding
from provisioning.runs.arguments import Arguments
from tests.provisioning.kinds import Counted
from tests.provisioning.runs.factories import RunFactory
from tests.provisioning.support import texts


@kinds.register
class AtHost(Kind):
    """Is at the host ``name``, as the jobs at machines are."""

    name, title = "test_at_host", "At {name}"
    Parameters = Counted

    def machine_key(self, asked: Asked) -> str:
        return f"{asked.site}/{asked['name']}"

    def run(self, turn, plan: Plan) -> None:
        turn.step("look who holds it")
        turn.outcome = {"holds": HostHold.objects.filter(job=turn.job).count()}


def run_at(site, *hosts: str, state: str = states.RUNNING, attempt: int = 1, kind: str = "test_once") -> Job:
    """A job with a run at *hosts*."""
    project = ProjectFacts(name="lab")
    arguments = Arguments(template="base", project=project, playbook="site.yml", plays=(("all", hosts),))
    RunFactory(
        job__site=site,
        job__state=state,
        job__attempt=attempt,
        job__kind=kind,
        job__finished=None,
        job__parameters={},
        arguments=arguments.as_json(),
    )
    return Job.objects.latest("pk")


def held(job: Job) -> list[str]:
    return sorted(HostHold.objects.filter(job=job).values_list("host", flat=True))


def due_again(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(not_before=None)


def test_all_hosts_are_taken_or_none(site):
    first, second = run_at(site, "web01"), run_at(site, "web00", "web01", "web02")
    holding.take(first, ("web01",), 1)
    with pytest.raises(Paused):
        holding.take(second, holding.hosts_of(second), 1)
    second.refresh_from_db()
    assert held(second) == []
    assert (second.state, second.message) == (states.QUEUED, f"Waits for job {first.pk} at web01.")
    assert second.not_before is not None


def test_a_job_whose_host_is_held_is_not_taken_up_and_says_once_for_whom_it_waits(site):
    first = run_at(site, "pi01")
    holding.take(first, ("pi01",), 1)
    job = requests.request("test_at_host", site=site, parameters={"name": "pi01"}, by="test", why="to see")
    for _ in range(3):
        runner.run(job.pk)
        due_again(job)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (states.QUEUED, 0)
    assert texts(job)[1:] == [f"Waits for job {first.pk} at pi01."]


def test_it_goes_on_when_the_other_lets_go(site):
    first = run_at(site, "pi01")
    holding.take(first, ("pi01",), 1)
    job = requests.request("test_at_host", site=site, parameters={"name": "pi01"}, by="test", why="to see")
    runner.run(job.pk)
    Job.objects.filter(pk=first.pk).update(state=states.SUCCEEDED)
    holding.release(first.pk, 1)
    job.refresh_from_db()
    assert job.not_before <= database_now(), "nobody waits longer than needed"
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.outcome) == (states.SUCCEEDED, {"holds": 1})
    assert not HostHold.objects.exists()


def test_hosts_of_another_site_are_others(site, db):
    other = Site(slug="home", root_domain="example.org", block="198.51.100.0/24")
    with change(other, by="fixture"):
        pass
    holding.take(run_at(site, "web01"), ("web01",), 1)
    second = run_at(other, "web01")
    holding.take(second, ("web01",), 1)
    assert held(second) == ["web01"]


def test_a_machine_that_two_sites_declare_is_one_machine(site):
    other = Site(slug="home", root_domain="example.org", block="198.51.100.0/24")
    with change(other, by="fixture"):
        pass
    for where, mac in ((site, "b8:27:eb:00:00:01"), (other, "B8-27-EB-00-00-01")):
        with change(where, by="fixture", why="it travels"):
            host = Host(site=where, name="builder")
            host.save()
            Interface(host=host, name="eth0", mac=mac).save()
    here, there = run_at(site, "builder"), run_at(other, "builder", state=states.QUEUED)
    holding.take(here, ("builder",), 1)
    assert holding.must_wait(there)
    there.refresh_from_db()
    assert there.message == f"Waits for job {here.pk} at builder."
    holding.release(here.pk, 1)
    due_again(there)
    assert not HostHold.objects.exists()
    Job.objects.filter(pk=here.pk).update(state=states.SUCCEEDED)
    assert not holding.must_wait(there)


def test_who_waits_is_served_in_the_order_of_asking(site):
    first = run_at(site, "web01")
    holding.take(first, ("web01",), 1)
    second = run_at(site, "web01", "web02", state=states.QUEUED)
    third = run_at(site, "web02", "web03", state=states.QUEUED)
    assert holding.must_wait(second)
    assert holding.must_wait(third), "web02 is free, and the second one waits for it"
    third.refresh_from_db()
    assert third.message == (
        f"Waits for job {second.pk} at web02, which was asked for before and waits as well."
    )
    Job.objects.filter(pk=first.pk).update(state=states.SUCCEEDED)
    holding.release(first.pk, 1)
    assert holding.must_wait(third), "also where it is looked at first"
    assert not holding.must_wait(second)
    Job.objects.filter(pk=third.pk).update(state=states.RUNNING)
    with pytest.raises(Paused):
        holding.take(third, holding.hosts_of(third), 1)
    Job.objects.filter(pk=second.pk).update(state=states.RUNNING, message="")
    holding.take(second, holding.hosts_of(second), 1)
    assert held(second) == ["web01", "web02"]


def test_a_place_in_the_line_is_kept_for_a_while_and_for_the_parts_of_a_job(site):
    first = run_at(site, "web01")
    whole = run_at(site, state=states.SUCCEEDED)
    holding.take(first, ("web01",), 1)
    second = run_at(site, "web01", "web02", state=states.QUEUED)
    assert holding.must_wait(second)
    part = run_at(site, "web02", state=states.QUEUED)
    Job.objects.filter(pk=part.pk).update(parent=whole, request_key="part:creation:base:1")
    part.refresh_from_db()
    assert not holding.must_wait(part), "its whole was asked for before"
    third = run_at(site, "web02", state=states.QUEUED)
    assert holding.must_wait(third)
    Job.objects.filter(pk=second.pk).update(not_before=DatabaseTime(-holding.STANDS - 1))
    assert not holding.must_wait(third), "no worker looks at the second one"


def test_a_superseded_attempt_takes_nothing_and_lets_nothing_go(site):
    job = run_at(site, "web01", attempt=2)
    with pytest.raises(Superseded):
        holding.take(job, ("web01",), 1)
    holding.take(job, ("web01",), 2)
    holding.release(job.pk, 1)
    assert held(job) == ["web01"]
    holding.release(job.pk, 2)
    assert held(job) == []


def test_taking_again_keeps_what_an_earlier_attempt_took(site):
    job = run_at(site, "web01", "web02")
    holding.take(job, ("web01",), 1)
    holding.take(job, ("web01", "web02"), 1)
    assert held(job) == ["web01", "web02"]


def test_what_a_lost_job_held_is_let_go_by_the_sweep(site):
    job = run_at(site, "web01")
    holding.take(job, ("web01",), 1)
    Job.objects.filter(pk=job.pk).update(lease_until=DatabaseTime(-1))
    sweeping.sweep()
    job.refresh_from_db()
    assert job.state == states.LOST
    assert not HostHold.objects.exists()


def test_a_part_of_a_job_is_not_in_the_way_of_its_whole(site):
    whole = run_at(site, "web01")
    holding.take(whole, ("web01",), 1)
    part = run_at(site, "web01", state=states.QUEUED)
    part.parent = whole
    part.save(update_fields=["parent"])
    assert not holding.must_wait(part)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_hosts_one_takes_them(site):
    jobs = [run_at(site, "web01", "web02", "web03") for _ in range(4)]
    together, won = threading.Barrier(len(jobs)), []

    def go(job: Job) -> None:
        try:
            together.wait(timeout=20)
            holding.take(job, ("web01", "web02", "web03"), 1)
            won.append(job.pk)
        except Paused:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert won == [jobs[0].pk], "the one that was asked for first"
    assert sorted(HostHold.objects.values_list("job", flat=True)) == won * 3
    assert (
        Job.objects.filter(
            state=states.QUEUED, message__regex=r"^Waits for job \d+ at web01, web02, web03[.,]"
        ).count()
        == 3
    )
