"""What a rebuild asks of the machine before anything of it is touched; no call outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventory.snapshot import Snapshot
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked
from provisioning.kinds.rebuild_parameters import NO, SHUTDOWN, YES
from provisioning.kinds.rebuild_plan import Wish, gib
from provisioning.machines import preflight, rebuilding, transfers
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, SnapshotFacts
from provisioning.machines.preflight import World
from provisioning.machines.rebuilding import Rebuild, Unclear
from provisioning.steps.watching import compare_grave


def without(machine: Machine) -> str:
    return f"{machine.host} has no template: it is installed over the network. Install it anew from there."


def wish_of(asked: Asked, snapshot: Snapshot, machine: Machine) -> Wish:
    facts = snapshot.host_by_name[machine.host].machine
    kept = facts.keep_data_disk if facts else True
    keep = asked["keep_data"]
    return Wish(
        keep_data=keep == YES if keep else kept,
        backs_up=asked["backup"] != NO,
        storage=asked["storage"],
        timeout=asked["timeout"] or SHUTDOWN,
        force=asked["force"],
    )


def check_startable(machine: Machine, found: Config) -> None:
    """Where its backup fails it is started again as it was: nothing is stopped that may not be started."""
    if grave := compare_grave(machine, found):
        raise JobFailed(
            f"{machine.host} is not what is declared: {'; '.join(grave)}.",
            "Nothing was stopped. Repair it, or create it again; then rebuild it.",
        )


def check_wish(half: Rebuild, wish: Wish) -> None:
    if half.keeps_data != wish.keep_data:
        data = YES if half.keeps_data else NO
        raise JobFailed(
            f"A rebuild with keep_data={data} is half done (job {half.job.partition('-')[0]}).",
            f"Go on with keep_data={data}, or put the machine back first.",
        )


def exchanged(machine: Machine, found: Config, wish: Wish) -> dict[str, str]:
    try:
        going = rebuilding.exchanged(machine, found, keep_data=wish.keep_data)
    except Unclear as fault:
        raise JobFailed(f"{machine.host}: {fault}") from None
    if wish.backs_up and (missing := rebuilding.left_out(found, going)):
        raise JobFailed(
            f"{', '.join(missing)} of {machine.host} would go, and no backup holds it: it is set to backup=0.",
            "Have it backed up; or keep it (keep_data), or say backup=no.",
        )
    return going


@dataclass(frozen=True)
class Transfers:
    """What of a rebuild crosses the router."""

    snapshot: Snapshot
    machine: Machine
    world: World

    def said(self, backup: str) -> tuple[str, ...]:
        survey = self.world.of(self.machine)
        if survey is None:
            return ()
        clone, kept = (f"the {what} of {self.machine.host}" for what in ("new disk", "backup"))
        read = [
            said
            for storage in preflight.template_storages(self.machine, survey)
            for said in transfers.from_storage(self.snapshot, survey, storage, clone)
        ]
        written = transfers.to_storage(self.snapshot, survey, self.machine.storage, clone)
        return (*read, *written, *transfers.to_storage(self.snapshot, survey, backup, kept))


def check_protection(machine: Machine, found: Config) -> None:
    if found.get("protection") == "1":
        raise JobFailed(
            f"{machine.host} is protected on its hypervisor: somebody wants it kept as it is, or it was cloned from a "
            "protected template.",
            "Take the protection off there first.",
        )


def check_snapshots(machine: Machine, taken: Sequence[SnapshotFacts]) -> None:
    if taken:
        raise JobFailed(
            f"{machine.host} has snapshots ({', '.join(one.name for one in taken)}), which hold its disks and are in "
            "no backup.",
            "Remove them first.",
        )


def new_bytes(machine: Machine, template: Config, wish: Wish) -> int:
    """What the new disks take while the old ones are there."""
    spec = machine.spec
    new = spec.data.size if spec.data and not wish.keep_data else 0
    return max(spec.disk or 0, bytes_of(template)) + new


def bytes_of(found: Config) -> int:
    return sum(disk.size or 0 for disk in found.disks.values() if not disk.is_cdrom)


def check_room(machine: Machine, storage: str, size: int, free: int) -> None:
    if free < size:
        raise JobFailed(
            f"{machine.host} needs {gib(size)} on {storage} while old and new lie side by side; {gib(free)} are free.",
            "Make room there, or name another storage.",
        )
