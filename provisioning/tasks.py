"""What comes as a message. Every task may be lost or run twice, and must not mind."""

import logging

from celery import Task, shared_task

from provisioning import requests, runner
from provisioning.engine.delivery import RUN_JOB

log = logging.getLogger(__name__)


@shared_task(bind=True, name=RUN_JOB)
def run_job(self: Task, job_id: int) -> None:
    """Carry out one job, if its row says that it is still to be done."""
    runner.run(job_id, worker=str(self.request.hostname or ""))


@shared_task
def housekeeping() -> None:
    """Ask for the hourly chores, unless somebody is at them."""
    try:
        requests.request("housekeeping", by="clock", why="Every hour.")
    except requests.Refused as reason:
        log.info("housekeeping: %s", reason)
