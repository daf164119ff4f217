"""Celery as configured, and the housekeeping task."""

import datetime
import os

import pytest
from celery.exceptions import QueueNotFound
from django.contrib.sessions.models import Session
from django.utils import timezone

from mgmtplane.celery import app
from provisioning import runner
from provisioning.clockwork.chores import KEEP_MESSAGES, remove_delivered_messages
from provisioning.models import Job
from provisioning.tasks import housekeeping


def test_delivered_messages_are_removed_after_a_while(tmp_path):
    for name, written in (("old.msg", 100), ("new.msg", 300), ("other.txt", 100)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (written, written))
    assert remove_delivered_messages(tmp_path, older_than=200) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.msg", "other.txt"]


@pytest.mark.django_db
def test_housekeeping_removes_expired_sessions(settings):
    now = timezone.now()
    Session.objects.create(session_key="old", session_data="", expire_date=now - datetime.timedelta(days=1))
    Session.objects.create(session_key="new", session_data="", expire_date=now + datetime.timedelta(days=1))
    delivered = settings.BROKER_DIR / "processed" / "x.msg"
    delivered.touch()
    past = now.timestamp() - KEEP_MESSAGES - 60
    os.utime(delivered, (past, past))
    housekeeping()
    housekeeping()  # the clock asks again while nobody was at it
    runner.run(Job.objects.get().pk)
    assert [session.session_key for session in Session.objects.all()] == ["new"]
    assert not delivered.exists()


def test_a_message_travels_through_the_folder_to_the_right_queue(settings):
    for path in (settings.BROKER_DIR / "messages").iterdir():
        path.unlink()  # what other tests asked for
    housekeeping.apply_async(queue="long")
    housekeeping.delay()
    queued = [path.name for path in (settings.BROKER_DIR / "messages").iterdir()]
    assert sorted(name.split(".")[1] for name in queued) == ["long", "short"]
    with app.connection_for_read() as connection, connection.SimpleQueue(app.amqp.queues["short"]) as short:
        message = short.get(timeout=2)
        message.ack()
        assert message.headers["task"] == "provisioning.tasks.housekeeping"


def test_a_misspelt_queue_is_an_error():
    with pytest.raises(QueueNotFound, match="shrot"):
        housekeeping.apply_async(queue="shrot")
