"""Put a machine of ours back from a backup, under the same identity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from django import forms

from inventory.snapshot import Snapshot
from provisioning.engine.faults import JobFailed
from provisioning.kinds import foreseen
from provisioning.kinds.base import Asked
from provisioning.kinds.foreseen import Seen
from provisioning.kinds.keeping import backup_storages, switch_off
from provisioning.kinds.machine import (
    MachineKind,
    OfHost,
    check_all,
    declared,
    looked_at,
    maker,
    ready,
)
from provisioning.machines import preflight, transfers
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import Config, SnapshotFacts, VolumeFacts
from provisioning.machines.owning import former, is_wreck, owner_of
from provisioning.plans import CHANGE, REMOVE, RUN, Line, Plan
from provisioning.steps import restoring
from provisioning.steps.making import Maker
from provisioning.surveying.survey import Survey

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn


class RestoreParameters(OfHost):
    volume = forms.CharField(
        max_length=300,
        required=False,
        help_text="The backup, such as local:backup/vzdump-qemu-200-….vma.zst; empty: the newest of this machine.",
    )


class Restore(MachineKind):
    """Outcome: ``volume``, ``vmid``."""

    name = "restore_vm"
    title = "Put {host} at {site} back from its backup"
    verb = "Restore"
    what = "Replaces a virtual machine of ours by what a backup of it holds, MACs included. What it wrote since is lost."
    destructive = True
    plans_on_request = False
    Parameters = RestoreParameters

    def plan(self, asked: Asked) -> Plan:
        """From the newest surveys; the job itself looks anew, at the backups too."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        seen, volume = foreseen.seen(asked, snapshot, machine), asked["volume"]
        there = seen.survey is None or seen.guest is not None
        lines = _lines(machine, volume or "the newest backup of it", there, _gone_as_seen(seen))
        return foreseen.plan(
            seen,
            lines,
            problems=(*preflight.of_declaration(snapshot, machine), *preflight.lost(machine, seen.world)),
            stops=preflight.putting_back_as_seen(machine, seen.world),
            warnings=_read_across(snapshot, machine, seen.survey, volume),
        )

    def plan_in(self, turn: Turn) -> Plan:
        """What was restored already by an earlier attempt of this job is only started; else everything, seen anew."""
        turn.outcome = dict(turn.job.outcome)
        snapshot, machine = ready(turn)
        work = _restorer(turn, snapshot, machine)
        turn.step("Look what is there")
        found, done = work.settled(), restoring.is_done(work)
        kept = None if done else _chosen(work, turn.outcome.get("volume") or turn.asked["volume"])
        world = looked_at(turn, snapshot)
        turn.step("Check everything before anything is done")
        backup = work.proxmox.backup_config(kept.volume) if kept else None
        room = restoring.room(work, backup, found) if backup else 0
        check_all(preflight.putting_back(snapshot, machine, world, room))
        if kept is None or backup is None:
            return Plan((_last_line(machine),))
        turn.outcome["volume"] = kept.volume
        gone = _gone(work, found, backup) if found else ()
        lines = _lines(machine, kept.volume, found is not None, gone)
        return Plan(lines, warnings=_read_across(snapshot, machine, world.of(machine), kept.volume))

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work = _restorer(turn, snapshot, machine)
        if not turn.outcome.get("restored"):
            found = work.settled()
            if found is not None:
                switch_off(work)
            restoring.restore(work, turn.outcome["volume"], over=found)
        restoring.see(work)
        work.start()
        restoring.tidy(work)
        work.answers()
        turn.outcome = {"volume": turn.outcome["restored"], "vmid": work.vmid}
        turn.message = f"{machine.host} is back from {turn.outcome['volume']}."


def _read_across(snapshot: Snapshot, machine: Machine, survey: Survey | None, volume: str) -> tuple[str, ...]:
    """What of a restore of *volume* crosses the router."""
    if survey is None or not volume:
        return ()
    source = volume.partition(":")[0]
    return transfers.from_storage(snapshot, survey, source, f"the restore of {machine.host}")


def _restorer(turn: Turn, snapshot: Snapshot, machine: Machine) -> Maker:
    return replace(maker(turn, snapshot, machine), over_wreck=True)


def _gone(work: Maker, found: Config, backup: Config) -> tuple[Line, ...]:
    """What else Proxmox takes from the machine as *found*."""
    if is_wreck(found):
        return (_wreck_line(work.vmid),)
    # a configuration names its parent once a snapshot was taken
    snapshots = work.proxmox.snapshots(work.vmid) if found.get("parent") else ()
    lost = _snapshot_lines(snapshots)
    detached = restoring.detached(backup, found)
    stays = (
        Line(CHANGE, f"disk {volume}", f"{key} is not in the backup: it stays, and is attached to nothing")
        for key, volume in detached.items()
    )
    return (*lost, *stays)


def _wreck_line(vmid: int) -> Line:
    return Line(REMOVE, f"machine {vmid}", "what a failed restore left: no name, no card, no disk")


def _snapshot_lines(snapshots: Iterable[SnapshotFacts]) -> tuple[Line, ...]:
    return tuple(Line(REMOVE, f"snapshot {one.name}", "a restore keeps none") for one in snapshots)


def _gone_as_seen(seen: Seen) -> tuple[Line, ...]:
    """As ``_gone``, as far as a survey knows it: which disks are in the backup it does not."""
    if seen.guest is not None and seen.guest.config is not None and is_wreck(seen.guest.config):
        return (_wreck_line(seen.guest.vmid),)
    return _snapshot_lines(seen.snapshots)


def _lines(machine: Machine, backup: str, there: bool, gone: tuple[Line, ...]) -> tuple[Line, ...]:
    place = f"{machine.spec.vmid} on {machine.hypervisor}"
    said = "what it wrote since that backup is lost" if there else "it is not there now"
    lines = [Line(RUN, "stop it", place)] if there else []
    return (
        Line(CHANGE, f"machine {machine.host}", f"{place}: {said}"),
        *gone,
        *lines,
        Line(RUN, f"restore {backup}", f"to {machine.storage}, MACs as they were"),
        _last_line(machine),
    )


def _last_line(machine: Machine) -> Line:
    return Line(RUN, "read back, start, wait for it", machine.address or "any address")


def _chosen(work: Maker, wanted: str) -> VolumeFacts:
    """The backup that was named, else the newest; only one of this machine's own VMID."""
    found = [one for name in backup_storages(work.proxmox) for one in work.proxmox.backups(name, work.vmid)]
    if not found:
        raise JobFailed(
            f"No backup of {work.machine.host} ({work.vmid}) lies on its node.", "Back it up first."
        )
    newest = max(found, key=lambda one: (one.made or 0, one.volume))
    chosen = next((one for one in found if one.volume == wanted), None) if wanted else newest
    if chosen is not None:
        _check_owner(work, chosen)
        return chosen
    raise JobFailed(
        f"{wanted} is no backup of {work.machine.host}.",
        f"There is: {', '.join(one.volume for one in found)}.",
    )


def _check_owner(work: Maker, kept: VolumeFacts) -> None:
    """A VMID may have been another machine's when a backup was made: what is in it must carry our marker."""
    found, own = work.proxmox.backup_config(kept.volume), work.machine.spec.owner
    owner = owner_of(found.get("description"))
    if owner != own and not former(found, own):
        whose = f"{owner.host} of {owner.site}" if owner else "a machine without our marker"
        raise JobFailed(
            f"{kept.volume} is a backup of {whose}, not of {work.machine.host}.",
            "Name another one (volume); what others made is restored on the hypervisor itself.",
        )
