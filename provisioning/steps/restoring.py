"""Puts a machine of ours back from a backup, once for each job: what the guest writes afterwards is not lost again.

What is kept in the job's outcome survives an attempt: ``volume``, ``restore_after`` (the newest restore's UPID before ours),
``old_disks`` (of a rebuild that was given up), and ``restored``, the volume, once its task ended well.
"""

from __future__ import annotations

from provisioning.adapters.base import AdapterError, TaskFailed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.machines import rebuilding
from provisioning.machines.comparing import compare
from provisioning.machines.facts import Config
from provisioning.steps import begun, remaking
from provisioning.steps.making import Maker
from provisioning.steps.watching import CLONE_LIMIT, compare_grave

TASK = "qmrestore"
_AGAIN = "Look at the log of its task, then run this again, which goes over what it left."


def is_done(work: Maker) -> bool:
    """Whether an earlier attempt of this job put it back; a task that it left running is waited for."""
    kept = work.turn.outcome
    if kept.get("restored"):
        return True
    if "restore_after" not in kept:
        return False
    upid = begun.after(work, TASK, kept["restore_after"])
    if not upid:
        return False
    try:
        work.finish(upid, CLONE_LIMIT)
    except TaskFailed as fault:
        work.turn.event("warning", f"An earlier attempt of this job began it in vain. {fault}")
        return False
    work.turn.keep_outcome(restored=kept["volume"])
    return True


def room(work: Maker, backup: Config, now: Config | None) -> int:
    """Bytes that the disks in a backup, of the machine as *backup*, need on its storage beyond what is freed there."""
    held = _held(backup)
    kept = {key: disk for key, disk in backup.disks.items() if key in held}
    freed = {key: disk for key, disk in now.disks.items() if not disk.is_cdrom} if now else {}
    needed = sum(disk.size or 0 for disk in kept.values())
    there = (disk for key, disk in freed.items() if key in kept and disk.storage == work.machine.storage)
    return max(needed - sum(disk.size or 0 for disk in there), 0)


def detached(backup: Config, now: Config) -> dict[str, str]:
    """Key → volume of what the machine has and its *backup* has not: Proxmox keeps it, attached to nothing."""
    held = _held(backup)
    return {key: volume for key, volume in rebuilding.drives(now).items() if key not in held}


def _held(backup: Config) -> set[str]:
    """The disks in a backup; of one that is left out (``backup=0``) the configuration in it has the line alone."""
    drives = rebuilding.drives(backup)
    return set(drives) - set(rebuilding.left_out(backup, drives))


def restore(work: Maker, volume: str, *, over: Config | None) -> None:
    """Make the machine what *volume* holds; *over*: what stands there, stopped, and is replaced."""
    work.turn.step(f"Restore {volume}")
    before = begun.newest(work, TASK)
    half = rebuilding.begun(over.get("description")) if over is not None else None
    work.turn.keep_outcome(volume=volume, restore_after=before, old_disks=list(half.old if half else ()))
    machine = work.machine
    try:
        upid = work.proxmox.restore(
            work.vmid, volume, storage=machine.storage, pool=machine.pool, over=over is not None
        )
    except Unanswered as lost:
        way = f"Nothing of {machine.host} was replaced; it is switched off. Start it, or ask for it again."
        upid = begun.found(work, TASK, before, lost, way)
    try:
        work.finish(upid, CLONE_LIMIT)
    except TaskFailed as fault:
        raise JobFailed(
            f"{machine.host} was not put back from {volume}. {fault}", _AGAIN, retryable=fault.retryable
        ) from fault
    work.turn.keep_outcome(restored=volume)


def see(work: Maker) -> None:
    """What it was is not always what is declared now; only with another identity it is not started.

    Put back it is neither parked nor half rebuilt, though its backup may say so.
    """
    work.turn.step("Read back")
    found = remaking.remaker_of(work).forget()
    if grave := compare_grave(work.machine, found):
        work.keep_off()
        raise JobFailed(
            f"{work.machine.host} as it was is not what is declared: {'; '.join(grave)}. It was not started.",
            "Set it right on its hypervisor, or create it again.",
        )
    for one in compare(work.machine.spec, found):
        work.turn.event("warning", f"As it was: {one}.")


def tidy(work: Maker) -> None:
    """What a rebuild that was given up left: its spare, and the old disks that the restore left unused."""
    old = work.turn.outcome.get("old_disks", ())
    try:
        left = remaking.remaker_of(work)
        if old:
            left.drop(old)
        if left.spare.is_there():
            left.spare.remove()
    except (AdapterError, JobFailed) as fault:
        work.turn.event("warning", f"It is back; something of its rebuild was left: {fault}")
