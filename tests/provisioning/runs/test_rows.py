"""Rows of runs: what they hold, and what they refuse."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction

from provisioning import states
from provisioning.adapters.ansible import Event
from provisioning.models import HostHold, PlaybookRun, RunEvent
from provisioning.runs import storing
from provisioning.runs.storing import Store
from tests.provisioning.runs.factories import HostFactory, JobFactory, RunFactory, events, frozen


def test_frozen_text_comes_back_as_it_was(db):
    assert frozen("hosts: {straße: {}}\n").text == "hosts: {straße: {}}\n"


def test_events_of_a_run_are_numbered_on_over_two_batches(site):
    run = RunFactory(job__site=site)
    events(run, [{"text": "a\nb"}, {"text": "c"}])
    events(run, [{"text": "d"}], attempt=2)
    found = RunEvent.objects.filter(run=run).values_list("counter", "first_line", "lines", "attempt")
    assert list(found) == [(1, 1, 2, 1), (2, 3, 1, 1), (3, 4, 1, 2)]


@pytest.mark.django_db(transaction=True)
def test_events_whose_commit_was_not_answered_are_kept_once(site, monkeypatch):
    run = RunFactory(job__site=site, job__state=states.RUNNING)
    store = Store(run.job, run.job.attempt)
    write, tries = store._write, []

    def unanswered(rows, **more):
        write(rows, **more)
        tries.append(len(rows))
        if len(tries) == 1:
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(store, "_write", unanswered)
    monkeypatch.setattr(storing, "PAUSE", 0)
    at = "2026-11-02T10:00:00+00:00"
    store.events([Event(counter=1, uuid="a", kind="x", at=at), Event(counter=2, uuid="b", kind="x", at=at)])
    run.refresh_from_db()
    assert tries == [2, 2]
    assert list(run.events.order_by("counter").values_list("counter", "uuid")) == [(1, "a"), (2, "b")]
    assert run.last_event == 2


def test_a_run_has_one_event_of_a_number(site):
    run = RunFactory(job__site=site)
    [event] = events(run, [{"text": "a"}])
    event.pk = None
    with pytest.raises(ValidationError, match="The run has an event of this number"):
        event.validate_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        event.save(force_insert=True)


def test_a_host_is_held_by_one_run(site):
    HostHold.objects.create(site=site, host="web01", job=JobFactory(site=site))
    second = HostHold(site=site, host="web01", job=JobFactory(site=site))
    with pytest.raises(ValidationError, match="Another run is at this host; wait for it, or cancel it"):
        second.validate_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save()


def test_a_host_is_counted_under_the_worst_that_befell_it(site):
    run = RunFactory(job__site=site)
    assert HostFactory(run=run, ok=3).worst == "ok"
    assert HostFactory(run=run, ok=3, changed=1).worst == "changed"
    assert HostFactory(run=run, ok=3, changed=1, failed=1).worst == "failed"
    assert HostFactory(run=run, ok=3, failed=1, unreachable=1).worst == "unreachable"


def test_the_newest_run_comes_first(site):
    first, second = RunFactory(job__site=site), RunFactory(job__site=site)
    assert list(PlaybookRun.objects.all()) == [second, first]
