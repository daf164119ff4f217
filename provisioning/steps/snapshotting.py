"""Snapshots of a machine of ours: taken, gone back to, removed. Success proves nothing: each is looked for afterwards."""

from __future__ import annotations

from dataclasses import replace

from provisioning.adapters.base import NotFound, Unanswered
from provisioning.engine.faults import JobFailed
from provisioning.machines.comparing import compare
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, SnapshotFacts
from provisioning.machines.owning import marked, owner_of
from provisioning.steps import begun
from provisioning.steps.making import Maker
from provisioning.steps.watching import CLONE_LIMIT, compare_grave

#: what a snapshot says of itself, and what moves without anybody having done anything
NO_SETTINGS = frozenset(
    [
        "description",
        "digest",
        "parent",
        "running-nets-host-mtu",
        "runningcpu",
        "runningmachine",
        "snaptime",
        "vmstate",
    ]
)


def take(work: Maker, name: str, *, ram: bool, said: str) -> SnapshotFacts:
    """A snapshot *name* with our marker and *said*; one that this very job took before is gone on with."""
    _ready(work)
    machine, note = work.machine, marked(said, work.machine.spec.owner)
    work.turn.step(f"Take the snapshot {name}")
    if (there := _named(work, name)) is not None:
        if _same(there, note):
            work.turn.event("info", "It was taken by an earlier attempt of this job.")
            return there
        raise JobFailed(
            f"{machine.host} has a snapshot {name} already.", "Choose another name, or delete that one first."
        )
    if ram and work.proxmox.status(work.vmid).status != "running":
        work.turn.event("warning", "It is switched off: there is no memory to keep.")
        ram = False
    told = work.task(
        lambda: work.proxmox.snapshot(work.vmid, name, description=note, ram=ram),
        "snapshot",
        limit=CLONE_LIMIT,
    )
    work.turn.step("Look for it")
    found = _named(work, name)
    if found is None or not _same(found, note) or found.has_ram != ram:
        raise JobFailed(
            f"There is no such snapshot {name} of {machine.host} though nothing was refused.",
            "Look at the tasks of its node, then run this again.",
            retryable=not told,
        )
    return found


def known(work: Maker, name: str) -> SnapshotFacts:
    """Raises JobFailed naming those that there are."""
    _ready(work)
    found = work.proxmox.snapshots(work.vmid)
    for one in found:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in found)
    raise JobFailed(
        f"{work.machine.host} has no snapshot {name}.",
        f"There is: {names}. Name one of them." if names else "It has none by now; survey it to see that.",
    )


def is_there(work: Maker, name: str) -> bool:
    _ready(work)
    return _named(work, name) is not None


def then(work: Maker, name: str) -> Config:
    """The configuration that a rollback to *name* brings; the description stays as it is, and the owner with it."""
    try:
        found = work.proxmox.config(work.vmid, snapshot=name)
    except NotFound:
        raise JobFailed(f"{work.machine.host} has no snapshot {name} any more.") from None
    now = work.existing()
    return replace(found, values={**found.values, "description": now.get("description")})


def roll_back(work: Maker, name: str, *, runs: bool) -> None:
    """Put the machine back to *name*, and start it where it *runs* to begin with.

    It does not run with a card that is not declared, and then the job fails.
    """
    work.turn.step(f"Go back to {name}")
    before = begun.newest(work, "qmrollback")
    try:
        upid = work.proxmox.rollback(work.vmid, name)
    except Unanswered as lost:
        upid = begun.found(work, "qmrollback", before, lost, "Nothing was done; ask for it again.")
    work.finish(upid, CLONE_LIMIT)
    work.turn.step("Read back")
    found = work.existing()
    if found.get("parent") != name:
        raise JobFailed(f"The task ended well, and {work.machine.host} does not stand at {name}.")
    if grave := compare_grave(work.machine, found):
        _pull(work)
        work.keep_off()
        raise JobFailed(
            f"{work.machine.host} stands at {name}, and is not what is declared: {'; '.join(grave)}. It was not started.",
            "Creating it again gives it back what is declared.",
        )
    for one in compare(work.machine.spec, found):
        work.turn.event("warning", f"{one}; it was so then. Creating or resizing it brings what is declared.")
    if runs:
        work.start()
        work.answers()


def delete(work: Maker, name: str) -> None:
    """Remove our own snapshot *name*; that it is gone already is no fault."""
    _ready(work)
    work.turn.step(f"Delete the snapshot {name}")
    there = _named(work, name)
    if there is None:
        work.turn.event("warning", "It was gone already.")
        return
    check_ours(work, there)
    told = work.task(lambda: work.proxmox.delete_snapshot(work.vmid, name), "delete", limit=CLONE_LIMIT)
    if _named(work, name) is not None:
        raise JobFailed(
            f"The snapshot {name} is still there though nothing was refused.",
            "Run this again.",
            retryable=not told,
        )


def check_ours(work: Maker, there: SnapshotFacts) -> None:
    check_owner(work.machine, there)


def check_owner(machine: Machine, there: SnapshotFacts) -> None:
    if owner_of(there.description) != machine.spec.owner:
        raise JobFailed(
            f"The snapshot {there.name} carries no marker of {machine.host}: somebody else took it.",
            "Whoever took it deletes it, on the node.",
        )


def differences(now: Config, later: Config) -> list[tuple[str, str, str]]:
    """Key, what it is now, what it will be: everything of a configuration that a rollback changes."""
    keys = sorted({*now.values, *later.values} - NO_SETTINGS)
    pairs = [(key, now.get(key), later.get(key)) for key in keys if not key.startswith("unused")]
    return [(key, old, new) for key, old, new in pairs if old != new]


def _ready(work: Maker) -> None:
    work.settled()
    work.existing()


def _named(work: Maker, name: str) -> SnapshotFacts | None:
    return next((one for one in work.proxmox.snapshots(work.vmid) if one.name == name), None)


def _same(there: SnapshotFacts, note: str) -> bool:
    return there.description.split() == note.split()


def _pull(work: Maker) -> None:
    """Only a snapshot with memory can run by now, and such a one is refused before; the plug is pulled all the same."""
    if work.proxmox.status(work.vmid).status == "running":
        work.task(lambda: work.proxmox.stop(work.vmid), "stop")
