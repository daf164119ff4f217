"""Back a machine up; and what others need for the backups that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django import forms

from inventory.snapshot import Snapshot
from provisioning.adapters.base import TaskFailed, Unanswered
from provisioning.adapters.proxmox import Proxmox, words
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked
from provisioning.kinds.machine import (
    MachineKind,
    OfHost,
    declared,
    maker,
    ready,
    site_of,
)
from provisioning.machines import rebuilding, transfers
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import StorageFacts, VolumeFacts
from provisioning.observed import surveys
from provisioning.plans import RUN, Line, Plan
from provisioning.steps import begun
from provisioning.steps.making import Maker
from provisioning.steps.watching import CLONE_LIMIT, compare_grave
from provisioning.surveying.survey import Survey

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

CONTENT = "backup"
TASK = "vzdump"


class BackupParameters(OfHost):
    storage = forms.CharField(
        max_length=100,
        required=False,
        help_text="Where the backup goes; empty: the first storage of the node that takes backups.",
    )
    stopped = forms.BooleanField(
        required=False, help_text="Stop the machine for it: consistent without its help, but away meanwhile."
    )


class Backup(MachineKind):
    """Outcome: ``volume``, ``storage``, ``bytes``."""

    name = "backup_vm"
    title = "Back up {host} at {site}"
    verb = "Back up now"
    what = "Writes a backup of a virtual machine of ours to a storage of its node. Nothing older is removed for it."
    Parameters = BackupParameters

    def plan(self, asked: Asked) -> Plan:
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        survey = surveys.world_of(snapshot, site_of(asked)).of(machine)
        crosses = _crossing(snapshot, survey, machine, asked["storage"]) if survey else ()
        where = asked["storage"] or "a storage of its node that takes backups"
        how = "it is stopped meanwhile" if asked["stopped"] else "it goes on meanwhile"
        return Plan((Line(RUN, f"back up {machine.host} to {where}", how),), warnings=crosses)

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work = maker(turn, snapshot, machine)
        turn.step("Look whose it is")
        work.settled()
        work.existing()
        storage = storage_for(work.proxmox, turn.asked["storage"])
        made = back_up(work, storage, stopped=turn.asked["stopped"], again=True)
        turn.outcome = {"volume": made.volume, "storage": storage, "bytes": made.size}
        turn.message = f"{machine.host} is backed up as {made.volume}."


def _crossing(snapshot: Snapshot, survey: Survey, machine: Machine, storage: str) -> tuple[str, ...]:
    taking = [one.name for one in survey.storages if takes_backups(one)]
    where = storage or (taking[0] if taking else "")
    return transfers.to_storage(snapshot, survey, where, f"the backup of {machine.host}")


# --- what rebuilding and destroying need as well ---


def back_up(
    work: Maker, storage: str, *, stopped: bool, protected: bool = False, why: str = "", again: bool = False
) -> VolumeFacts:
    """A new backup with our marker, found again on its storage: success alone proves nothing.

    *again*: one that an earlier attempt of this job made will do. The notes are one line: of more than one, Proxmox lists
    the first.
    """
    notes = _notes(work, why)
    work.turn.step(f"Back up to {storage}")
    begun.ended(work, TASK)
    work.settled()
    there = work.proxmox.backups(storage, work.vmid)
    made = _noted(work, storage, notes) if again else []
    if made:
        work.turn.event("info", "It was made by an earlier attempt of this job.")
    else:
        if stopped:
            _check_cycle(work)
        check_limit(work, storage, there, protected=protected)
        _write(work, storage, notes, stopped=stopped, protected=protected)
        before = {one.volume for one in there}
        made = [one for one in _noted(work, storage, notes) if one.volume not in before]
    if not made or not made[-1].size:
        raise JobFailed(
            f"The task ended well, and no backup of {work.vmid} lies on {storage}.",
            "Look at the log of the task and at the storage, then run this again.",
        )
    if protected and not made[-1].is_protected:
        raise JobFailed(
            f"{made[-1].volume} is not protected though it was asked for; what cleans up could remove it.",
            "Look at the storage, then run this again.",
        )
    return made[-1]


def _notes(work: Maker, why: str) -> str:
    job = work.turn.job
    notes = f"{work.machine.spec.owner.marker} job={job.pk}" + (f" {why}" if why else "")
    return f"{notes}, asked {job.created:%Y-%m-%d %H:%M:%S}"  # numbers alone begin anew with another database


def check_limit(work: Maker, storage: str, there: Iterable[VolumeFacts], *, protected: bool) -> None:
    """Raise JobFailed where *storage* takes no other backup of the machine: it has those that are *there*."""
    limits = work.proxmox.backup_limits(storage)
    most = limits.protected if protected else limits.others
    count = sum(one.is_protected == protected for one in there)
    if most is not None and count >= most:
        what = "protected backups of one guest" if protected else "backups of one guest (prune-backups)"
        also = "" if protected else " that are not protected"
        raise JobFailed(
            f"{storage} takes {most} {what}, and {count} of {work.machine.host} ({work.vmid}){also} lie there.",
            _less(storage, protected=protected),
        )


def _less(storage: str, *, protected: bool) -> str:
    if protected:
        return f"Remove old ones (delete_backups_vm), or name another storage (storage) than {storage}."
    return f"Name another storage (storage), raise the retention of {storage}, or remove old ones there."


def is_made(work: Maker, there: Iterable[VolumeFacts], why: str) -> bool:
    """Whether an earlier attempt of this job made one of those that are *there*."""
    notes = _notes(work, why)
    return any(one.notes.strip() == notes for one in there)


def _noted(work: Maker, storage: str, notes: str) -> list[VolumeFacts]:
    return [one for one in work.proxmox.backups(storage, work.vmid) if one.notes.strip() == notes]


def of_rebuilds(work: Maker, storage: str) -> list[VolumeFacts]:
    """The backups on *storage* that rebuilds of this very machine made, oldest first."""
    own = work.machine.spec.owner
    return [one for one in work.proxmox.backups(storage, work.vmid) if rebuilding.is_left(one.notes, own)]


def _check_cycle(work: Maker) -> None:
    """Proxmox starts a running machine again once it was stopped for its backup, with what waits for that."""
    found = work.existing()
    if work.runs() and (grave := compare_grave(work.machine, found)):
        raise JobFailed(
            f"{work.machine.host} would be started again as what is not declared: {'; '.join(grave)}.",
            "Create it again, which sets that right; or back it up while it runs (stopped=no).",
        )


def _write(work: Maker, storage: str, notes: str, *, stopped: bool, protected: bool) -> None:
    before = begun.newest(work, TASK)
    try:
        upid = work.proxmox.backup(
            work.vmid, storage, mode="stop" if stopped else "snapshot", notes=notes, protected=protected
        )
    except Unanswered as lost:
        upid = begun.found(work, TASK, before, lost, "No backup was made; ask for it again.")
    try:
        work.finish(upid, CLONE_LIMIT)
    except TaskFailed as fault:
        if said := words.backup_limit(fault.log):
            raise JobFailed(
                f"{work.machine.host} was not backed up to {storage}: {said}",
                _less(storage, protected=protected),
            ) from fault
        raise


def switch_off(work: Maker) -> None:
    work.turn.step("Stop it")
    told = True
    if work.proxmox.status(work.vmid).status != "stopped":
        told = work.task(lambda: work.proxmox.stop(work.vmid), "stop")
    work.becomes("stopped", told=told)


def own_storage_for(proxmox: Proxmox, wanted: str) -> StorageFacts:
    """*wanted*, or the first of the node itself that takes backups: a shared one may be away when it is needed."""
    there = [one for one in proxmox.storages() if takes_backups(one)]
    if wanted:
        name = storage_for(proxmox, wanted)
        return next(one for one in there if one.name == name)
    return own_of(there)


def own_of(there: Sequence[StorageFacts]) -> StorageFacts:
    """The first of the node itself of those that take backups. Raises JobFailed."""
    own = [one for one in there if not one.shared]
    if own:
        return own[0]
    shared = (
        f" Of the network there is {', '.join(one.name for one in there)}: name it (storage)."
        if there
        else ""
    )
    raise JobFailed(
        f"No storage of the node itself takes backups.{shared}",
        "Allow content “backup” on one of its storages; or say backup=no, and lose what is on the machine.",
    )


def backup_storages(proxmox: Proxmox) -> list[str]:
    return [one.name for one in proxmox.storages() if takes_backups(one)]


def storage_for(proxmox: Proxmox, wanted: str) -> str:
    """*wanted*, or the first of the node that takes backups. Raises JobFailed."""
    return named_of(backup_storages(proxmox), wanted)


def named_of(there: Sequence[str], wanted: str) -> str:
    """*wanted*, or the first of those that take backups. Raises JobFailed."""
    if wanted and wanted not in there:
        raise JobFailed(
            f"Storage {wanted} takes no backups here.", f"There is: {', '.join(there) or 'none that does'}."
        )
    if not there:
        raise JobFailed("No storage of the node takes backups.", "Allow content “backup” on one of them.")
    return wanted or there[0]


def takes_backups(storage: StorageFacts) -> bool:
    return storage.enabled and storage.active and CONTENT in storage.content
