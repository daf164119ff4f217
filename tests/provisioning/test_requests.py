"""Asking, confirming, cancelling: without a worker, on either database."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connections

from inventory.models import Grant
from provisioning import requests, runner
from provisioning.engine import sweeping
from provisioning.models import Job
from provisioning.requests import Refused
from tests.provisioning.kinds import WORLD
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


def ask(kind: str = "test_steps", **options) -> Job:
    options = {"by": "test", "why": "to see", **options}
    return requests.request(kind, **options)


def test_what_is_asked_for_is_kept(site, django_capture_on_commit_callbacks):
    kim = User.objects.create_superuser("kim")
    with django_capture_on_commit_callbacks() as callbacks:
        job = ask("test_adds", site=site, by=kim)
    job.refresh_from_db()
    assert (job.state, job.site, job.site_slug, job.by, job.by_name, job.why, job.queue) == (
        "queued", site, "lab", kim, "kim", "to see", "short",
    )  # fmt: skip
    assert job.plan == {"lines": [["add", "thing at lab", ""]], "problems": [], "warnings": []}
    assert job.title == "Add at lab"
    assert texts(job) == ["Asked for by kim. The plan: 1 to add."]
    assert len(callbacks) == 1, "the message is sent when the row is there to be found"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "nonsense"}, "There are no jobs of the kind “nonsense”; there are "),
        ({"kind": "test_adds"}, "A job of the kind test_adds belongs to a site; name one."),
        ({"parameters": {"seconds": "soon"}}, "The parameters cannot be used. seconds: Enter a number."),
        (
            {"parameters": {"colour": "red"}},
            "colour: There is no such parameter; there are: name, file, seconds.",
        ),
        ({"parameters": {"name": "PVEAPIToken=a@pve!b=11112222-3333"}}, "name: this looks like a secret"),
    ],
)
def test_what_cannot_be_is_refused_in_words(options, message):
    with pytest.raises(Refused) as refusal:
        ask(**options)
    assert message in str(refusal.value)
    assert not Job.objects.exists()


def test_a_job_without_a_site_is_refused_one(site):
    with pytest.raises(Refused, match="belongs to no site"):
        ask("test_steps", site=site)


@pytest.mark.parametrize(
    ("level", "here", "allowed"),
    [
        ("viewer", True, False),
        ("operator", True, True),
        ("operator", False, False),
        ("administrator", True, True),
    ],
)
def test_who_may_start_is_asked_at_the_site(site, level, here, allowed):
    from inventory.changes import change
    from inventory.models import Site

    other = Site(slug="other")
    with change(other, by="fixture"):
        pass
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site if here else other, level=level)
    if allowed:
        assert ask("test_adds", site=site, by=user).state == "queued"
    else:
        with pytest.raises(PermissionDenied, match=r"provisioning\.run_job at site lab"):
            ask("test_adds", site=site, by=user)


def test_a_job_of_no_site_needs_the_permission_everywhere(site):
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="administrator")
    with pytest.raises(PermissionDenied, match="at every site"):
        ask("test_steps", by=user)


def test_a_machine_has_one_active_job_and_the_refusal_names_it():
    first = ask(parameters={"name": "vm01"})
    ask(parameters={"name": "vm02"})
    with pytest.raises(Refused) as refusal:
        ask(parameters={"name": "vm01"}, by="kim")
    assert str(refusal.value) == (
        f"Machine machine/vm01 is taken: job {first.pk} (Steps of vm01, by test) is queued. Wait for it, or cancel it."
    )
    assert refusal.value.job == first
    requests.cancel(first, by="kim")
    assert ask(parameters={"name": "vm01"}).state == "queued"


def test_the_same_submit_twice_is_one_job():
    first = ask(parameters={"name": "vm01"}, key="form-1")
    again = ask(parameters={"name": "vm01"}, key="form-1")
    assert again == first
    assert Job.objects.count() == 1
    assert ask(parameters={"name": "vm02"}, key="form-1", by="kim") != first, "another person's key"
    with pytest.raises(Refused, match=f"made before, for something else: job {first.pk}"):
        ask(parameters={"name": "vm03"}, key="form-1")


def test_the_reason_keeps_no_secret():
    assert ask(why="password=hunter22 was wrong").why == "password=[secret] was wrong"


# --- plans that a person confirms ---


def test_a_destructive_job_waits_for_its_plan_to_be_confirmed():
    job = ask("test_removes")
    assert (job.state, job.waiting_for) == ("waiting", "confirmation")
    runner.run(job.pk)
    assert WORLD["things"] == ["one", "two"], "nothing is done before"
    requests.confirm(job, job.fingerprint, by="kim")
    assert (job.state, job.confirmed_by) == ("queued", "kim")
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, WORLD["things"]) == ("succeeded", [])


def test_who_has_seen_the_plan_confirms_with_the_request():
    plan = requests.show_plan("test_removes", by="kim")
    job = ask("test_removes", confirmed=plan.fingerprint)
    assert (job.state, job.confirmed, job.confirmed_by) == ("queued", plan.fingerprint, "test")


def test_a_plan_that_was_not_shown_is_not_confirmed():
    job = ask("test_removes")
    with pytest.raises(Refused, match="The plan is another by now") as refusal:
        requests.confirm(job, "0" * 64, by="kim")
    assert refusal.value.plan.fingerprint == job.fingerprint
    with pytest.raises(Refused, match="The plan is another by now"):
        ask("test_removes", confirmed="0" * 64, key="x")
    with pytest.raises(Refused, match="does not wait for a confirmation; it is queued"):
        requests.confirm(ask(), "", by="kim")


def test_where_the_world_moved_the_new_plan_is_shown_and_waits():
    job = ask("test_removes")
    shown = job.fingerprint
    requests.confirm(job, shown, by="kim")
    WORLD["things"].append("three")
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.waiting_for, WORLD["things"]) == (
        "waiting",
        "confirmation",
        ["one", "two", "three"],
    )
    assert texts(job)[-1] == (
        "The plan is no longer the one that was shown, and waits to be confirmed anew. now: - thing three"
    )
    with pytest.raises(Refused, match="another by now"):
        requests.confirm(job, shown, by="kim")
    requests.confirm(job, job.fingerprint, by="kim")
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, WORLD["things"]) == ("succeeded", [])


def test_what_is_left_of_a_confirmed_plan_needs_no_new_confirmation():
    job = ask("test_removes")
    requests.confirm(job, job.fingerprint, by="kim")
    job = runner.claim(job.pk)
    turn = runner._turn_of(job)
    turn.need_confirmation(turn.kind.plan(turn.asked))
    WORLD["things"].remove("one")  # and then its worker is gone
    expire(job)
    sweeping.reap()
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, WORLD["things"]) == ("succeeded", 2, [])


def test_a_job_that_plans_late_waits_with_its_plan():
    job = ask("test_removes_later")
    assert (job.state, job.plan) == ("queued", None)
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.planned.summary) == ("waiting", "2 to remove, 1 to run")
    requests.confirm(job, job.fingerprint, by="kim")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded"


def test_nothing_to_do_is_said_and_makes_no_job():
    WORLD["things"].clear()
    with pytest.raises(Refused, match="There is nothing to do"):
        ask("test_removes")


# --- cancelling and running again ---


def test_what_is_not_running_is_cancelled_at_once():
    job = requests.cancel(ask(), by="kim")
    assert (job.state, job.message) == ("cancelled", "Cancelled by kim, before it was taken up.")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert requests.cancel(job, by="kim").state == "cancelled", "asking twice is no fault"
    assert requests.cancel(ask("test_removes"), by="kim").state == "cancelled"


STAYS = "; what was done before it stays done"


@pytest.mark.parametrize(
    ("kind", "then", "where"),
    [
        ("test_removes_later", {}, "while it waited for somebody to confirm its plan"),
        ("test_removes_later", {"attempt": 2}, f"while it waited for somebody to confirm its plan{STAYS}"),
        ("test_removes_later", {"waiting_for": "unlock"}, f"while it waited for a secret{STAYS}"),
        ("test_steps", {"state": "queued", "finished": None}, f"before it was taken up again{STAYS}"),
    ],
)
def test_what_was_begun_is_not_said_to_be_cancelled_before_it_was_taken_up(kind, then, where):
    job = ask(kind)
    runner.run(job.pk)
    Job.objects.filter(pk=job.pk).update(**then)
    job = requests.cancel(job, by="kim")
    assert (job.state, job.message) == (
        "cancelled",
        f"Cancelled by kim, {where}.",
    )


def test_what_is_finished_is_not_cancelled():
    job = ask()
    runner.run(job.pk)
    with pytest.raises(Refused, match=f"Job {job.pk} has succeeded already"):
        requests.cancel(job, by="kim")


def test_run_again_is_a_job_of_its_own():
    job = ask(parameters={"name": "vm01"})
    with pytest.raises(Refused, match="still queued"):
        requests.run_again(job, by="kim", why="again")
    runner.run(job.pk)
    job.refresh_from_db()
    again = requests.run_again(job, by="kim", why="again")
    assert (again.parent, again.parameters, again.by_name, again.state) == (
        job,
        job.parameters,
        "kim",
        "queued",
    )


def test_cancel_and_confirm_need_their_permissions(site):
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="viewer")
    job = ask("test_adds", site=site)
    with pytest.raises(PermissionDenied, match=r"provisioning\.cancel_job at site lab"):
        requests.cancel(job, by=user)
    with pytest.raises(PermissionDenied, match=r"provisioning\.confirm_job at site lab"):
        requests.confirm(job, job.fingerprint, by=user)


# --- many at once ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", "form-1"])
def test_of_many_that_ask_at_once_one_gets_the_machine(key):
    together, found = threading.Barrier(4), []

    def go():
        try:
            together.wait(timeout=20)
            found.append(ask(parameters={"name": "vm01"}, key=key).pk)
        except Refused as refusal:
            found.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert Job.objects.count() == 1
    made = [one for one in found if isinstance(one, int)]
    refused = [one for one in found if isinstance(one, str)]
    assert len(set(made)) == 1
    assert len(made) == (4 if key else 1)
    assert all("is taken: job" in one for one in refused)


def expire(job: Job) -> None:
    from provisioning.engine.moments import DatabaseTime

    Job.objects.filter(pk=job.pk).update(lease_until=DatabaseTime(-1))
