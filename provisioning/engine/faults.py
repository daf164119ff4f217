"""How a job stops before its end: expected faults, and the signals that a turn is over. Pure.

A fault of an adapter may be of another class: what counts is an attribute ``retryable``. Where it is True the job is
tried again after a while; where it is False the job fails with the fault's own words. Anything without it is
unexpected: people get a reference, the log the traceback.
"""

from __future__ import annotations


class JobFailed(Exception):
    """The job cannot go on; *message* says what, *way_out* what a person does about it."""

    retryable = False

    def __init__(self, message: str, way_out: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{message} {way_out}".strip())
        self.message, self.way_out, self.retryable = message, way_out, retryable


class TurnOver(Exception):
    """This turn ends here; not a fault. Steps let it pass."""


class Superseded(TurnOver):
    """The job is not this turn's any more: another attempt has it, or it is finished. Nothing more may be done."""


class Cancelled(TurnOver):
    """Somebody asked to cancel the job."""


class Paused(TurnOver):
    """The job now waits for a person; a later turn goes on."""


def in_words(fault: Exception) -> str:
    """What happened, and what a person does about it; an adapter's error keeps the two apart."""
    said, way_out = str(fault) or type(fault).__name__, getattr(fault, "way_out", "")
    return said if way_out in said else f"{said} {way_out}"
