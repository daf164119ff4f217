"""A job that waits for a person does not hold its machine for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from provisioning import requests, states
from provisioning.engine import sweeping
from provisioning.engine.moves import move
from provisioning.models import Job
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db


def waiting(hours: float) -> Job:
    job = requests.request("test_removes", by="kim", why="to see")
    assert job.state == "waiting"
    since(job, hours)
    return job


def since(job: Job, hours: float) -> None:
    Job.objects.filter(pk=job.pk).update(waiting_since=timezone.now() - timedelta(hours=hours))
    job.refresh_from_db()


def test_a_job_that_nobody_confirmed_is_cancelled_with_the_reason():
    job = waiting(73)
    sweeping.sweep()
    job.refresh_from_db()
    assert (job.state, job.waiting_for) == ("cancelled", "") and job.finished
    assert job.message == (
        "Nobody confirmed the plan within 72 hours (JOB_WAIT_HOURS); nothing more is done. Run it again when it is wanted."
    )
    assert texts(job)[-1] == job.message
    assert requests.request("test_removes", by="kim", why="again").state == "waiting", (
        "it holds nothing any more"
    )


def test_until_then_it_waits_and_says_until_when(admin_client):
    job = waiting(71)
    sweeping.sweep()
    job.refresh_from_db()
    assert job.state == "waiting"
    assert job.waits_until == job.waiting_since + timedelta(hours=72)
    page = admin_client.get(f"/admin/provisioning/job/{job.pk}/change/").content.decode()
    assert "Waits until" in page and job.waits_until.isoformat()[:16] in page
    assert job.as_dict()["waits_until"] == job.waits_until.isoformat()


def test_what_waited_before_that_was_written_down_counts_from_its_making(settings):
    job = waiting(0)
    Job.objects.filter(pk=job.pk).update(waiting_since=None, created=timezone.now() - timedelta(hours=2))
    settings.JOB_WAIT_HOURS = 1
    assert sweeping.expire() == 1
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_the_time_begins_anew_with_each_wait():
    job = waiting(100)
    requests.confirm(job, job.fingerprint, by="kim")
    assert move(job.pk, states.QUEUED, states.RUNNING)
    assert move(job.pk, states.RUNNING, states.WAITING, waiting_for=states.UNLOCK)
    assert sweeping.expire() == 0
    since(job, 100)
    assert sweeping.expire() == 1
    job.refresh_from_db()
    assert job.message.startswith("Nobody unlocked its secret within 72 hours")


def test_who_confirms_meanwhile_wins(monkeypatch):
    job = waiting(100)
    told = sweeping._nobody_came

    def confirmed_meanwhile(*given):
        requests.confirm(Job.objects.get(pk=job.pk), job.fingerprint, by="kim")
        return told(*given)

    monkeypatch.setattr(sweeping, "_nobody_came", confirmed_meanwhile)
    assert sweeping.expire() == 0
    job.refresh_from_db()
    assert job.state == "queued"
