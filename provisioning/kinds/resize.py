"""Bring a machine of ours to the size that is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from provisioning.kinds.base import Asked
from provisioning.kinds.machine import RAN, MachineKind, OfHost, declared, left_off, maker, ready, site_of
from provisioning.machines import preflight
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import Config
from provisioning.machines.growing import growing, shrinking
from provisioning.machines.owning import not_ours
from provisioning.observed import surveys
from provisioning.plans import CHANGE, RUN, Line, Plan
from provisioning.steps import remaking, reshaping

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

TIMEOUT = 180


class Parameters(OfHost):
    restart = forms.BooleanField(
        required=False,
        help_text="Switch it off and on where something waits for that. Otherwise it waits for the next power cycle.",
    )


class Resize(MachineKind):
    """Outcome: ``changed`` and ``pending`` (lists of keys), ``restarted``."""

    name = "resize_vm"
    title = "Resize {host} at {site}"
    verb = "Resize"
    what = (
        "Brings cores, memory, processor and disks of a virtual machine of ours to what is declared. It only grows, "
        "and is switched off and on only when asked."
    )
    Parameters = Parameters

    def plan(self, asked: Asked) -> Plan:
        """From the newest survey; the job itself looks anew."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        world = surveys.world_of(snapshot, site_of(asked))
        guest = preflight.existing(machine, world)
        if world.of(machine) is None:
            said = f"{machine.hypervisor} was not seen yet; the job looks first."
            return Plan((_whole(machine),), warnings=(said,))
        if guest is None or guest.config is None:
            return Plan(
                problems=(f"{machine.host} is not on {machine.hypervisor}; create it, or survey it anew.",)
            )
        return plan_of(machine, guest.config, runs=guest.line.status == "running", restart=asked["restart"])

    def plan_in(self, turn: Turn) -> Plan:
        snapshot, machine = ready(turn)
        work = maker(turn, snapshot, machine)
        turn.step("Look what is there")
        runs = work.proxmox.status(work.vmid).status == "running" if work.settled() else False
        return plan_of(machine, work.existing(), runs=runs, restart=turn.asked["restart"])

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work = maker(turn, snapshot, machine)
        if turn.asked["restart"]:
            turn.step("Look whose it is")
            remaking.check_not_parked(work.existing(), machine.host)
        changed = [one.key for one in reshaping.grow(work)]
        waits = list(reshaping.pending(work))
        was_left = not work.runs() and bool(turn.job.outcome.get(RAN) or left_off(turn))
        restarts = bool(turn.asked["restart"] and (waits or was_left))
        if restarts:
            reshaping.power_cycle(work, timeout=TIMEOUT, kept=RAN)
        turn.outcome = {"changed": changed, "pending": [] if restarts else waits, "restarted": restarts}
        turn.message = f"{machine.host} is as declared."
        if was_left and not restarts:
            turn.message += " An earlier job left it switched off: start it (power)."
        if waits and not restarts:
            said = f"{', '.join(waits)} of {machine.host} wait for a power cycle: a reboot inside it is not enough."
            turn.event("warning", said)
            turn.message = f"{machine.host} is set as declared. {said}"


def plan_of(machine: Machine, found: Config, *, runs: bool, restart: bool) -> Plan:
    """What becomes more, and what of it a running machine gets only when it is switched off and on."""
    if refusal := not_ours(found, machine.spec.owner):
        return Plan(problems=(f"VMID {machine.spec.vmid}: {refusal}",))
    growths = growing(machine.spec, found)
    waits = runs and (any(one.waits for one in growths) or bool(found.pending))
    warnings = []
    if waits and not restart:
        warnings.append(
            "What it gets with its next power cycle waits until then; a reboot inside it is not enough."
        )
    if not growths:
        warnings.append(f"{machine.host} is as declared already.")
    lines = [
        Line(
            CHANGE,
            f"{one.key} of {machine.host}",
            f"{one}, with its next power cycle" if runs and one.waits else str(one),
        )
        for one in growths
    ]
    if restart:
        how = "shut down, then started" if waits else "only where something waits for it"
        lines.append(Line(RUN, "switch it off and on", how))
    return Plan(tuple(lines), shrinking(machine.spec, found), tuple(warnings))


def _whole(machine: Machine) -> Line:
    return Line(CHANGE, f"machine {machine.host}", "cores, memory, processor and disks as declared")
