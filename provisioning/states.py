"""The states of a job, and the only moves between them. Pure.

A move is made by one conditional UPDATE (``provisioning.engine.moves``), whose row count says whether this caller won.
"""

from __future__ import annotations

QUEUED, RUNNING, WAITING = "queued", "running", "waiting"
SUCCEEDED, FAILED, CANCELLED, LOST = "succeeded", "failed", "cancelled", "lost"

STATES = (QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, CANCELLED, LOST)
#: a job in one of these holds its machine and its target
ACTIVE = (QUEUED, RUNNING, WAITING)
FINISHED = (SUCCEEDED, FAILED, CANCELLED, LOST)

#: what each state means, for pages and docs
MEANING = {
    QUEUED: "to be taken up by a worker",
    RUNNING: "a worker is at it",
    WAITING: "for a person: to confirm the plan, or to unlock a secret; or for its part, a job of its own",
    SUCCEEDED: "done, and looked at afterwards",
    FAILED: "stopped by a fault that its message names",
    CANCELLED: "stopped because somebody asked",
    LOST: "its worker is gone and nobody may repeat it unseen: look at what it left",
}

#: from → to, with who moves it. What is not here does not happen.
MOVES: dict[str, dict[str, str]] = {
    QUEUED: {RUNNING: "a worker claims it", CANCELLED: "somebody cancels it"},
    RUNNING: {
        SUCCEEDED: "its last step is done",
        FAILED: "a step fails",
        WAITING: "its plan needs a person, a secret is locked, or a part of it is a job of its own",
        CANCELLED: "it sees between two steps that somebody cancelled it",
        QUEUED: "its worker is gone, or a fault may pass: once more",
        LOST: "its worker is gone, and it may not be repeated, or too often already",
    },
    WAITING: {
        QUEUED: "a person confirms, what it lacks is unlocked, or its part is over",
        CANCELLED: "somebody cancels it, or nobody came within JOB_WAIT_HOURS",
    },
    SUCCEEDED: {},
    FAILED: {},
    CANCELLED: {},
    LOST: {},
}

#: what a waiting job waits for: a person to confirm its plan, secrets that a person enters, a job that is a part of it
CONFIRMATION, UNLOCK, PART = "confirmation", "unlock", "part"
REASONS = (CONFIRMATION, UNLOCK, PART)

#: exit codes of ``manage.py job``
EXIT_CODES = {SUCCEEDED: 0, FAILED: 1, LOST: 1, WAITING: 3, CANCELLED: 4}


class IllegalMove(ValueError):
    """A move that is not in the table: a mistake of the program, not of a person."""


def require_legal(before: str, after: str) -> None:
    """Raise IllegalMove unless the table has the move."""
    if after not in MOVES.get(before, {}):
        raise IllegalMove(f"a job does not go from {before} to {after}")
