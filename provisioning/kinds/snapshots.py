"""Snapshots: take one, go back to one, delete one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError

from inventory.models import Host, Site
from provisioning.engine.faults import JobFailed
from provisioning.kinds import foreseen
from provisioning.kinds.base import Asked, Shown
from provisioning.kinds.foreseen import Seen
from provisioning.kinds.machine import RAN, MachineKind, OfHost, declared, left_off, maker, ready, site_of
from provisioning.machines.comparing import compare
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import Config, SnapshotFacts
from provisioning.machines.owning import owner_of
from provisioning.machines.properties import snapshot_name_problem
from provisioning.observed import surveys
from provisioning.plans import ADD, CHANGE, REMOVE, RUN, Line, Plan
from provisioning.steps import remaking, snapshotting
from provisioning.steps.making import Maker

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn


class OfSnapshot(OfHost):
    name = forms.CharField(
        max_length=40,
        help_text="Name of the snapshot: a letter, then letters, digits, - and _, such as before-upgrade.",
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if problem := snapshot_name_problem(name):
            raise ValidationError(problem)
        return name


class TakeParameters(OfSnapshot):
    ram = forms.BooleanField(
        label="with memory",
        required=False,
        help_text="Keeps what a running machine has in memory too; going back to it then runs it at once.",
    )


class SnapshotKind(MachineKind):
    def there(self, site: Site, given: Mapping[str, str]) -> Shown:
        """The snapshots of the host, as the newest survey or job saw them."""
        host = Host.objects.filter(site=site, name=given.get("host", "")).select_related("hypervisor").first()
        empty = "Name a host, and show the plan."
        rows: tuple[tuple[str, ...], ...] = ()
        if host is not None and host.hypervisor is not None and host.vmid is not None:
            found = surveys.snapshots_of(site, host.hypervisor.name, host.vmid)
            empty = f"{host.hypervisor} was not surveyed yet." if found is None else "None was seen."
            rows = tuple(_row(one) for one in found or ())
        return Shown("Its snapshots", ("Name", "Taken", "Memory", "By"), rows, empty)


class TakeSnapshot(SnapshotKind):
    """Outcome: ``snapshot``, ``ram``, ``snapshots`` (the names of all)."""

    name = "snapshot_vm"
    title = "Snapshot {name} of {host} at {site}"
    verb = "Take a snapshot"
    what = (
        "Keeps disks and settings of a virtual machine of ours as they are now, to go back to. It is no backup: it lies "
        "on the same storage."
    )
    Parameters = TakeParameters

    def plan(self, asked: Asked) -> Plan:
        try:
            _, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        how = "with its memory, if it runs" if asked["ram"] else "disks and settings"
        return Plan((Line(ADD, f"snapshot {asked['name']} of {machine.host}", how),))

    def run(self, turn: Turn, plan: Plan) -> None:
        machine, work = _begin(turn)
        name, ram = turn.asked["name"], turn.asked["ram"]
        said = f"job {turn.job.pk}, {turn.asked.by or 'nobody'}: {turn.asked.why}".strip()
        made = snapshotting.take(work, name, ram=ram, said=said)
        turn.outcome = {"snapshot": name, "ram": made.has_ram, "snapshots": _noted(work)}
        turn.message = f"{machine.host} can be put back to {name}."


class RollBack(SnapshotKind):
    """Outcome: ``snapshot``, ``snapshots``. Not repeated unseen: what was written since would be lost once more."""

    name = "rollback_vm"
    title = "Put {host} at {site} back to its snapshot {name}"
    verb = "Go back to a snapshot"
    what = (
        "Puts disks and settings of a virtual machine of ours back to a snapshot. Everything since is lost."
    )
    destructive = True
    plans_on_request = False
    repeatable = False
    Parameters = OfSnapshot

    def plan(self, asked: Asked) -> Plan:
        """From the newest survey; the job itself looks anew, also at what was another then."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        seen, name = foreseen.seen(asked, snapshot, machine), asked["name"]
        taken = _named(seen, name)
        found = seen.found
        parked = (
            foreseen.refusals(lambda: remaking.check_not_parked(found, machine.host))
            if found is not None
            else ()
        )
        return foreseen.plan(
            seen,
            _lines(machine, taken or SnapshotFacts(name), (), runs=seen.runs),
            stops=(*seen.not_there, *_unknown(seen, name), *parked),
            warnings=(
                "Settings and disks that were others then are in the plan of the job.",
                *(_not_here(machine, taken) if taken else ()),
            ),
        )

    def plan_in(self, turn: Turn) -> Plan:
        machine, work = _begin(turn)
        turn.step("Look what would be lost")
        remaking.check_not_parked(work.existing(), machine.host)
        taken = snapshotting.known(work, turn.asked["name"])
        then = snapshotting.then(work, taken.name)
        return _plan(machine, taken, work.existing(), then, runs=_ran(work))

    def run(self, turn: Turn, plan: Plan) -> None:
        machine, work = _begin(turn)
        name = turn.asked["name"]
        remaking.check_not_parked(work.existing(), machine.host)
        taken = snapshotting.known(work, name)
        if taken.has_ram and (grave := _grave(machine, snapshotting.then(work, name))):
            raise JobFailed(_would_run(machine, name, grave))
        runs = _ran(work)
        turn.keep_outcome(**{RAN: runs})
        snapshotting.roll_back(work, name, runs=runs)
        turn.outcome = {"snapshot": name, "snapshots": _noted(work)}
        turn.message = f"{machine.host} stands at {name}."


def _ran(work: Maker) -> bool:
    """Whether it is to run afterwards: it does, or the job before this one left it off."""
    return work.runs() or left_off(work.turn)


class DeleteSnapshot(SnapshotKind):
    """Outcome: ``snapshot``, ``snapshots``."""

    name = "delete_snapshot_vm"
    title = "Delete the snapshot {name} of {host} at {site}"
    verb = "Delete a snapshot"
    what = "Removes a snapshot that was taken here; the machine stays as it is."
    destructive = True
    plans_on_request = False
    Parameters = OfSnapshot

    def plan(self, asked: Asked) -> Plan:
        """From the newest survey; the job itself looks anew."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        seen, name = foreseen.seen(asked, snapshot, machine), asked["name"]
        taken = _named(seen, name)
        others = foreseen.refusals(lambda: snapshotting.check_owner(machine, taken)) if taken else ()
        return foreseen.plan(
            seen,
            (_deleting(machine, taken or SnapshotFacts(name)),),
            stops=(*seen.not_there, *_unknown(seen, name), *others),
        )

    def plan_in(self, turn: Turn) -> Plan:
        machine, work = _begin(turn)
        turn.step("Look whose it is")
        if turn.job.plan_begun and not snapshotting.is_there(work, turn.asked["name"]):
            return Plan()  # an earlier attempt deleted it
        taken = snapshotting.known(work, turn.asked["name"])
        snapshotting.check_ours(work, taken)
        return Plan((_deleting(machine, taken),))

    def run(self, turn: Turn, plan: Plan) -> None:
        machine, work = _begin(turn)
        snapshotting.delete(work, turn.asked["name"])
        turn.outcome = {"snapshot": turn.asked["name"], "snapshots": _noted(work)}
        turn.message = f"{machine.host} has no snapshot {turn.asked['name']} any more."


def _named(seen: Seen, name: str) -> SnapshotFacts | None:
    return next((one for one in seen.snapshots if one.name == name), None)


def _unknown(seen: Seen, name: str) -> tuple[str, ...]:
    """Where the machine was seen, and the snapshot *name* was not."""
    if seen.found is None or _named(seen, name) is not None:
        return ()
    names = ", ".join(one.name for one in seen.snapshots)
    return (f"{seen.machine.host} has no snapshot {name}; there is: {names or 'none'}.",)


def _deleting(machine: Machine, taken: SnapshotFacts) -> Line:
    said = f"taken {_when(taken)}; nobody can go back to it any more"
    return Line(REMOVE, f"snapshot {taken.name} of {machine.host}", said)


def _begin(turn: Turn) -> tuple[Machine, Maker]:
    snapshot, machine = ready(turn)
    return machine, maker(turn, snapshot, machine)


def _noted(work: Maker) -> list[str]:
    """What there is by now; the page that asks the next time shows it."""
    found = work.proxmox.snapshots(work.vmid)
    surveys.keep_snapshots(site_of(work.turn.asked), work.machine.hypervisor, work.vmid, found)
    return [one.name for one in found]


def _plan(machine: Machine, taken: SnapshotFacts, now: Config, then: Config, *, runs: bool) -> Plan:
    grave = _grave(machine, then)
    problems = (_would_run(machine, taken.name, grave),) if grave and taken.has_ram else ()
    warnings = []
    if grave and not taken.has_ram:
        warnings.append(f"It will not be what is declared, and is not started: {'; '.join(grave)}.")
    warnings += _not_here(machine, taken)
    own = set(then.disks)
    lost = [Line(REMOVE, f"disk {key}", "detached: it came later") for key in now.disks if key not in own]
    changes = [
        Line(CHANGE, f"{key} of {machine.host}", f"{old or 'not set'} → {new or 'not set'}")
        for key, old, new in snapshotting.differences(now, then)
        if key not in now.disks or key in own
    ]
    return Plan(_lines(machine, taken, (*lost, *changes), runs=runs), problems, tuple(warnings))


def _lines(
    machine: Machine, taken: SnapshotFacts, changes: tuple[Line, ...], *, runs: bool
) -> tuple[Line, ...]:
    place = f"{machine.spec.vmid} on {machine.hypervisor}"
    after = (
        "it runs at once, with its memory"
        if taken.has_ram
        else "as it was before"
        if runs
        else "it stays off"
    )
    since = _when(taken) if taken.taken else "then"
    return (
        Line(CHANGE, f"machine {machine.host}", f"{place}: everything since {since} is lost"),
        *changes,
        Line(RUN, f"go back to {taken.name}", "it is stopped for that" if runs else place),
        Line(RUN, "read back and compare", "a machine with another MAC is not started"),
        Line(RUN, "start it" if runs or taken.has_ram else "leave it off", after),
    )


def _not_here(machine: Machine, taken: SnapshotFacts) -> tuple[str, ...]:
    if owner_of(taken.description) == machine.spec.owner:
        return ()
    return (f"The snapshot {taken.name} was not taken here.",)


def _grave(machine: Machine, then: Config) -> list[str]:
    return [str(one) for one in compare(machine.spec, then) if one.grave]


def _would_run(machine: Machine, name: str, grave: list[str]) -> str:
    return (
        f"{name} holds the memory of {machine.host}, which would run at once as what is not declared: "
        f"{'; '.join(grave)}. Go back to one without memory, or declare what it was."
    )


def _row(one: SnapshotFacts) -> tuple[str, ...]:
    owner = owner_of(one.description)
    by = "taken here" if owner else "somebody else"
    return one.name, _when(one), "yes" if one.has_ram else "no", by


def _when(one: SnapshotFacts) -> str:
    return (
        f"{datetime.fromtimestamp(one.taken, UTC):%Y-%m-%d %H:%M} UTC" if one.taken else "at an unknown time"
    )
