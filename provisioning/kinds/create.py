"""Create a declared virtual machine, under the identity that it had before it existed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioning import chains
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked
from provisioning.kinds.machine import MachineKind, check, declared, looked_at, maker, ready, site_of
from provisioning.machines import preflight, transfers
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import GuestLine
from provisioning.machines.owning import TAG, renaming
from provisioning.machines.preflight import World
from provisioning.machines.shell import is_installing
from provisioning.machines.sizes import disk_text
from provisioning.machines.spec import balloon_of
from provisioning.machines.templates import NoTemplate
from provisioning.observed import surveys
from provisioning.plans import ADD, CHANGE, RUN, Line, Plan
from provisioning.steps import remaking, shells
from provisioning.steps.making import Maker
from provisioning.surveying.survey import Guest, Survey

if TYPE_CHECKING:
    from inventory.snapshot import Snapshot
    from provisioning.engine.turns import Turn

STEPS = ("clone", "configure", "disks", "image", "read_back", "start", "answers")


class CreateMachine(MachineKind):
    """Outcome: ``vmid``, ``hypervisor``, ``mac``, ``addresses``; where it is configured, ``creation`` and ``parts``."""

    name = "create_vm"
    title = "Create {host} at {site}"
    verb = "Create VM"
    what = (
        "Makes a declared virtual machine from its template, or empty to be installed over the network; checks it, "
        "starts it, waits for the address of a clone, and runs the job templates of its role and profiles."
    )

    def plan(self, asked: Asked) -> Plan:
        """From the newest surveys; the job itself looks anew."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        world = surveys.world_of(snapshot, site_of(asked))
        if world.of(machine) is None and machine.hypervisor not in world.lost:
            # the job looks first; what it then finds may stop it
            said = f"{machine.hypervisor} was not seen yet; the job looks first, and stops before it makes anything."
            return _with_chain(snapshot, machine, Plan(_lines(machine, None), warnings=(said,)))
        problems = (*preflight.of_declaration(snapshot, machine), *preflight.lost(machine, world))
        seen = tuple(
            f"{said} So it was at the newest survey; the job looks again, and makes nothing while it is so."
            for said in preflight.as_seen(machine, world)
        )
        lines = _lines(machine, None if seen else world)
        plan = Plan(lines, problems, (*seen, *_warnings(snapshot, machine, world)))
        return _with_chain(snapshot, machine, plan)

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work = maker(turn, snapshot, machine)
        installing = not chains.is_made(turn, work) and _make(turn, snapshot, work)
        held = () if installing else work.answers()
        spec = machine.spec
        turn.outcome = {
            "vmid": spec.vmid,
            "hypervisor": machine.hypervisor,
            "mac": spec.mac,
            "addresses": list(held),
        }
        turn.message = f"{machine.host} runs on {machine.hypervisor} as {spec.vmid}" + (
            f", at {', '.join(held)}." if held else "."
        )
        if installing:
            turn.message += (
                " It boots from the network; finish_install_vm turns it to its disk once it is installed."
            )
        else:
            chains.configure(turn, snapshot, work, held)


def _with_chain(snapshot: Snapshot, machine: Machine, plan: Plan) -> Plan:
    """*plan* with what configures the machine; one that is installed over the network is configured afterwards."""
    host = snapshot.host_by_name[machine.host]
    said = chains.lines(snapshot, host, chains.CONFIGURE)
    if machine.from_network and said:
        later = "finish_install_vm ends with what configures it."
        return replace(plan, warnings=(*plan.warnings, later))
    return replace(
        plan,
        lines=(*plan.lines, *said),
        problems=(*plan.problems, *chains.problems(snapshot, host, chains.CONFIGURE)),
    )


def _make(turn: Turn, snapshot: Snapshot, work: Maker) -> bool:
    """Make what is declared, and start it; whether it boots from the network to be installed."""
    machine = work.machine
    world = looked_at(turn, snapshot, machine.spec.vmid)
    turn.step("Check everything before anything is done")
    check(snapshot, machine, world)
    plan = Plan(_lines(machine, world), warnings=_warnings(snapshot, machine, world))
    turn.keep_plan(_with_chain(snapshot, machine, plan))
    if preflight.existing(machine, world) is not None and work.settled() is not None and work.runs():
        work.check_running(absent=False)  # no card is exchanged under a guest that runs
    installing = _make_empty(work) if machine.from_network else _make_clone(work, world)
    work.start()
    return installing


def _make_clone(work: Maker, world: World) -> bool:
    found = work.settled() if preflight.existing(work.machine, world) is not None else None
    remaking.check_whole(found, work.machine.host)
    if found is None:
        work.clone(_template(work.machine, world))
    elif work.turn.attempt > 1 and TAG not in found.tags:
        work.unprotect(found)  # an earlier attempt cloned it, and set nothing yet
    work.configure()
    work.disks()
    work.image()
    work.read_back()
    return False


def _make_empty(work: Maker) -> bool:
    """Whether it boots from the network now: one that was installed, and turned to its disk, stays turned."""
    shells.make(work)
    work.configure()
    work.disks()
    shells.check(work)
    work.read_back()
    return is_installing(work.existing())


def _template(machine: Machine, world: World) -> GuestLine:
    survey = world.of(machine)
    assert survey is not None, "checked before"  # noqa: S101
    try:
        return preflight.template_of(machine, survey)
    except NoTemplate as fault:
        raise JobFailed(str(fault)) from None


def _warnings(snapshot: Snapshot, machine: Machine, world: World) -> tuple[str, ...]:
    seen = (*preflight.without_rng(machine, world), *preflight.without_drive(machine, world))
    return (*seen, *_transfers(snapshot, machine, world))


def _transfers(snapshot: Snapshot, machine: Machine, world: World) -> tuple[str, ...]:
    """What crosses the router while it is cloned."""
    survey = world.of(machine)
    if survey is None or machine.from_network or preflight.existing(machine, world) is not None:
        return ()
    clone = f"the clone for {machine.host}"
    read = [
        said
        for storage in preflight.template_storages(machine, survey)
        for said in transfers.from_storage(snapshot, survey, storage, clone)
    ]
    return (*read, *transfers.to_storage(snapshot, survey, machine.storage, clone))


def _lines(machine: Machine, world: World | None) -> tuple[Line, ...]:
    spec = machine.spec
    known = world and preflight.existing(machine, world)
    first = (
        Line(RUN, "go on with what is there", f"{spec.vmid} on {machine.hypervisor} carries our marker")
        if known
        else _first_line(machine, world.of(machine) if world else None)
    )
    disk = disk_text(spec.disk) if spec.disk else ""
    if machine.from_network:
        how = (
            Line(RUN, "set its disk", f"{disk}, empty; UEFI, random number device"),
            *_data_line(machine),
            Line(RUN, "set the boot order where it is made", "network, then disk"),
        )
        last = Line(RUN, "start it", "it boots from the network, and is not waited for")
    else:
        how = (
            Line(RUN, "grow its disk before the first boot", disk),
            *_data_line(machine),
            Line(RUN, "write cloud-init", str(spec.ipconfig)),
        )
        last = Line(RUN, "start and wait for it", machine.address or "any address")
    return (
        Line(ADD, f"machine {machine.host}", f"VMID {spec.vmid} on {machine.hypervisor}"),
        first,
        *_marker_line(machine, known or None),
        Line(RUN, "set its card", str(spec.cards[0])),
        *(Line(RUN, f"set its card {card.key}", str(card)) for card in spec.more),
        Line(RUN, "set cores and memory", f"{spec.cores} cores, {spec.memory} MiB"),
        *_balloon_line(machine, world),
        *how,
        Line(RUN, "read back and compare", "a machine with another MAC is not started"),
        last,
    )


def _balloon_line(machine: Machine, world: World | None) -> tuple[Line, ...]:
    """Of the machine that is there, else of its template."""
    config = preflight.begins_as(machine, world) if world else None
    said = balloon_of(machine.spec, config) if config else ""
    if not said or config is None:
        return ()
    what = f"{config.get('balloon')} → {said} MiB: no more than its memory"
    return (Line(CHANGE, f"balloon of {machine.host}", what),)


def _marker_line(machine: Machine, known: Guest | None) -> tuple[Line, ...]:
    said = renaming(known.config, machine.spec.owner) if known and known.config else ""
    return (Line(CHANGE, f"marker of {machine.host}", said),) if said else ()


def _first_line(machine: Machine, survey: Survey | None) -> Line:
    place = f"{machine.spec.vmid} on {machine.hypervisor}, {machine.storage}"
    if machine.from_network:
        return Line(RUN, "make it empty", place)
    template = machine.template
    if survey and any(one.name.startswith(template) for one in survey.templates):
        template = preflight.template_of(machine, survey).name
    return Line(RUN, f"clone {template}", f"to {place}")


def _data_line(machine: Machine) -> tuple[Line, ...]:
    data = machine.spec.data
    return (Line(RUN, f"add the data disk {data.serial}", disk_text(data.size)),) if data else ()
