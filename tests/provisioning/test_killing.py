"""Many jobs over four workers, of which one is killed every five seconds: each is done once, and none is left.

On SQLite over the folder; on PostgreSQL (``make test-postgres ARGS='-m slow tests/provisioning/test_killing.py'``) over
Redis and over RabbitMQ. With ``-s`` each says how long it took.
"""

from __future__ import annotations

import contextlib
import time

import pytest
from django.db import connection
from django.db.models import Sum

from provisioning import requests
from provisioning.models import Job, JobEvent
from tests.provisioning import brokers
from tests.provisioning.support import Workers, broker_at, broker_in
from tests.scale import share

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800), pytest.mark.slow]

JOBS, WORKERS, KILL_EVERY, PATIENCE = 1000, 4, 5.0, 1500.0


@pytest.mark.parametrize("broker", ["filesystem", "redis", "rabbitmq"])
def test_each_of_many_jobs_is_done_once_though_workers_are_killed(broker, settings, tmp_path):
    embedded = broker == "filesystem"
    if embedded != (connection.vendor == "sqlite"):
        pytest.skip("the folder is for SQLite, Redis and RabbitMQ are for PostgreSQL")
    data, done = tmp_path / "data", tmp_path / "done"
    data.mkdir()
    done.mkdir()
    with contextlib.ExitStack() as stack:
        more = {"JOB_LEASE_SECONDS": "10"}
        if embedded:
            stack.enter_context(broker_in(settings, data))
        else:
            (tmp_path / "broker").mkdir()
            more["CELERY_BROKER_URL"] = stack.enter_context(getattr(brokers, broker)(tmp_path / "broker"))
            stack.enter_context(broker_at(more["CELERY_BROKER_URL"]))
        workers = Workers(data, tmp_path / "log", **more)
        stack.callback(workers.stop_all)
        count = share(JOBS)
        for number in range(count):
            given = {"file": str(done / f"{number:04}"), "seconds": 0.2}
            requests.request("test_touches", parameters=given, by="test", why="one of many")
        kills, seconds = _work(workers)
    print(f"\n{connection.vendor} {broker}: {count} jobs, {WORKERS} workers, {kills} killed, {seconds:.0f} s")
    assert kills or count < JOBS
    _check(count, len(list(done.iterdir())), workers)


def _work(workers: Workers) -> tuple[int, float]:
    """Run until nothing is left to do, killing the oldest worker again and again; (kills, seconds)."""
    for number in range(WORKERS):
        workers.start(f"w{number}")
    began = last = time.monotonic()
    kills = 0
    while Job.objects.filter(state__in=("queued", "running")).exists():
        assert time.monotonic() - began < PATIENCE, workers.log.read_text()[-4000:]
        time.sleep(0.5)
        if time.monotonic() - last > KILL_EVERY:
            last = time.monotonic()
            workers.kill(next(iter(workers.running)))
            workers.start(f"w{WORKERS + kills}")
            kills += 1
    return kills, time.monotonic() - began


def _check(count: int, files: int, workers: Workers) -> None:
    left = list(Job.objects.exclude(state="succeeded").values_list("pk", "state", "message")[:5])
    assert left == [], workers.log.read_text()[-4000:]
    assert (Job.objects.count(), files) == (count, count)
    # each was taken up as often as it has attempts, and done once
    said = JobEvent.objects.filter(text__startswith="Taken up").count()
    assert said == Job.objects.aggregate(all=Sum("attempt"))["all"] >= count
    assert JobEvent.objects.filter(text="Done.").count() == count
    # lines are numbered without gaps, and no attempt spoke after its successor
    for job in Job.objects.prefetch_related("events"):
        lines = sorted((event.number, event.attempt) for event in job.events.all())
        assert [number for number, _ in lines] == list(range(1, job.last_event + 1))
        attempts = [attempt for _, attempt in lines]
        assert attempts == sorted(attempts)
