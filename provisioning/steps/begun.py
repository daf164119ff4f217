"""A task of which nobody has the number: its answer was lost, or its worker died. The node's list of tasks has it."""

from __future__ import annotations

from provisioning.adapters.base import TaskFailed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.steps.making import Maker
from provisioning.steps.watching import CLONE_LIMIT


def newest(work: Maker, kind: str) -> str:
    """The UPID of the newest task of *kind* at the machine, running or not; empty where there is none."""
    return next((task.upid for task in work.proxmox.tasks(vmid=work.vmid, kind=kind)), "")


def after(work: Maker, kind: str, before: str) -> str:
    """As ``newest``, where that is another than *before* was; else empty."""
    found = newest(work, kind)
    return found if found != before else ""


def found(work: Maker, kind: str, before: str, lost: Unanswered, way_out: str) -> str:
    """The UPID of the task whose answer was *lost*. Raises JobFailed with *way_out* where none was begun."""
    work.turn.event("warning", f"{lost} Looking for its task.")
    try:
        return work.turn.wait(
            lambda: after(work, kind, before),
            timeout=work.patience.settle,
            pause=work.patience.pause,
            what=f"a task {kind} of {work.vmid}",
        )
    except JobFailed as fault:
        raise JobFailed(
            f"The answer was lost ({lost.call}), and no task {kind} was begun.", way_out
        ) from fault


def ended(work: Maker, kind: str) -> None:
    """Wait until no task of *kind* is at the machine, however each of them ends."""
    for task in work.proxmox.tasks(vmid=work.vmid, kind=kind, running=True):
        work.turn.event("info", f"A task {kind} is at it already; waiting for its end.")
        try:
            work.finish(task.upid, CLONE_LIMIT)
        except TaskFailed as fault:
            work.turn.event("warning", str(fault))
