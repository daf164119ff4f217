"""Machines that are installed over the network: made empty, and turned to their disk once that is done."""

from __future__ import annotations

from provisioning.adapters.base import AlreadyThere, Changed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.machines.shell import disk_first, is_installing, shell, shell_differences
from provisioning.steps import reshaping
from provisioning.steps.making import Maker
from provisioning.steps.watching import CLONE_LIMIT, TRIES


def make(work: Maker) -> None:
    """An empty machine with our marker, unless there is one; a lost answer is resolved by looking."""
    work.turn.step("Make it, empty")
    if work.settled() is None:
        _create(work)
    if work.settled() is None:
        raise JobFailed(
            f"{work.machine.host} is not there, and nothing says why.", "Look at the tasks of the node."
        )


def _create(work: Maker) -> None:
    try:
        upid = work.proxmox.create(work.vmid, shell(work.machine), pool=work.machine.pool)
    except Unanswered as lost:
        work.turn.event("warning", f"{lost} Looking whether it was begun.")
        work.appears(lost, "machine")
    except AlreadyThere:
        work.turn.event("warning", f"VMID {work.vmid} was taken at this moment.")
    else:
        work.finish(upid, CLONE_LIMIT)


def check(work: Maker) -> None:
    """JobFailed where it could not boot from the network; everything else is compared as of every machine."""
    if found := list(shell_differences(work.existing())):
        raise JobFailed(
            f"{work.machine.host} is not as declared: {'; '.join(map(str, found))}. It was not started.",
            "Somebody made or changed it otherwise: correct that on the node, or destroy it and make it again.",
        )


def turn_to_disk(work: Maker) -> bool:
    """Boot order: disk first. Whether anything was to be turned."""
    work.turn.step("Turn the boot order to the disk")
    work.settled()
    for attempt in range(1, TRIES + 1):
        found = work.existing()
        order = disk_first(found)
        if not order:
            return attempt > 1
        try:
            work.proxmox.configure(work.vmid, {"boot": order}, digest=found.digest)
        except Changed:
            work.turn.event("warning", "Somebody changed it at this moment; reading anew.")
            if attempt == TRIES:
                raise
        except Unanswered as lost:
            work.turn.event("warning", f"{lost} Reading back what is there.")
    if is_installing(work.existing()):
        raise JobFailed("The boot order was not turned though nothing was refused.", "Run this again.")
    return True


def start_from_disk(work: Maker, *, timeout: int, force: bool) -> tuple[str, ...]:
    """A real power cycle where it still has the old order; the addresses that it holds afterwards."""
    waits = "boot" in reshaping.pending(work)
    if waits:
        reshaping.check_card(work)
        reshaping.shut_down(work, timeout=timeout, force=force)
    work.start()
    if "boot" in reshaping.pending(work):
        raise JobFailed("The boot order still waits, though it was switched off and on.", "Run this again.")
    return work.answers()
