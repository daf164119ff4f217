"""Park a machine, and destroy it once it was parked long enough. Both only what carries our marker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django import forms
from django.conf import settings

from provisioning.adapters.base import TaskFailed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.engine.moments import database_now
from provisioning.kinds import foreseen
from provisioning.kinds.base import Asked
from provisioning.kinds.foreseen import Seen
from provisioning.kinds.keeping import switch_off
from provisioning.kinds.machine import MachineKind, OfHost, maker, ready_to_stop, standing
from provisioning.machines import rebuilding
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import Config
from provisioning.machines.owning import parked, parked_since
from provisioning.plans import CHANGE, REMOVE, RUN, Line, Plan
from provisioning.steps import remaking, reshaping, volumes
from provisioning.steps.making import Maker

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn


SHUTDOWN = 180


class ParkParameters(OfHost):
    timeout = forms.IntegerField(
        min_value=1,
        max_value=3600,
        initial=SHUTDOWN,
        required=False,
        help_text="Seconds that the guest gets to shut down before the plug is pulled; empty: 180.",
    )


class Park(MachineKind):
    """Outcome: ``since``."""

    name = "park_vm"
    title = "Park {host} at {site}"
    verb = "Park"
    what = "Shuts a virtual machine of ours down and keeps it off, before it is destroyed. Creating it again takes it back."
    destructive = True
    Parameters = ParkParameters

    def plan(self, asked: Asked) -> Plan:
        try:
            _, machine = standing(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        what = f"{machine.spec.vmid} on {machine.hypervisor}"
        return Plan(
            (
                Line(CHANGE, f"machine {machine.host}", f"{what}: off, and not started with its node"),
                Line(RUN, "note since when it is parked", what),
                Line(
                    RUN, "shut it down", f"within {asked['timeout'] or SHUTDOWN} s; then the plug is pulled"
                ),
            )
        )

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready_to_stop(turn)
        work = maker(turn, snapshot, machine)
        turn.step("Look whose it is")
        found = work.existing()
        turn.step("Note that it is parked")
        since = parked_since(found.get("description"))
        unanswered = False
        if since is None:
            since = database_now().replace(microsecond=0)
            changes = {"description": parked(found.get("description"), since), "onboot": "0"}
            try:
                work.proxmox.configure(work.vmid, changes, digest=found.digest)
            except Unanswered as lost:
                turn.event("warning", f"{lost} Reading back.")
                unanswered = True
        now = work.existing()
        if parked_since(now.get("description")) is None or now.onboot:
            why = "its answer was lost" if unanswered else "nothing was refused: the API dropped it"
            raise JobFailed(f"{machine.host} is not parked: {why}.", "Run this again.", retryable=unanswered)
        _turn_off(work, turn.asked["timeout"] or SHUTDOWN)
        turn.outcome = {"since": since.isoformat()}
        turn.message = (
            f"{machine.host} is parked; it may be destroyed from {_from(since):%Y-%m-%d %H:%M} UTC on."
        )


def _turn_off(work: Maker, timeout: int) -> None:
    """The guest is asked first, for what it has not written yet; then the plug is pulled."""
    try:
        reshaping.shut_down(work, timeout=timeout, force=True)
    except (TaskFailed, JobFailed) as fault:
        work.turn.event("warning", f"{fault} The plug is pulled.")
    switch_off(work)


class DestroyParameters(OfHost):
    typed = forms.CharField(
        label="The name once more",
        max_length=255,
        help_text="Of the host, typed: what is destroyed is gone.",
    )


class Destroy(MachineKind):
    """Outcome: ``vmid``, ``hypervisor``. The declaration and its identity stay."""

    name = "destroy_vm"
    title = "Destroy {host} at {site}"
    verb = "Destroy"
    what = "Removes a parked virtual machine of ours with its disks. Its declaration, MAC, address and VMID stay declared."
    destructive = True
    plans_on_request = False
    Parameters = DestroyParameters

    def plan(self, asked: Asked) -> Plan:
        """From the newest survey; the job itself looks anew, also for what the configuration does not name."""
        try:
            snapshot, machine = standing(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        seen = foreseen.seen(asked, snapshot, machine)
        return foreseen.plan(
            seen,
            _destroying(machine, rebuilding.volumes(seen.found or Config({})), _spare_seen(seen)).lines,
            problems=foreseen.refusals(lambda: _check_typed(machine, asked["typed"])),
            stops=(*seen.not_there, *_stops(seen)),
            warnings=(
                *_parked_as_seen(seen),
                "What lies on its storages under its VMID goes with it, but for backups.",
            ),
        )

    def plan_in(self, turn: Turn) -> Plan:
        snapshot, machine = ready_to_stop(turn)
        _check_typed(machine, turn.asked["typed"])
        work = maker(turn, snapshot, machine)
        turn.step("Look whose it is, and since when it is parked")
        found = work.settled()
        if found is None:
            return _gone(machine)
        _check_parked(machine, parked_since(found.get("description")))
        _check_off(work)
        spare = remaking.spare_for(work)
        going = volumes.going(work.proxmox, work.vmid, found)
        return _destroying(machine, going, spare.vmid if spare.is_there() else None)

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready_to_stop(turn)
        work = maker(turn, snapshot, machine)
        if work.settled() is not None:
            turn.step("Destroy it")
            _check_off(work)
            remaking.destroy(work)
            spare = remaking.spare_for(work)
            if spare.is_there():
                spare.remove()
        turn.outcome = {"vmid": work.vmid, "hypervisor": machine.hypervisor}
        turn.message = (
            f"{machine.host} ({work.vmid}) is gone from {machine.hypervisor}; its identity stays declared."
        )


def _spare_seen(seen: Seen) -> int | None:
    """The VMID of the spare that a rebuild left, if it was seen."""
    vmid = rebuilding.spare_vmid(seen.machine.spec.vmid)
    guest = seen.survey.guest_by_vmid.get(vmid) if seen.survey else None
    if guest is None or guest.config is None:
        return None
    return vmid if rebuilding.is_marked_spare(guest.config, seen.machine.spec.owner) else None


def _stops(seen: Seen) -> tuple[str, ...]:
    if seen.found is None:
        return ()
    since = parked_since(seen.found.get("description"))
    return foreseen.refusals(
        lambda: _check_parked(seen.machine, since),
        lambda: _check_status(seen.machine, runs=since is not None and seen.runs),
    )


def _parked_as_seen(seen: Seen) -> tuple[str, ...]:
    since = parked_since(seen.found.get("description")) if seen.found is not None else None
    if since is None or database_now() < _from(since):
        return ()
    held = f"since {since:%Y-%m-%d %H:%M} UTC, and may be destroyed since {_from(since):%Y-%m-%d %H:%M} UTC"
    return (f"{seen.machine.host} is parked {held}.",)


def _gone(machine: Machine) -> Plan:
    return Plan(warnings=(f"{machine.host} is not on {machine.hypervisor}; there is nothing to destroy.",))


def _destroying(machine: Machine, going: tuple[str, ...], spare: int | None) -> Plan:
    place = f"{machine.spec.vmid} on {machine.hypervisor}"
    left = (Line(REMOVE, f"spare {spare}", "left by a rebuild of it"),) if spare else ()
    return Plan(
        (
            Line(REMOVE, f"machine {machine.host}", place),
            *left,
            *(Line(REMOVE, f"disk {volume}") for volume in going),
            Line(RUN, "destroy it with its disks", place),
        )
    )


def _check_typed(machine: Machine, typed: str) -> None:
    if typed != machine.host:
        raise JobFailed(f"“{typed}” is not {machine.host}.", "Type the name of the host.")


def _check_parked(machine: Machine, since: datetime | None) -> None:
    if since is None:
        raise JobFailed(f"{machine.host} is not parked.", "Park it first; it may be destroyed a while later.")
    if database_now() < _from(since):
        raise JobFailed(
            f"{machine.host} is parked since {since:%Y-%m-%d %H:%M} UTC and may be destroyed from "
            f"{_from(since):%Y-%m-%d %H:%M} UTC on.",
            "MACHINE_PARK_HOURS says how long that is.",
        )


def _check_off(work: Maker) -> None:
    _check_status(work.machine, runs=work.runs())


def _check_status(machine: Machine, *, runs: bool) -> None:
    if runs:
        raise JobFailed(
            f"{machine.host} runs although it is parked: somebody started it.",
            "Look who needs it; park it again, or create it again, which takes it back.",
        )


def _from(since: datetime) -> datetime:
    return since + timedelta(hours=settings.MACHINE_PARK_HOURS)
