"""The ends of a chain: a cancel from either side, lost ends, and whether what was made answers."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import (
    Service,
)
from provisioning import requests, states
from provisioning.engine import moves, sweeping, turns
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job
from tests.provisioning.adapters.test_ssh import listener, until_closed
from tests.provisioning.jobs.chain import HOST, parts_of
from tests.provisioning.jobs.chain import chain as chain
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


# --- cancelling, and lost ends ---


def test_cancelling_the_whole_cancels_its_part(chain):
    whole, part = chain.begun()
    requests.cancel(whole, by="olga")
    part.refresh_from_db()
    assert (whole.state, part.state) == ("cancelled", "cancelled")
    assert part.message == f"Cancelled by job {whole.pk}, before it was taken up."
    assert chain.left() == {}


def test_a_cancel_that_comes_while_the_part_is_asked_for_is_seen(chain, monkeypatch):
    real = turns.Turn.need_part

    def cancelled_first(turn, part):
        Job.objects.filter(pk=turn.job.pk).update(cancel_asked=DatabaseTime(), cancel_asked_by="olga")
        real(turn, part)

    monkeypatch.setattr(turns.Turn, "need_part", cancelled_first)
    whole, part = chain.begun()
    part.refresh_from_db()
    assert (whole.state, part.state) == ("cancelled", "cancelled")


def test_cancelling_the_part_ends_the_whole_too(chain):
    whole, part = chain.begun()
    requests.cancel(part, by="olga")
    chain.work(whole)
    assert whole.state == "failed" and f"job {part.pk} (Run base at lab) is cancelled." in whole.message


def test_who_waits_for_a_part_is_not_given_up(chain, settings):
    whole, _ = chain.begun()
    settings.JOB_WAIT_HOURS = 1
    Job.objects.filter(pk=whole.pk).update(waiting_since=DatabaseTime(-7200))
    assert sweeping.expire() == 0
    whole.refresh_from_db()
    assert whole.state == "waiting"


def test_an_end_that_nobody_saw_is_seen_by_the_sweep(chain):
    whole, part = chain.begun()
    Job.objects.filter(pk=part.pk).update(state="lost", finished=DatabaseTime())
    sweeping.sweep()
    whole.refresh_from_db()
    assert whole.state == "queued"
    assert chain.work(whole).state == "failed" and "is lost" in whole.message


def test_a_part_whose_whole_is_over_is_cancelled_by_the_sweep(chain):
    whole, part = chain.begun()
    Job.objects.filter(pk=whole.pk).update(state="lost", waiting_for="", finished=DatabaseTime())
    sweeping.sweep()
    part.refresh_from_db()
    assert part.state == "cancelled"


def test_a_worker_that_dies_behind_its_question_asks_no_second_time(chain, monkeypatch):
    """The part is asked for, and the worker is gone before it could say that it waits."""
    whole = requests.request("create_vm", site=chain.site, parameters={"host": HOST}, by="olga", why="to see")

    def dies(turn, part):
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(turns.Turn, "need_part", dies)
        chain.step(whole)
    Job.objects.filter(pk=whole.pk).update(lease_until=DatabaseTime(-1))
    sweeping.reap()
    assert chain.work(whole).state == "succeeded", whole.message
    assert [one.parameters["template"] for one in parts_of(whole)] == ["base", "web"]
    assert chain.left() == {"base": [HOST], "web": [HOST]}


def test_a_part_that_is_over_before_the_whole_waits_loses_nothing(chain, monkeypatch):
    real = moves.move

    def over_first(job_id, before, after, **more):
        if more.get("waiting_for") == states.PART:
            Job.objects.filter(parent=job_id, state="queued").update(
                state="succeeded", finished=DatabaseTime()
            )
        return real(job_id, before, after, **more)

    monkeypatch.setattr(turns, "move", over_first)
    whole = requests.request("create_vm", site=chain.site, parameters={"host": HOST}, by="olga", why="to see")
    for _ in range(20):
        chain.step(whole)
        sweeping.sweep()
        whole.refresh_from_db()
        if whole.is_finished:
            break
    assert whole.state == "succeeded", whole.message


# --- the host's checks ---


@pytest.fixture
def served(chain, settings, monkeypatch):
    """The machine's address is this one; a service of it is declared at a port of our own."""
    from inventory.models import Interface
    from provisioning.steps import reaching

    settings.SSH_WAIT_SECONDS = 1
    monkeypatch.setattr(reaching, "look", lambda *_: "")

    def at(port: int, health_check: str = "") -> None:
        with change(chain.site, by="fixture", why="a service"):
            card = Interface.objects.get(host__name=HOST)
            card.ipv4, card.segment.network4 = "127.0.0.1", "127.0.0.0/24"
            card.segment.gateway4 = "127.0.0.254"
            card.segment.save()
            card.save()
            Service(host=card.host, name="www", port=port, health_check=health_check).save()

    return at


def test_a_service_that_answers_is_seen(chain, pve, served):
    from tests.provisioning.jobs.conftest import MAC

    pve.change(leases={MAC: "127.0.0.1"})
    with listener(until_closed) as port:
        served(port)
        job = chain.ask()
    assert job.state == "succeeded", job.message
    assert f"www answers at 127.0.0.1, port {port}." in texts(job)


def test_the_plan_promises_only_looks_that_are_taken(chain, served, settings):
    served(8080, "/health")

    def looks() -> list[str]:
        plan = requests.show_plan("create_vm", site=chain.site, parameters={"host": HOST}, by="olga")
        return [line.subject for line in plan.lines if line.subject.startswith("see that")]

    assert looks() == ["see that www answers"]
    settings.SSH_WAIT_SECONDS = 0
    assert looks() == []


def test_a_service_that_does_not_answer_fails_what_is_configured(chain, pve, served):
    from tests.provisioning.jobs.conftest import MAC

    pve.change(leases={MAC: "127.0.0.1"})
    with listener(until_closed) as port:
        pass  # and gone
    served(port)
    job = chain.ask()
    assert job.state == "failed"
    assert f"www on {HOST} does not answer: Nothing listens at 127.0.0.1:{port}." in job.message
    assert [one.state for one in parts_of(job)] == ["succeeded", "succeeded"]
