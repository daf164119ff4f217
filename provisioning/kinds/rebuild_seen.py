"""What a rebuild would do as the newest surveys have it; the job looks again, and its plan is the one that is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from inventory.snapshot import Snapshot
from provisioning.engine.faults import JobFailed
from provisioning.kinds import foreseen
from provisioning.kinds import rebuild_plan as plans
from provisioning.kinds.foreseen import Seen
from provisioning.kinds.keeping import named_of, own_of, takes_backups
from provisioning.kinds.rebuild_checks import (
    Transfers,
    check_protection,
    check_room,
    check_snapshots,
    check_startable,
    check_wish,
    exchanged,
    new_bytes,
)
from provisioning.kinds.rebuild_plan import Wish
from provisioning.machines import preflight, rebuilding
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, GuestLine, StorageFacts
from provisioning.machines.templates import NoTemplate
from provisioning.plans import Plan
from provisioning.surveying.survey import Survey

#: of a machine that no survey saw
NOTHING = Config({})


def plan(snapshot: Snapshot, seen: Seen, wish: Wish) -> Plan:
    """Without what configures it afterwards."""
    found = seen.found
    half = rebuilding.begun(found.get("description")) if found is not None else None
    if half is not None:
        rest = plans.rest(seen.machine, half, wish, mine=False)
        stops = foreseen.refusals(lambda: check_wish(half, wish))
        return foreseen.plan(seen, rest.lines, stops=stops, warnings=rest.warnings)
    storage = _storage(seen, wish)
    whole = _whole(seen, wish, storage)
    # a warning alone: where it is half rebuilt by now, it is gone on with whatever is declared
    declared = preflight.of_declaration(snapshot, seen.machine)
    return foreseen.plan(
        seen,
        whole.lines,
        stops=_stops(seen, wish) if seen.survey is not None else (),
        warnings=(
            *(f"{one} The job does nothing while it is so." for one in declared),
            *preflight.lost(seen.machine, seen.world),
            *preflight.without_rng(seen.machine, seen.world, anew=True),
            *preflight.without_drive(seen.machine, seen.world),
            *(whole.warnings if found is not None else ()),
            *Transfers(snapshot, seen.machine, seen.world).said(storage),
        ),
    )


def _whole(seen: Seen, wish: Wish, storage: str) -> Plan:
    machine, found = seen.machine, seen.found or NOTHING
    try:
        going = exchanged(machine, found, wish)
    except JobFailed:  # what stops it says so
        going = {}
    template = _template(seen)
    backup = (storage or "a storage of the node itself") if wish.backs_up else ""
    return plans.whole(
        machine,
        found,
        going,
        wish,
        template.name if template else f"the newest template whose name begins with {machine.template}",
        backup,
        rebuilding.spare_vmid(machine.spec.vmid),
    )


def _template(seen: Seen) -> GuestLine | None:
    """The one that would be taken now."""
    try:
        return preflight.template_of(seen.machine, seen.survey) if seen.survey is not None else None
    except NoTemplate:
        return None


def _storage(seen: Seen, wish: Wish) -> str:
    """Where the backup goes, as far as it is known."""
    if not wish.backs_up or wish.storage or seen.survey is None:
        return wish.storage if wish.backs_up else ""
    own = [one.name for one in _taking(seen.survey) if not one.shared]
    return own[0] if own else ""


def _taking(survey: Survey) -> list[StorageFacts]:
    return [one for one in survey.storages if takes_backups(one)]


def _stops(seen: Seen, wish: Wish) -> tuple[str, ...]:
    """Everything that would stop it while the hypervisors are as they were seen; each once."""
    machine, found, survey = seen.machine, seen.found, seen.survey
    assert survey is not None, "asked before"  # noqa: S101
    checks = list(_of_hypervisor(machine, survey, wish))
    if found is not None:
        checks += [
            lambda: check_startable(machine, found),
            lambda: check_protection(machine, found),
            lambda: check_snapshots(machine, seen.snapshots),
            lambda: exchanged(machine, found, wish),
        ]
    said = (*seen.not_there, *preflight.as_seen(machine, seen.world), *foreseen.refusals(*checks))
    return tuple(dict.fromkeys((*said, *_without_template(machine, survey))))


def _of_hypervisor(machine: Machine, survey: Survey, wish: Wish) -> Iterator[Callable[[], object]]:
    """Whether the backup has a place, and the new disks have room beside the old ones."""
    taking = _taking(survey)
    if wish.backs_up and wish.storage:
        yield lambda: named_of([one.name for one in taking], wish.storage)
    elif wish.backs_up:
        yield lambda: own_of(taking)
    template, storage = (
        preflight.template_config(machine, survey),
        survey.storage_by_name.get(machine.storage),
    )
    has_spare = rebuilding.spare_vmid(machine.spec.vmid) in survey.guest_by_vmid
    if template is not None and storage is not None and not has_spare:
        yield lambda: check_room(machine, storage.name, new_bytes(machine, template, wish), storage.free or 0)


def _without_template(machine: Machine, survey: Survey) -> Iterator[str]:
    try:
        preflight.template_of(machine, survey)
    except NoTemplate as fault:
        yield str(fault)
