"""Adopt a machine that somebody else made: from then on it is ours, under the MAC that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from inventory.allocation.adopting import record_observed
from inventory.allocation.choosing import Refused
from inventory.models import Interface
from inventory.snapshot import Snapshot
from provisioning.adapters.base import Changed, NotFound, Unanswered
from provisioning.adapters.proxmox import Proxmox
from provisioning.engine.askers import asker_of
from provisioning.engine.faults import JobFailed
from provisioning.kinds import foreseen
from provisioning.kinds.base import Asked
from provisioning.kinds.foreseen import Seen
from provisioning.kinds.machine import MachineKind, looked_at, site_of, snapshot_of
from provisioning.machines import adopting
from provisioning.machines.adopting import WRITTEN, Adoption
from provisioning.machines.declared import standing
from provisioning.machines.facts import Config
from provisioning.machines.owning import renaming
from provisioning.observed import hypervisors
from provisioning.plans import CHANGE, RUN, Line, Plan
from provisioning.steps.watching import TRIES

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

PERMISSION = "inventory.change_interface"


class Adopt(MachineKind):
    """Outcome: ``vmid``, ``mac``, ``was`` (the MAC that was declared)."""

    name = "adopt_vm"
    title = "Adopt {host} at {site}"
    verb = "Adopt"
    what = (
        "Takes a virtual machine that somebody else made as the declared one: records its MAC as observed, and marks the "
        "machine as ours. Nothing else of it is changed. Waits until somebody confirms what was found."
    )
    plans_on_request = False

    def plan(self, asked: Asked) -> Plan:
        """From the newest surveys; the job itself looks anew."""
        snapshot = snapshot_of(asked)
        if problems := adopting.missing(snapshot, asked["host"]):
            return Plan(problems=problems)
        return _foreseen(snapshot, foreseen.seen(asked, snapshot, standing(snapshot, asked["host"])))

    def plan_in(self, turn: Turn) -> Plan:
        snapshot = _declared(turn)
        world = looked_at(turn, snapshot)
        turn.step("Look whose it is")
        _, found = _found(turn, snapshot)
        wanted = _adoption(turn, snapshot, found)
        problems = adopting.refusals(snapshot, wanted, found, world, timezone.now())
        if problems:
            raise JobFailed(" ".join(problems), "Nothing was changed.")
        return _plan(snapshot, wanted, found)

    def run(self, turn: Turn, plan: Plan) -> None:
        """The declaration first: it can be refused, and nothing was done to the machine then."""
        if plan.lines:
            turn.need_confirmation(plan)
        snapshot = _declared(turn)
        proxmox, before = _found(turn, snapshot)
        wanted = _adoption(turn, snapshot, before)
        if wanted.records:
            turn.step("Record its MAC as observed")
            turn.check()
            _record(turn, wanted)
        turn.step("Mark it as ours")
        _mark(turn, proxmox, wanted)
        turn.step("Read back")
        _compare(wanted, before, proxmox.config(_vmid(wanted)))
        turn.outcome = {"vmid": wanted.host.vmid, "mac": wanted.mac, "was": wanted.card.mac or ""}
        turn.message = (
            f"{wanted.host.name} is {wanted.host.vmid} on {wanted.host.hypervisor}, with {wanted.mac}."
        )


def _foreseen(snapshot: Snapshot, seen: Seen) -> Plan:
    place = f"{seen.machine.spec.vmid} on {seen.machine.hypervisor}"
    alone = (Line(RUN, f"mark {seen.machine.host} as ours", place),)
    if seen.survey is None:
        return foreseen.plan(seen, alone)
    guest = seen.guest
    if guest is None or guest.kind != "qemu" or guest.config is None:
        return foreseen.plan(seen, alone, stops=(f"There is no virtual machine {place}.",))
    if said := guest.config.unreadable:
        return foreseen.plan(seen, alone, stops=(f"The configuration of {place} cannot be read: {said}",))
    try:
        wanted = adopting.adoption(snapshot, seen.machine.host, guest.config)
    except ValueError as fault:
        return foreseen.plan(seen, alone, stops=(str(fault),))
    stops = adopting.refusals(snapshot, wanted, guest.config, seen.world, timezone.now())
    plan = _plan(snapshot, wanted, guest.config)
    again = (Line(RUN, f"look whether {seen.machine.host} is ours", place),)
    return foreseen.plan(seen, plan.lines or again, stops=stops, warnings=plan.warnings)


def _declared(turn: Turn) -> Snapshot:
    snapshot = snapshot_of(turn.asked)
    if problems := adopting.missing(snapshot, turn.asked["host"]):
        raise JobFailed(" ".join(problems))
    asker_of(turn.job, PERMISSION)  # this job is no way around that permission
    return snapshot


def _found(turn: Turn, snapshot: Snapshot) -> tuple[Proxmox, Config]:
    host = snapshot.host_by_name[turn.asked["host"]]
    proxmox = hypervisors.writer(snapshot, host.hypervisor, turn)
    assert host.vmid is not None, "looked for before"  # noqa: S101
    try:
        found = proxmox.config(host.vmid, pending=True)
    except NotFound:
        raise JobFailed(
            f"There is no virtual machine {host.vmid} on {host.hypervisor}.",
            "Declare the VMID that it has; a container is not adopted.",
        ) from None
    if found.lock:
        raise JobFailed(
            f"{host.vmid} is locked ({found.lock}): something is at it.", "Wait for its end.", retryable=True
        )
    return proxmox, found


def _adoption(turn: Turn, snapshot: Snapshot, found: Config) -> Adoption:
    try:
        return adopting.adoption(snapshot, turn.asked["host"], found)
    except ValueError as fault:
        raise JobFailed(str(fault)) from None


def _plan(snapshot: Snapshot, wanted: Adoption, found: Config) -> Plan:
    place = f"{wanted.host.vmid} on {wanted.host.hypervisor}, called {found.get('name') or 'nothing'}"
    lines, was = [], wanted.card.mac
    if wanted.records:
        old = f"{was} ({wanted.card.mac_kind})" if was else "unknown"
        lines.append(
            Line(CHANGE, f"MAC of {wanted.host.name}/{wanted.card.name}", f"{old} → {wanted.mac} (observed)")
        )
        if was:
            lines.append(Line(CHANGE, f"MAC {was}", "given up, into quarantine"))
    if changes := adopting.marking(wanted, found):
        if said := renaming(found, wanted.owner):
            lines.append(Line(CHANGE, f"marker of {wanted.host.name}", said))
        lines.append(Line(RUN, f"mark {wanted.host.name} as ours: {', '.join(sorted(changes))}", place))
    warnings = [
        f"Stays as it is: {one.removesuffix('.')}." for one in adopting.differing(snapshot, wanted, found)
    ]
    if not lines:
        warnings.append(f"{wanted.host.name} is ours already.")
    return Plan(tuple(lines), warnings=tuple(warnings))


def _record(turn: Turn, wanted: Adoption) -> None:
    row = Interface.objects.select_related("host__site").get(
        host__site=site_of(turn.asked), host__name=wanted.host.name, name=wanted.card.name
    )
    why = turn.asked.why or f"Adopted by job {turn.job.pk}."
    try:
        record_observed(
            row,
            wanted.mac,
            by=asker_of(turn.job, PERMISSION),
            why=why,
            source="job",
            expected=wanted.card.mac,
        )
    except ValidationError as fault:
        raise JobFailed(" ".join(fault.messages), "Nothing was changed.") from None
    except Refused as fault:
        raise JobFailed(str(fault), "Nothing was changed; look at it again.") from None


def _mark(turn: Turn, proxmox: Proxmox, wanted: Adoption) -> None:
    """With the digest that was read; whatever somebody changed meanwhile is read anew, and judged anew."""
    for attempt in range(1, TRIES + 1):
        now = proxmox.config(_vmid(wanted), pending=True)
        card = now.running.nics.get(adopting.NIC)
        if card is None or card.mac != wanted.mac:
            raise JobFailed(
                f"The card of {wanted.host.name} is not {wanted.mac} any more: somebody changed it.",
                "It was not marked; run this again.",
            )
        changes = adopting.marking(wanted, now)
        if not changes:
            return
        try:
            proxmox.configure(_vmid(wanted), changes, digest=now.digest)
        except Changed:
            turn.event("warning", "Somebody changed it at this moment; reading anew.")
            if attempt == TRIES:
                raise
        except Unanswered as lost:
            turn.event("warning", f"{lost} Reading back what is there.")


def _compare(wanted: Adoption, before: Config, after: Config) -> None:
    if left := adopting.marking(wanted, after):
        raise JobFailed(
            f"{', '.join(sorted(left))} were not set though nothing was refused.", "Run this again."
        )
    moved = [
        key for key in sorted({*before.values, *after.values} - WRITTEN) if before.get(key) != after.get(key)
    ]
    if moved:
        raise JobFailed(
            f"{', '.join(moved)} of {wanted.host.name} are others than before.",
            "Somebody changed them meanwhile.",
        )


def _vmid(wanted: Adoption) -> int:
    assert wanted.host.vmid is not None, "looked for before"  # noqa: S101
    return wanted.host.vmid
