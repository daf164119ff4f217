"""Create, rebuild, back up, restore and destroy a throwaway machine on a real node, and leave nothing behind.

It is the code of the jobs, on a machine that no site declares: a VMID outside of everything declared and seen, with our
marker in it. Whatever carries another marker, or none, is not touched.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from inventory import reading
from inventory.acts.deriving import machine_defaults
from inventory.models import Host, Site
from inventory.snapshot import Snapshot
from provisioning.adapters.base import AdapterError
from provisioning.adapters.proxmox import Proxmox
from provisioning.engine.faults import JobFailed
from provisioning.engine.moments import database_now
from provisioning.kinds import machine as of_machines
from provisioning.kinds.keeping import back_up, backup_storages, storage_for, switch_off
from provisioning.kinds.survey import wanted
from provisioning.machines import preflight, rebuilding
from provisioning.machines.declared import Machine
from provisioning.machines.facts import GuestLine, VolumeFacts
from provisioning.machines.owning import Owner
from provisioning.machines.preflight import World
from provisioning.machines.properties import IpConfig
from provisioning.machines.rebuilding import Rebuild, Unclear
from provisioning.machines.sizes import GIB, disk_text
from provisioning.machines.spec import MachineSpec, os_disk
from provisioning.machines.templates import NoTemplate
from provisioning.observed import hypervisors, surveys
from provisioning.plans import ADD, REMOVE, RUN, Line, Plan
from provisioning.rehearsing.stage import Stage
from provisioning.steps import remaking
from provisioning.steps.making import Maker
from provisioning.steps.watching import CLONE_LIMIT
from provisioning.surveying.looking import survey
from provisioning.surveying.survey import Survey

NAME = "mgmtplane-rehearsal"
#: where throwaway VMIDs are looked for
FIRST_VMID, LAST_VMID = 990_000, 990_999


class Impossible(Exception):
    """The rehearsal is not begun; the message says everything that is in its way."""


@dataclass
class Rehearsal:
    stage: Stage
    machine: Machine
    template: GuestLine
    proxmox: Proxmox
    began: datetime

    @property
    def work(self) -> Maker:
        return Maker(self.stage, self.proxmox, self.machine, of_machines.PATIENCE)

    @property
    def plan(self) -> Plan:
        spec, machine = self.machine.spec, self.machine
        place = f"{spec.vmid} on {machine.hypervisor}"
        return Plan(
            (
                Line(ADD, f"machine {spec.name}", f"{place}, MAC {spec.mac}, for the time of the rehearsal"),
                Line(RUN, f"clone {self.template.name}", f"to {place}, {machine.storage}"),
                Line(
                    RUN,
                    "configure, grow, read back, start",
                    f"on {spec.bridge}, disk {disk_text(spec.disk or 0)}",
                ),
                Line(RUN, "rebuild it", f"with a clone beside it, {rebuilding.spare_vmid(spec.vmid)}"),
                Line(RUN, "back it up", "to the first storage that takes backups"),
                Line(RUN, "restore it over itself", "and compare: the MAC as it was"),
                Line(REMOVE, f"machine {spec.name}", place),
                Line(REMOVE, "its backup"),
            )
        )

    # --- the acts ---

    def run(self) -> None:
        """All of it. Raises what stopped it; ``tidy`` is called in any case by whoever runs it."""
        self.create()
        self.rebuild()
        kept = self.back_up()
        self.restore(kept)
        self.destroy()

    def create(self) -> None:
        work = self.work
        work.clone(self.template)
        work.configure()
        work.disks()
        work.image()
        work.read_back()
        work.start()

    def rebuild(self) -> None:
        """The steps of the job, without its backup: a new disk goes in, VMID and MAC stay."""
        work = self.work
        remaker, found = remaking.remaker_of(work), work.existing()
        try:
            going = rebuilding.exchanged(self.machine, found, keep_data=False)
        except Unclear as fault:
            raise JobFailed(f"It cannot be rebuilt: {fault}") from None
        spare = remaker.prepare(self.template, rebuilding.staying(found, going))
        switch_off(work)
        rebuild = Rebuild(
            job=f"0-{self.began:%Y%m%d%H%M%S}",
            template=self.template.name,
            keeps_data=False,
            boot=rebuilding.boot_order(spare),
            backup="",
            old=tuple(sorted(going.values())),
        )
        remaker.begin(rebuild)
        remaker.exchange(rebuild)
        work.configure()
        work.disks()
        work.image()
        work.read_back()
        work.start()
        remaker.end(rebuild)

    def back_up(self) -> VolumeFacts:
        work = self.work
        work.existing()
        return back_up(work, storage_for(self.proxmox, ""), stopped=False, why="rehearsal")

    def restore(self, kept: VolumeFacts) -> None:
        work, machine = self.work, self.machine
        work.existing()
        switch_off(work)
        self.stage.step(f"Restore {kept.volume}")
        upid = self.proxmox.restore(
            work.vmid, kept.volume, storage=machine.storage, pool=machine.pool, over=True
        )
        work.finish(upid, CLONE_LIMIT)
        work.read_back()
        work.start()

    def destroy(self) -> None:
        work = self.work
        work.unprotect(work.existing())
        switch_off(work)
        self.stage.step("Destroy it")
        work.finish(self.proxmox.destroy(work.vmid))
        if work.config() is not None:
            raise JobFailed(f"{work.vmid} is still there though the task ended well.", "Look at its node.")

    # --- afterwards ---

    def tidy(self) -> None:
        """Nothing of it stays: tasks are ended, the machine and its backups removed; only what carries its marker."""
        self.stage.step("Tidy up")
        for upid in self.stage.transcript.running:
            self._end(upid)
        work = self.work
        remaking.spare_for(work).remove()
        if work.settled() is not None:
            self.destroy()
        for storage in backup_storages(self.proxmox):
            for kept in self.proxmox.backups(storage, work.vmid):
                self._remove(kept)

    def _end(self, upid: str) -> None:
        try:
            self.proxmox.stop_task(upid)
            self.proxmox.wait(upid, limit=60)
        except AdapterError as fault:
            self.stage.event("info", f"A task that was going on was ended: {fault}")

    def _remove(self, kept: VolumeFacts) -> None:
        upid = self.proxmox.remove_volume(kept.volume)
        if upid:
            self.work.finish(upid)
        self.stage.event("info", f"Removed {kept.volume}.")

    def left(self) -> str:
        """What a person must do by hand where tidying up did not come to its end."""
        spec = self.machine.spec
        spare = rebuilding.spare_vmid(spec.vmid)
        return (
            f"Look on {self.machine.hypervisor} whether {spec.vmid} or {spare} ({spec.name}) or a backup is left: "
            f"qm stop {spec.vmid}; qm unlock {spec.vmid}; qm destroy {spec.vmid} --purge."
        )


# --- before it ---


def prepare(stage: Stage, site: Site, hypervisor: str, *, vmid: int | None, template: str) -> Rehearsal:
    """Look at every hypervisor of the site, and choose what is nobody's. Raises Impossible; changes nothing."""
    snapshot = reading.load(site.slug)
    try:
        proxmox = hypervisors.writer(snapshot, hypervisor, stage)
        proxmox.wire.hear = stage.transcript.call
        world = _world(stage, site, snapshot)
        there = world.surveys.get(hypervisor)
        if there is None:
            raise Impossible(f"There is no complete survey of {hypervisor}.")
        number = _vmid(snapshot, world, vmid)
        machine, chosen = _machine(snapshot, there, hypervisor, number, template)
        found = [*preflight.problems(snapshot, machine, world), *_leftovers(proxmox, number)]
        if there.guest_by_vmid.get(number):
            found.append(f"VMID {number} is taken on {hypervisor}; a rehearsal begins with nothing.")
    except (AdapterError, JobFailed, NoTemplate) as fault:
        raise Impossible(str(fault)) from None
    if found:
        raise Impossible(" ".join(dict.fromkeys(found)))
    return Rehearsal(stage, machine, chosen, proxmox, database_now())


def _world(stage: Stage, site: Site, snapshot: Snapshot) -> World:
    """As a job sees it, from surveys of this moment that are not kept."""
    known = surveys.world_of(snapshot, site)
    seen: dict[str, Survey | None] = dict.fromkeys(known.surveys)
    for name in wanted(snapshot, ""):
        if name not in known.lost:
            stage.step(f"Look at {name}")
            reader = hypervisors.reader(snapshot, name, stage)
            reader.wire.hear = stage.transcript.call
            seen[name] = survey(reader, hypervisor=name, taken=database_now().isoformat(timespec="seconds"))
    return World(seen, known.lost, without_api=known.without_api)


def _vmid(snapshot: Snapshot, world: World, wanted: int | None) -> int:
    taken = {vmid for seen in world.surveys.values() if seen for vmid in seen.vmids}
    taken |= {vmid for lost in world.lost.values() for vmid in lost}
    taken |= set(Host.objects.exclude(vmid=None).values_list("vmid", flat=True))
    site = snapshot.site
    own = range(site.vmid_first or 0, (site.vmid_last or -1) + 1)
    if wanted is None:
        free = (one for one in range(FIRST_VMID, LAST_VMID + 1) if one not in taken and one not in own)
        found = next(free, None)
        if found is None:
            raise Impossible(f"No VMID of {FIRST_VMID}-{LAST_VMID} is free; name one with --vmid.")
        return found
    if wanted in own:
        raise Impossible(
            f"VMID {wanted} lies in the site's range {own[0]}-{own[-1]}, where machines are declared; name another."
        )
    if wanted in taken:
        raise Impossible(f"VMID {wanted} is declared or taken by a guest; name another, or leave --vmid out.")
    return wanted


def _machine(
    snapshot: Snapshot, there: Survey, hypervisor: str, vmid: int, template: str
) -> tuple[Machine, GuestLine]:
    api = hypervisors.declared(snapshot, hypervisor)
    lacking = [what for what in ("storage", "bridge") if not getattr(api, what)]
    if lacking:
        raise Impossible(f"{hypervisor} declares no default {' and no '.join(lacking)}; add it on its page.")
    prefix = template or machine_defaults(snapshot, hypervisor, pxe=False)[0].template
    if not prefix:
        raise Impossible("No machine of the site names a template; say which with --template.")
    spec = MachineSpec(
        vmid=vmid,
        name=NAME,
        mac=_free_mac(snapshot),
        bridge=api.bridge,
        owner=Owner(snapshot.site.slug, snapshot.site.uid, NAME),
        agent=None,
        ipconfig=IpConfig("dhcp"),
    )
    machine = Machine(NAME, hypervisor, prefix, api.storage, api.pool, "net0", None, True, spec)
    chosen = preflight.template_of(machine, there)
    return _grown(machine, there, chosen), chosen


def _grown(machine: Machine, there: Survey, template: GuestLine) -> Machine:
    """With a disk that is a little larger than its template's, so that growing is rehearsed, too."""
    guest = there.guest_by_vmid[template.vmid]
    disk = os_disk(guest.config) if guest.config else None
    size = None if disk is None or disk.size is None else disk.size + GIB
    return replace(machine, spec=replace(machine.spec, disk=size))


def _free_mac(snapshot: Snapshot) -> str:
    """Locally administered, and declared for nothing; whether a guest has it is seen with the rest."""
    declared = {one.mac for host in snapshot.hosts for one in host.interfaces}
    while True:
        found = "02:72:68:" + ":".join(f"{octet:02x}" for octet in secrets.token_bytes(3))
        if found not in declared:
            return found


def _leftovers(proxmox: Proxmox, vmid: int) -> list[str]:
    """Backups of the VMID are somebody's, and would be removed with ours."""
    for number in (vmid, rebuilding.spare_vmid(vmid)):
        if not proxmox.is_free(number):
            return [f"VMID {number} is taken on the node; name another VMID."]
    kept = [one.volume for name in backup_storages(proxmox) for one in proxmox.backups(name, vmid)]
    return [f"There are backups of VMID {vmid}: {', '.join(kept)}; name another VMID."] if kept else []
