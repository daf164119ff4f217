"""What the kinds that act on one virtual machine have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django import forms

from inventory import reading
from inventory.models import Host, Site
from inventory.snapshot import Snapshot
from provisioning import states
from provisioning.engine.faults import JobFailed
from provisioning.engine.turns import Turn
from provisioning.kinds.base import LONG, Asked, Kind, WayOut
from provisioning.machines import declared as declarations
from provisioning.machines import preflight
from provisioning.machines.declared import Machine, NotDeclared, machine_of
from provisioning.machines.preflight import World
from provisioning.models import Job
from provisioning.observed import hypervisors, sightings, surveys
from provisioning.observed.sightings import Sighting
from provisioning.steps import watching
from provisioning.steps.making import Maker

#: in the outcome of a job while it has switched off a machine that ran, and not yet on again
RAN = "ran"
#: replaced in tests, which do not wait
PATIENCE = watching.Patience()


class OfHost(forms.Form):
    host = forms.CharField(max_length=255, help_text="Name of the virtual machine, as declared.")


class MachineKind(Kind):
    """Acts on the machine of the host ``host``; one job at a time is at it."""

    queue: ClassVar[str] = LONG
    permission: ClassVar[str] = "provisioning.run_job"
    Parameters: ClassVar[type[forms.Form]] = OfHost

    def machine_key(self, asked: Asked) -> str:
        return f"{asked.site}/{asked['host']}"

    def strangers(self, asked: Asked) -> Mapping[str, list[str]]:
        site, name = site_of(asked), asked["host"]
        if Host.objects.filter(site=site, name=name).exists():
            return {}
        return {"host": [f"Site {site.slug} has no host {name}."]}

    def way_out(self, job: Job) -> WayOut | None:
        if not job.outcome.get(RAN) or not job.is_finished or job.state == states.SUCCEEDED:
            return None
        return WayOut("Start it", "power", {"host": job.parameters["host"], "action": "start"})

    def after(self, turn: Turn) -> None:
        if turn.sighting is not None:
            sightings.keep(site_of(turn.asked), turn.sighting, job=turn.job.pk)


def left_off(turn: Turn) -> bool:
    """Whether the job before this one at the machine switched it off, and ended before it was on again."""
    before = Job.objects.filter(machine_key=turn.job.machine_key, pk__lt=turn.job.pk).order_by("-pk")
    found = before.values_list("state", "outcome").first()
    return found is not None and found[0] != states.SUCCEEDED and bool(found[1].get(RAN))


def site_of(asked: Asked) -> Site:
    assert asked.site is not None, "the kind belongs to a site"  # noqa: S101
    return asked.site


def snapshot_of(asked: Asked) -> Snapshot:
    return reading.load(site_of(asked).slug)


def declared(asked: Asked) -> tuple[Snapshot, Machine]:
    """Raises NotDeclared."""
    snapshot = snapshot_of(asked)
    return snapshot, machine_of(snapshot, asked["host"])


def ready(turn: Turn) -> tuple[Snapshot, Machine]:
    """As ``declared``; raises JobFailed with everything that is missing."""
    try:
        return declared(turn.asked)
    except NotDeclared as fault:
        raise JobFailed(str(fault)) from None


def standing(asked: Asked) -> tuple[Snapshot, Machine]:
    """As ``declared``, for what stops or removes it: enough is whose it is and where. Raises NotDeclared."""
    snapshot = snapshot_of(asked)
    return snapshot, declarations.standing(snapshot, asked["host"])


def ready_to_stop(turn: Turn) -> tuple[Snapshot, Machine]:
    """As ``standing``; raises JobFailed with everything that is missing."""
    try:
        return standing(turn.asked)
    except NotDeclared as fault:
        raise JobFailed(str(fault)) from None


def maker(turn: Turn, snapshot: Snapshot, machine: Machine) -> Maker:
    proxmox = hypervisors.writer(snapshot, machine.hypervisor, turn)
    turn.sighting = Sighting(machine.hypervisor, machine.spec.vmid)
    proxmox.told = turn.sighting.take
    return Maker(turn, proxmox, machine, PATIENCE)


def looked_at(turn: Turn, snapshot: Snapshot, *vmids: int) -> World:
    """The site's hypervisors as they are now: every one of them that is not declared lost, or JobFailed.

    *vmids*: none of them is had by a guest that is not seen, or it raises as well.
    """
    from provisioning.kinds.survey import look, told, wanted

    known = surveys.world_of(snapshot, site_of(turn.asked))
    names = tuple(name for name in wanted(snapshot, "") if name not in known.lost)
    _, faults = look(turn, snapshot, names, vmids)
    if faults:
        raise JobFailed(
            " ".join(told(faults)),
            "No VMID counts as free before every hypervisor was seen; declare lost what will not come back.",
            retryable=all(fault.retryable for fault in faults.values()),
        )
    return surveys.world_of(snapshot, site_of(turn.asked))


def check(snapshot: Snapshot, machine: Machine, world: World) -> None:
    check_all(preflight.problems(snapshot, machine, world))


def check_all(found: tuple[str, ...]) -> None:
    """Raise JobFailed where anything forbids it."""
    if found:
        raise JobFailed(" ".join(found), "Mend it on the node or in the declaration, then run this again.")
