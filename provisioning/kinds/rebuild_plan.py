"""What a rebuild says it will do: the whole of it, and what is left after a worker died. Pure.

Each line of a rest is a line of the whole, so that what was confirmed once is gone on with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisioning.machines import rebuilding
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, VolumeFacts
from provisioning.machines.rebuilding import Rebuild
from provisioning.machines.sizes import GIB, disk_text
from provisioning.machines.spec import disk_of_serial
from provisioning.plans import CHANGE, REMOVE, RUN, Line, Plan


@dataclass(frozen=True)
class Wish:
    """What was asked for. *timeout*: seconds to shut down."""

    keep_data: bool
    backs_up: bool
    storage: str
    timeout: int
    force: bool


def whole(
    machine: Machine,
    found: Config,
    going: dict[str, str],
    wish: Wish,
    template: str,
    backup: str,
    spare: int,
) -> Plan:
    """Of a machine at which nothing was done yet. *going*: key → volume of the disks that are taken out."""
    force = "then the plug is pulled" if wish.force else "if it does not, nothing is done"
    kept = (
        Line(RUN, f"back it up to {backup}", "switched off, and protected: it can be put back from there")
        if backup
        else Line(REMOVE, f"what is on {machine.host} now", "backup=no: it cannot be put back")
    )
    return Plan(
        (
            *_both(machine, template, going.values()),
            Line(RUN, f"clone {template}", f"to {spare} on {machine.storage}, beside it"),
            Line(RUN, "shut it down", f"within {wish.timeout} s; {force}"),
            kept,
            *_rest(machine, wish),
        ),
        warnings=(*_undeclared(machine, found, going), *_absent(machine, found, wish)),
    )


def rest(machine: Machine, begun: Rebuild, wish: Wish, *, mine: bool) -> Plan:
    """Of a machine whose rebuild was begun; not *mine*: by another job."""
    said = f"Job {begun.job.partition('-')[0]} left it half rebuilt; this goes on with that."
    return Plan(
        (*_both(machine, begun.template, begun.old), *_rest(machine, wish)),
        warnings=() if mine else (said,),
    )


def last(machine: Machine) -> Plan:
    """Of a machine that this job has rebuilt already: whether it answers."""
    return Plan((_answers(machine),))


def _both(machine: Machine, template: str, volumes: Iterable[str]) -> tuple[Line, ...]:
    spec = machine.spec
    stays = ", ".join(filter(None, (spec.mac, machine.address)))
    return (
        Line(
            CHANGE,
            f"machine {machine.host}",
            f"{spec.vmid} on {machine.hypervisor}: made anew from {template}; VMID, name, {stays} stay",
        ),
        *(Line(REMOVE, f"disk {volume}") for volume in sorted(volumes)),
    )


def _rest(machine: Machine, wish: Wish) -> tuple[Line, ...]:
    return (
        Line(RUN, "take the old disk out, put the new one in", "the old one stays until the new one answers"),
        *_data(machine, wish),
        Line(RUN, "set it as declared", "card, cores, memory, disks, cloud-init"),
        _answers(machine),
        Line(RUN, "remove the old disk", "and what is left of the clone"),
    )


def _answers(machine: Machine) -> Line:
    return Line(RUN, "read back, start, wait for it", machine.address or "any address")


def _data(machine: Machine, wish: Wish) -> tuple[Line, ...]:
    data = machine.spec.data
    if data is None:
        return ()
    if wish.keep_data:  # one line, whether it is there or not: after it was made, the rest says the same
        absent = f"where there is none, an empty one of {disk_text(data.size)} is made"
        return (Line(RUN, f"leave the data disk {data.serial} where it is", absent),)
    return (Line(RUN, f"make an empty data disk {data.serial}", disk_text(data.size)),)


def _absent(machine: Machine, found: Config, wish: Wish) -> tuple[str, ...]:
    data = machine.spec.data
    if data is None or not wish.keep_data or disk_of_serial(found, data.serial) is not None:
        return ()
    return (f"There is no data disk {data.serial} to keep; an empty one is made.",)


def _undeclared(machine: Machine, found: Config, going: dict[str, str]) -> tuple[str, ...]:
    data = machine.spec.data
    held = disk_of_serial(found, data.serial) if data else None
    known = {held.key} if held else set()
    return tuple(
        f"{key} ({volume}) is not declared; it stays in the machine as it is."
        for key, volume in sorted(rebuilding.staying(found, going).items())
        if key not in known
    )


def piled(machine: Machine, older: Iterable[VolumeFacts], storage: str) -> tuple[str, ...]:
    """What earlier rebuilds left on *storage*, of the backups that are there: nothing prunes it."""
    left = [one for one in older if rebuilding.is_left(one.notes, machine.spec.owner)]
    if not left:
        return ()
    size = gib(sum(one.size or 0 for one in left))
    return (
        f"{len(left)} backups of earlier rebuilds ({size}) lie on {storage}; delete_backups_vm removes old ones.",
    )


def gib(size: int) -> str:
    return f"{-(-size // GIB)} GiB"
