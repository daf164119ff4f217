"""Brings a machine that exists to the size that is declared. It only grows; what waits for a power cycle is told apart."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.adapters.base import AdapterError, TaskFailed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, StorageFacts
from provisioning.machines.growing import SETTINGS, Growth, growing, shrinking
from provisioning.machines.sizes import disk_text
from provisioning.machines.spec import disk_of_serial
from provisioning.steps import remaking
from provisioning.steps.making import Maker
from provisioning.steps.watching import TASK_LIMIT, compare_grave


def refuse(machine: Machine, found: Config) -> None:
    """JobFailed where less is declared than there is."""
    if problems := shrinking(machine.spec, found):
        raise JobFailed(f"{machine.host}: {' '.join(problems)}")


def check_room(machine: Machine, growths: Iterable[Growth], storages: Iterable[StorageFacts]) -> None:
    """JobFailed where the disks would not fit, before anything is changed."""
    free = {one.name: one.free or 0 for one in storages if one.active}
    needed: dict[str, int] = {}
    for one in growths:
        if one.room:
            needed[one.storage] = needed.get(one.storage, 0) + one.room
    for storage, room in sorted(needed.items()):
        if storage not in free:
            raise JobFailed(f"Storage {storage} is not active on {machine.hypervisor}.")
        if free[storage] < room:
            raise JobFailed(
                f"{machine.host} needs {disk_text(room)} more on {storage}; {free[storage] // 1024**3} GiB are free.",
                "Make room, or declare less.",
            )


def grow(work: Maker) -> tuple[Growth, ...]:
    """Settings, then disks; what was done. Nothing is done where something is to become less, or does not fit."""
    spec = work.machine.spec
    found = work.existing()
    refuse(work.machine, found)
    growths = growing(spec, found)
    check_room(work.machine, growths, work.proxmox.storages() if growths else ())
    work.configure(SETTINGS, step="Set cores, memory and processor")
    work.disks()
    _grow_data(work)
    work.turn.step("Read back")
    if left := growing(spec, work.existing()):
        said = "; ".join(f"{one.key}: {one}" for one in left)
        raise JobFailed(
            f"{work.machine.host} is not as declared though nothing was refused: {said}.",
            "The API dropped it, or somebody changed it meanwhile: run this again.",
        )
    return growths


def _grow_data(work: Maker) -> None:
    data = work.machine.spec.data
    disk = disk_of_serial(work.existing(), data.serial) if data else None
    if data is not None and disk is not None and (disk.size or 0) < data.size:
        work.task(lambda: work.proxmox.resize(work.vmid, disk.key, data.size), f"grow {disk.key}")


def pending(work: Maker) -> tuple[str, ...]:
    """The keys that the running machine has not got yet: Proxmox shows them as if they were so, the old ones beside."""
    return tuple(sorted(work.proxmox.config(work.vmid, pending=True).pending))


def power_cycle(work: Maker, *, timeout: int, kept: str) -> None:
    """Off and on again: a reboot inside the guest changes nothing. Not begun where it could not be started again.

    *kept*: what the outcome holds while it is off, for whoever goes on after this worker.
    """
    machine, turn = work.machine, work.turn
    check_card(work)
    turn.keep_outcome(**{kept: True})
    try:
        shut_down(work, timeout=timeout)
    except JobFailed:
        if work.runs():
            turn.keep_outcome(**{kept: False})
        raise
    try:
        work.start()
    except (AdapterError, JobFailed) as fault:
        raise JobFailed(
            f"{machine.host} was switched off, and is not on again. {fault}",
            "Run this again, or start it (power).",
            retryable=fault.retryable,
        ) from fault
    turn.keep_outcome(**{kept: False})
    work.answers()
    if left := pending(work):
        raise JobFailed(f"{', '.join(left)} of {machine.host} still wait, though it was switched off and on.")


def check_card(work: Maker) -> None:
    """JobFailed where it could not be started again; asked before it is switched off."""
    found = work.existing()
    remaking.check_not_parked(found, work.machine.host)
    if grave := compare_grave(work.machine, found):
        raise JobFailed(
            f"{work.machine.host} is not what is declared: {'; '.join(grave)}.",
            "It was not switched off, since it would not be started like this; create it again or repair it.",
        )


def shut_down(work: Maker, *, timeout: int, force: bool = False) -> None:
    """Ask the guest within *timeout* seconds; the plug is pulled afterwards with *force*, and else stays in."""
    work.turn.step("Shut it down")
    if work.proxmox.status(work.vmid).status == "stopped":
        return
    told = False
    try:
        upid = work.proxmox.shutdown(work.vmid, timeout=timeout, force=force)
        work.finish(upid, timeout + TASK_LIMIT)
        told = True
    except Unanswered as lost:
        work.turn.event("warning", f"{lost} Looking how it is.")
    except TaskFailed as fault:
        if fault.retryable:
            raise
        raise JobFailed(
            f"{work.machine.host} did not shut down within {timeout} s: {fault.status}.",
            "It still runs, with the values that it had. Shut it down from inside, or stop it, then run this again.",
        ) from fault
    work.becomes("stopped", told=told, within=timeout)
