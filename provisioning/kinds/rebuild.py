"""Rebuild a machine of ours from the newest template, under the identity that it has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inventory.snapshot import Snapshot
from provisioning import chains
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import Cancelled, JobFailed
from provisioning.kinds import foreseen, rebuild_seen
from provisioning.kinds import rebuild_plan as plans
from provisioning.kinds.base import Asked, WayOut
from provisioning.kinds.keeping import back_up, check_limit, is_made, own_storage_for
from provisioning.kinds.machine import RAN, MachineKind, check, declared, looked_at, maker, ready
from provisioning.kinds.rebuild_checks import (
    Transfers,
    bytes_of,
    check_protection,
    check_room,
    check_snapshots,
    check_startable,
    check_wish,
    exchanged,
    new_bytes,
    wish_of,
    without,
)
from provisioning.kinds.rebuild_parameters import Parameters
from provisioning.kinds.rebuild_plan import Wish
from provisioning.machines import preflight, rebuilding
from provisioning.machines.declared import Machine, NotDeclared
from provisioning.machines.facts import Config, GuestLine, StorageFacts, VolumeFacts
from provisioning.machines.rebuilding import Rebuild
from provisioning.plans import Plan
from provisioning.steps import begun, remaking
from provisioning.steps.making import Maker
from provisioning.steps.remaking import Remaker

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn
    from provisioning.models import Job

#: in the outcome: the newest task that started the machine, when it was switched off to be backed up
STARTED = "started_by"


class RebuildMachine(MachineKind):
    """Outcome: ``vmid``, ``hypervisor``, ``template``, ``backup`` (its volume), ``addresses``; where it is configured,
    ``creation`` and ``parts``."""

    name = "rebuild_vm"
    title = "Rebuild {host} at {site}"
    verb = "Rebuild"
    what = (
        "Makes a virtual machine of ours anew from its newest template, under its VMID, MAC, addresses and names. A "
        "backup is made first; the data disk can stay."
    )
    destructive = True
    plans_on_request = False
    Parameters = Parameters

    def plan(self, asked: Asked) -> Plan:
        """From the newest surveys; the job itself looks anew."""
        try:
            snapshot, machine = declared(asked)
        except NotDeclared as fault:
            return Plan(problems=fault.problems)
        if machine.from_network:
            return Plan(problems=(without(machine),))
        seen, wish = foreseen.seen(asked, snapshot, machine), wish_of(asked, snapshot, machine)
        return _with_chain(snapshot, machine, rebuild_seen.plan(snapshot, seen, wish))

    def plan_in(self, turn: Turn) -> Plan:
        """Of what an earlier attempt of this job began, what is left; else everything, checked and seen anew."""
        turn.outcome = dict(turn.job.outcome)  # an earlier attempt's backup is the way back
        snapshot, machine = ready(turn)
        return _with_chain(snapshot, machine, self._planned(turn, snapshot, machine))

    def _planned(self, turn: Turn, snapshot: Snapshot, machine: Machine) -> Plan:
        if machine.from_network:
            raise JobFailed(without(machine))
        work = maker(turn, snapshot, machine)
        turn.step("Look what is there")
        work.settled()
        found, wish = work.existing(), wish_of(turn.asked, snapshot, machine)
        half = rebuilding.begun(found.get("description"))
        if half is not None:
            check_wish(half, wish)
            return plans.rest(machine, half, wish, mine=half.job == name_of(turn))
        if rebuilding.done_by(found.get("description")) == name_of(turn):
            return plans.last(machine)
        check_startable(machine, found)
        world = looked_at(turn, snapshot)
        turn.step("Check everything before anything is done")
        check(snapshot, machine, world)
        plan = _whole(work, wish, Transfers(snapshot, machine, world))
        rng = preflight.without_rng(machine, world, anew=True)
        drive = preflight.without_drive(machine, world)
        return replace(plan, warnings=(*rng, *drive, *plan.warnings))

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot, machine = ready(turn)
        work, wish = maker(turn, snapshot, machine), wish_of(turn.asked, snapshot, machine)
        text = work.existing().get("description")
        remaker, rebuild = remaking.remaker_of(work), rebuilding.begun(text)
        if rebuild is None and rebuilding.done_by(text) != name_of(turn):
            rebuild = _begin(remaker, wish)
        turn.keep_outcome(vmid=work.vmid, hypervisor=machine.hypervisor)
        if rebuild is not None:
            turn.keep_outcome(template=rebuild.template, backup=rebuild.backup)
        try:
            held = _carry_out(remaker, rebuild)
        except (AdapterError, JobFailed) as fault:
            raise _half_done(fault, machine, turn, rebuild) from fault
        turn.outcome["addresses"] = list(held)
        turn.message = f"{machine.host} is rebuilt" + (f", at {', '.join(held)}." if held else ".")
        chains.configure(turn, snapshot, work, held, again=_GO_ON)

    def way_out(self, job: Job) -> WayOut | None:
        """From what is half done to what it was; where nothing was changed yet, it is only started; from a machine that is
        rebuilt and not configured to its parts."""
        if job.outcome.get("creation") and job.is_finished and job.state != "succeeded":
            return WayOut("Go on with its parts", "create_vm", {"host": job.parameters["host"]})
        if (start := super().way_out(job)) is not None:
            return start
        volume = job.outcome.get("backup")
        if not volume or not job.is_finished or job.state == "succeeded":
            return None
        return WayOut("Put it back", "restore_vm", {"host": job.parameters["host"], "volume": volume})


_GO_ON = "create it (create_vm): nothing is made anew, it goes on with that part"


def _with_chain(snapshot: Snapshot, machine: Machine, plan: Plan) -> Plan:
    host = snapshot.host_by_name[machine.host]
    return replace(
        plan,
        lines=(*plan.lines, *chains.lines(snapshot, host, chains.CONFIGURE)),
        problems=(*plan.problems, *chains.problems(snapshot, host, chains.CONFIGURE)),
    )


def name_of(turn: Turn) -> str:
    """Names the job in a machine's description: numbers alone begin anew with another database."""
    return f"{turn.job.pk}-{turn.job.created:%Y%m%d%H%M%S}"


def _whole(work: Maker, wish: Wish, crossing: Transfers) -> Plan:
    """The plan of a rebuild of which nothing is done yet. Raises JobFailed for what forbids it."""
    found = work.existing()
    check_protection(work.machine, found)
    check_snapshots(work.machine, work.proxmox.snapshots(work.vmid))
    going, template = exchanged(work.machine, found, wish), remaking.template_for(work)
    backup = own_storage_for(work.proxmox, wish.storage) if wish.backs_up else None
    spare = remaking.spare_for(work)
    there = spare.settled()  # somebody else's, or one that hangs: that is said before anything is confirmed
    older = _check_room(work, template, there, backup, wish)
    name = backup.name if backup else ""
    plan = plans.whole(work.machine, found, going, wish, template.name, name, spare.vmid)
    return replace(
        plan, warnings=(*plan.warnings, *crossing.said(name), *plans.piled(work.machine, older, name))
    )


def _check_room(
    work: Maker, template: GuestLine, spare: Config | None, backup: StorageFacts | None, wish: Wish
) -> tuple[VolumeFacts, ...]:
    """For the new disks beside the old ones, of which a *spare* has its own, and for one more backup as large as the last.

    Returns the backups that lie where the new one goes.
    """
    places = {one.name: one for one in work.proxmox.storages()}
    there = bytes_of(spare) if spare is not None else 0
    new = new_bytes(work.machine, work.proxmox.config(template.vmid), wish)
    needed = {work.machine.storage: max(new - there, 0)}
    older: tuple[VolumeFacts, ...] = ()
    if backup is not None:
        older = work.proxmox.backups(backup.name, work.vmid)
        needed[backup.name] = needed.get(backup.name, 0) + (older[-1].size if older else 0)
        if not is_made(work, older, rebuilding.BACKUP_NOTE):
            check_limit(work, backup.name, older, protected=True)
    for name, size in needed.items():
        free = places[name].free if name in places else None
        check_room(work.machine, name, size, free or 0)
    return older


def _begin(remaker: Remaker, wish: Wish) -> Rebuild:
    """Everything that can be done beside the machine, then its backup; the last act notes what goes.

    Up to there a fault or a cancel leaves the machine running, if it did.
    """
    work = remaker.work
    before = work.existing()
    going, template = exchanged(work.machine, before, wish), remaking.template_for(work)
    spare = remaker.prepare(template, rebuilding.staying(before, going))
    try:
        return _note(remaker, wish, going, template, spare)
    except (AdapterError, JobFailed, Cancelled):
        if work.turn.outcome.get(RAN):
            with work.turn.tidying():
                _start_again(work)
        raise


def _note(remaker: Remaker, wish: Wish, going: dict[str, str], template: GuestLine, spare: Config) -> Rebuild:
    work = remaker.work
    backup = _kept(work, wish)
    found = work.existing()
    if exchanged(work.machine, found, wish) != going:
        raise JobFailed("Its disks were changed meanwhile.", "Look at the new plan.", retryable=True)
    rebuild = Rebuild(
        job=name_of(work.turn),
        template=template.name,
        keeps_data=wish.keep_data,
        boot=rebuilding.boot_order(spare),
        backup=backup,
        old=tuple(sorted(going.values())),
    )
    remaker.begin(rebuild)
    _forget_that_it_ran(work)
    return rebuild


def _kept(work: Maker, wish: Wish) -> str:
    """Switch it off and back it up: the volume. That it ran is kept, for whoever goes on after this worker.

    What an earlier attempt of this job backed up will do, as long as the machine was off since: a guest that was started
    may have written.
    """
    runs, start = work.runs(), begun.newest(work, "qmstart")
    off_since = not runs and work.turn.outcome.get(STARTED) == start
    work.turn.keep_outcome(**{STARTED: start}, **({RAN: True} if runs else {}))
    remaking.turned_off(work, wish.timeout, force=wish.force)
    if not wish.backs_up:
        work.turn.event("warning", "No backup is made, as asked: nothing can be put back.")
        return ""
    storage = own_storage_for(work.proxmox, wish.storage)
    made = back_up(
        work, storage.name, stopped=True, protected=True, why=rebuilding.BACKUP_NOTE, again=off_since
    )
    work.turn.event("info", f"It can be put back from {made.volume}.")
    work.turn.keep_outcome(backup=made.volume)
    return made.volume


def _start_again(work: Maker) -> None:
    """Once nothing is at it any more: a backup whose answer was lost goes on. Not where the exchange was noted."""
    try:
        found = work.settled()
        if found is None or rebuilding.begun(found.get("description")) is not None:
            return
        work.start()
    except (AdapterError, JobFailed) as fault:
        work.turn.event("error", f"Nothing of it was changed, and it could not be started again: {fault}")
    else:
        work.turn.event("warning", "Nothing of it was changed; it runs again.")
        _forget_that_it_ran(work)


def _forget_that_it_ran(work: Maker) -> None:
    for key in (RAN, STARTED):
        work.turn.outcome.pop(key, None)
    work.turn.keep_outcome()


def _carry_out(remaker: Remaker, rebuild: Rebuild | None) -> tuple[str, ...]:
    """From the noted exchange to the machine that answers: the addresses that it holds."""
    work = remaker.work
    if rebuild is not None:
        if remaker.lacks_spare(rebuild):
            stays = rebuilding.drives(work.existing())
            going = {key: volume for key, volume in stays.items() if volume in rebuild.old}
            left = rebuilding.staying(work.existing(), going)
            remaker.prepare(remaking.template_for(work, rebuild.template), left)
        remaker.exchange(rebuild)
        work.configure()
        work.disks()
        work.image()
    work.read_back()
    work.start()
    held = work.answers()
    if rebuild is not None:
        remaker.end(rebuild)
    return held


def _half_done(
    fault: AdapterError | JobFailed, machine: Machine, turn: Turn, rebuild: Rebuild | None
) -> JobFailed:
    """*fault* with the two ways on from here."""
    way = "Run it again: it goes on where it stopped."
    if rebuild is not None and rebuild.backup:
        site = turn.asked.site
        way += (
            f" Or put the machine back: manage.py job restore --site {site} --host {machine.host} "
            f"--param volume={rebuild.backup}"
        )
    return JobFailed(f"{machine.host} is half rebuilt. {fault}", way, retryable=fault.retryable)
