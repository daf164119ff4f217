"""Gives the broker a job's id. That may fail: the sweep sends again."""

from __future__ import annotations

import contextlib
import logging

from django.db import DatabaseError

from mgmtplane.celery import app
from provisioning import states
from provisioning.models import Job

log = logging.getLogger(__name__)

RUN_JOB = "provisioning.tasks.run_job"


def deliver(job_id: int, queue: str) -> bool:
    """Send the job's id to *queue*; False, and a line in the log, when the broker does not take it.

    Who calls has set ``sent`` before: a sweep that comes between must not send as well.
    """
    rows = Job.objects.filter(pk=job_id, state=states.QUEUED)
    try:
        app.send_task(RUN_JOB, (job_id,), queue=queue, retry=False, ignore_result=True)
    except Exception as error:  # each transport has its own, and none may fail who asks for a job
        log.warning(
            "job %s: the broker did not take it (%s); the sweep sends it again", job_id, type(error).__name__
        )
        with contextlib.suppress(
            DatabaseError
        ):  # the job is stored: who asked for it is told so, and a sweep finds it
            rows.update(sent=None)
        return False
    return True
