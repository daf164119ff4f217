"""A worker that stood still at the worst moment: its last call may have been done after another went on with the job."""

from __future__ import annotations

import logging

from django.db import DatabaseError

from provisioning import requests
from provisioning.engine.moments import DatabaseTime
from provisioning.engine.moves import note
from provisioning.engine.turns import Turn
from provisioning.models import Job

log = logging.getLogger(__name__)

#: seconds that what such a call began gets to end, before it is looked at
LOOK_AFTER = 60.0


def tell(turn: Turn) -> None:
    """Say so in the job, and ask for a survey that sees what was done.

    All that an attempt may still write that has lost its job: a line, which changes nothing of it.
    """
    if not turn.unseen:
        return
    said = (
        f"Attempt {turn.attempt} stood still while it sent {turn.unseen}, and lost the job meanwhile: this call may have "
        "reached the node after another attempt went on, or after the job ended."
    )
    try:
        looked = _survey(turn)
        note(turn.job.pk, f"{said} {looked}", level="warning", known=turn.known_secrets)
    except DatabaseError:
        log.exception("job %s: %s", turn.job.pk, said)


def _survey(turn: Turn) -> str:
    job = turn.job
    if job.site is None:
        return "Look what it did."
    why = f"What a late call of attempt {turn.attempt} of job {job.pk} did."
    try:
        asked = requests.request("survey", site=job.site, by=f"job {job.pk}", why=why)
    except requests.Refused as refusal:
        return f"No survey looks what it did: {refusal} Survey it afterwards."
    Job.objects.filter(pk=asked.pk, state="queued").update(not_before=DatabaseTime(LOOK_AFTER), sent=None)
    return f"Job {asked.pk} looks in {LOOK_AFTER:.0f} s what it did; what is not as declared is drift then."
