"""Repair a machine of ours: set what is configured otherwise than declared, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioning import drift
from provisioning.adapters.base import Changed, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import SHORT, Asked
from provisioning.kinds.machine import MachineKind, declared, maker, ready, site_of
from provisioning.machines import preflight
from provisioning.machines.comparing import undeclared_cards
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import Config
from provisioning.machines.owning import not_ours, parked_since, renaming
from provisioning.machines.rebuilding import cloudinit_key
from provisioning.machines.spec import differing, in_image, read_keys
from provisioning.observed import surveys
from provisioning.plans import CHANGE, RUN, Line, Plan
from provisioning.steps.making import Maker
from provisioning.steps.watching import TRIES

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: ``resize_vm`` brings these: they may need a power cycle
SIZES = frozenset({"memory", "balloon", "cores", "cpu"})
#: so much of a value is shown
LONGEST = 120


class Repair(MachineKind):
    """Outcome: ``set`` (the keys that were written), ``waiting`` (those that wait for a power cycle)."""

    name = "repair_vm"
    title = "Repair {host} at {site}"
    verb = "Repair"
    what = (
        "Sets name, card, start at boot, start order, tag and cloud-init of a virtual machine of ours to what is "
        "declared, and reads them back. Sizes and disks stay; one that runs with another MAC is stopped first, by you."
    )
    queue = SHORT

    def plan(self, asked: Asked) -> Plan:
        """From the newest survey; the job itself looks anew."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        guest = preflight.existing(machine, surveys.world_of(snapshot, site_of(asked)))
        if guest is None or guest.config is None:
            said = f"{machine.host} was not seen on {machine.hypervisor} lately; the job looks first."
            return Plan((_after(machine),), warnings=(said,))
        lines, refusal = (
            _lines(machine, guest.config),
            _refusal(machine, guest.config, runs=guest.line.status == "running"),
        )
        said = (
            "" if lines else "Nothing that this job sets differed when it was last seen; the job looks anew."
        )
        said = f"When it was last seen: {refusal} The job looks anew." if refusal else said
        return Plan((*lines, _after(machine)), warnings=(said,) if said else ())

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work = maker(turn, snapshot, machine)
        turn.step("Look whose it is")
        found = work.existing()
        runs = work.proxmox.status(work.vmid).status == "running"
        if problem := _refusal(machine, found, runs=runs):
            raise JobFailed(problem)
        lines = _lines(machine, found)
        turn.keep_plan(Plan((*lines, _after(machine))))
        turn.step("Set what differs")
        written = _set(work)
        if cloudinit_key(found) and (turn.attempt > 1 or any(in_image(key) for key in written)):
            work.written |= written
            work.image()
        turn.step("Read back")
        left = repairs(machine, now := work.existing())
        if left:
            raise JobFailed(
                f"{', '.join(sorted(left))} of {machine.host} differ still: the API dropped them.",
                "Run this again.",
            )
        for key in undeclared_cards(machine.spec, now):
            turn.event("warning", f"{key} is not declared, and stays: remove it, or declare the interface.")
        waiting = sorted(now.pending)
        if waiting:
            turn.event("warning", f"{', '.join(waiting)}: the running machine has them after a power cycle.")
        turn.outcome = {"set": sorted(written), "waiting": waiting}
        turn.message = f"{machine.host} is as declared" + (
            f": set {', '.join(sorted(written))}." if written else "."
        )
        _look_again(turn, machine)


def repairs(machine: Machine, found: Config) -> dict[str, str]:
    """What to set: key → value."""
    return {key: value for key, value in differing(machine.spec, found).items() if key not in SIZES}


def _refusal(machine: Machine, found: Config, *, runs: bool) -> str:
    """Why it is not repaired as it is; empty: it is."""
    if refusal := not_ours(found, machine.spec.owner):
        return refusal
    if since := parked_since(found.get("description")):
        return f"{machine.host} is parked since {since:%Y-%m-%d %H:%M} UTC; create it again to take it back."
    for card in machine.spec.cards if runs else ():
        nic = found.nics.get(card.key)
        has = nic.mac if nic and nic.mac else "none"
        if has != card.mac:
            return (
                f"{machine.host} runs with the MAC {has} instead of {card.mac}: stop it first, then repair it. "
                "A running card is not exchanged under its guest."
            )
    return ""


def _lines(machine: Machine, found: Config) -> tuple[Line, ...]:
    said = renaming(found, machine.spec.owner)
    lines = [Line(CHANGE, f"marker of {machine.host}", said)] if said else []
    lines += [
        Line(
            CHANGE,
            f"{key} of {machine.host}",
            f"{_shown(key, found.get(key)) or 'not set'} → {_shown(key, value)}",
        )
        for key, value in repairs(machine, found).items()
        if not (said and key == "description")
    ]
    return tuple(lines)


def _after(machine: Machine) -> Line:
    return Line(RUN, "set what differs, and read it back", f"{machine.spec.vmid} on {machine.hypervisor}")


def _shown(key: str, value: str) -> str:
    text = ", ".join(read_keys(value)) if key == "sshkeys" else " ".join(value.split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _set(work: Maker) -> set[str]:
    """Write what differs, with the digest that was read; the keys that were sent."""
    sent: set[str] = set()
    for attempt in range(1, TRIES + 1):
        found = work.existing()
        changes = repairs(work.machine, found)
        if not changes:
            break
        try:
            work.proxmox.configure(work.vmid, changes, digest=found.digest)
            work.turn.event("info", f"Set {', '.join(sorted(changes))}.")
            sent |= set(changes)
            break
        except Changed:
            work.turn.event("warning", "Somebody changed it at this moment; reading anew.")
            if attempt == TRIES:
                raise
        except Unanswered as lost:
            work.turn.event("warning", f"{lost} Reading back what is there.")
            sent |= set(changes)
    return sent


def _look_again(turn: Turn, machine: Machine) -> None:
    """So that its drift closes now, and not with the next survey. What fails here is told, and fails nothing."""
    from inventory import reading
    from provisioning.kinds.survey import look

    site = site_of(turn.asked)
    look(turn, reading.load(site.slug), (machine.hypervisor,))
    drift.judge(site, but=turn.job.pk)
