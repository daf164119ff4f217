"""Remove the backups that rebuilds of a machine left: they are protected, so that nothing else ever prunes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django import forms

from provisioning.adapters.base import NotFound, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.kinds import foreseen, rebuild_plan
from provisioning.kinds.base import Asked
from provisioning.kinds.foreseen import Seen
from provisioning.kinds.keeping import backup_storages, of_rebuilds
from provisioning.kinds.machine import MachineKind, OfHost, declared, maker, ready
from provisioning.machines import rebuilding
from provisioning.machines.declared import NotDeclared
from provisioning.machines.facts import VolumeFacts
from provisioning.plans import REMOVE, Line, Plan
from provisioning.steps.making import Maker

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

KEPT = 1


class Parameters(OfHost):
    keep = forms.IntegerField(
        min_value=0,
        max_value=1000,
        initial=KEPT,
        required=False,
        help_text="So many of the newest stay; empty: 1.",
    )


class DeleteBackups(MachineKind):
    """Outcome: ``removed`` (volumes), ``bytes``."""

    name = "delete_backups_vm"
    title = "Delete backups of {host} at {site} that rebuilds left"
    verb = "Delete old backups"
    what = (
        "Removes the protected backups that rebuilds of a virtual machine of ours made, but for the newest. Its plan names "
        "each of them; no other backup is touched."
    )
    destructive = True
    plans_on_request = False
    Parameters = Parameters

    def plan(self, asked: Asked) -> Plan:
        """Surveys see no backups: which they are is in the plan of the job."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        seen, keep = foreseen.seen(asked, snapshot, machine), _kept(asked)
        what = f"backups that rebuilds of {machine.host} left"
        but = f"all but the newest {keep}" if keep else "all of them"
        line = Line(REMOVE, what, f"{but}; the plan of the job names each, and no other backup is touched")
        return foreseen.plan(seen, (line,), stops=_stops(seen))

    def plan_in(self, turn: Turn) -> Plan:
        turn.outcome = dict(turn.job.outcome)  # what an earlier attempt removed
        work = _work(turn)
        turn.step("Look what rebuilds left")
        old, stay = _sorted(work)
        if not old and not turn.job.plan_begun:
            raise JobFailed(
                f"Rebuilds left {len(stay)} backups of {work.machine.host}, and so many are to stay.",
                "There is nothing to remove; say keep=0 to remove these too.",
            )
        kept = tuple(f"{one.volume} stays: it is among the newest, or a rebuild needs it." for one in stay)
        return Plan(tuple(Line(REMOVE, f"backup {one.volume}", _said(one)) for one in old), warnings=kept)

    def run(self, turn: Turn, plan: Plan) -> None:
        work = _work(turn)
        confirmed = {line.subject for line in plan.lines}
        removed, size = list(turn.outcome.get("removed", [])), int(turn.outcome.get("bytes", 0))
        for one in _sorted(work)[0]:
            if f"backup {one.volume}" not in confirmed:
                continue
            _remove(work, one)
            removed, size = [*removed, one.volume], size + (one.size or 0)
            turn.keep_outcome(removed=removed, bytes=size)
        turn.outcome = {"removed": removed, "bytes": size}
        turn.message = f"{len(removed)} backups of {work.machine.host} are gone, {rebuild_plan.gib(size)}."


def _kept(asked: Asked) -> int:
    return KEPT if asked["keep"] is None else int(asked["keep"])


def _stops(seen: Seen) -> tuple[str, ...]:
    """A machine that is gone has backups all the same; another's in its place is not gone near."""
    return seen.not_there if seen.guest is not None else ()


def _work(turn: Turn) -> Maker:
    snapshot, machine = ready(turn)
    return maker(turn, snapshot, machine)


def _sorted(work: Maker) -> tuple[list[VolumeFacts], list[VolumeFacts]]:
    """Which go and which stay. The one that a half done rebuild is put back from stays, whatever was asked."""
    keep = _kept(work.turn.asked)
    found = work.config()
    half = rebuilding.begun(found.get("description")) if found is not None else None
    there = [one for name in backup_storages(work.proxmox) for one in of_rebuilds(work, name)]
    there.sort(key=lambda one: (one.made or 0, one.volume))
    old = [one for one in there[: max(len(there) - keep, 0)] if half is None or one.volume != half.backup]
    return old, [one for one in there if one not in old]


def _said(one: VolumeFacts) -> str:
    """Without its protection, which this job takes away: what is left of a plan says the same."""
    made = f"{datetime.fromtimestamp(one.made, UTC):%Y-%m-%d %H:%M} UTC" if one.made else "an unknown time"
    return f"of {made}, {rebuild_plan.gib(one.size or 0)}"


def _remove(work: Maker, one: VolumeFacts) -> None:
    work.turn.step(f"Remove {one.volume}")
    told = False
    try:
        if one.is_protected:
            work.proxmox.unprotect(one.volume)
        told = work.task(lambda: work.proxmox.remove_volume(one.volume), "remove")
    except Unanswered as lost:
        work.turn.event("warning", f"{lost} Looking whether it is there.")
    except NotFound:
        work.turn.event("warning", "It was gone already.")
        told = True
    storage = one.volume.partition(":")[0]
    if any(each.volume == one.volume for each in work.proxmox.backups(storage, work.vmid)):
        raise JobFailed(
            f"{one.volume} is still there though nothing was refused.",
            "Look at its storage, then run this again.",
            retryable=not told,
        )
