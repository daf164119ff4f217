"""The newest survey of each hypervisor, kept and read again: the only place that writes or reads the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.db import transaction

from inventory.models import Site
from inventory.snapshot import HostFacts, Snapshot
from provisioning.engine.moments import DatabaseTime
from provisioning.machines.facts import SnapshotFacts
from provisioning.machines.preflight import World
from provisioning.models import Survey as Row
from provisioning.surveying.survey import Guest, Survey, as_json, from_json


class NotLost(ValueError):
    """A hypervisor cannot be declared lost; the message says why."""


def keep(site: Site, survey: Survey) -> None:
    """*survey* is the newest of its hypervisor: an earlier failure and a loss are over."""
    _row(site, survey.hypervisor)
    Row.objects.filter(site=site, hypervisor=survey.hypervisor).update(
        taken=survey.taken,
        document=as_json(survey),
        vmids=sorted(survey.vmids),
        failed=None,
        failure="",
        lost=None,
        lost_by="",
        lost_why="",
    )


def keep_failure(site: Site, hypervisor: str, failure: str) -> None:
    """The newest attempt saw nothing that counts; what was seen before stays, and is known to be old."""
    _row(site, hypervisor)
    rows = Row.objects.filter(site=site, hypervisor=hypervisor)
    rows.update(failure=failure)
    rows.filter(failed=None).update(failed=DatabaseTime())


def keep_guest(site: Site, hypervisor: str, vmid: int, seen: Callable[[Guest | None], Guest | None]) -> bool:
    """What a job saw of one machine, in the newest survey: what *seen* makes of what that says of it; None: it is gone.

    False, and nothing, where the hypervisor was never surveyed.
    """
    with transaction.atomic():
        row = Row.objects.select_for_update().filter(site=site, hypervisor=hypervisor).first()
        if row is None or not row.document:
            return False
        survey = from_json(row.document)
        guest = seen(survey.guest_by_vmid.get(vmid))
        others = [one for one in survey.guests if one.vmid != vmid]
        guests = tuple(sorted((*others, *filter(None, [guest])), key=lambda one: one.vmid))
        newer = replace(survey, guests=guests)
        Row.objects.filter(pk=row.pk).update(document=as_json(newer), vmids=sorted(newer.vmids))
        return True


def keep_snapshots(site: Site, hypervisor: str, vmid: int, found: tuple[SnapshotFacts, ...]) -> None:
    """What a job just saw of one machine, in the newest survey; nothing where it is in none."""
    with transaction.atomic():
        row = Row.objects.select_for_update().filter(site=site, hypervisor=hypervisor).first()
        if row is None or not row.document:
            return
        survey = from_json(row.document)
        guests = tuple(replace(one, snapshots=found) if one.vmid == vmid else one for one in survey.guests)
        Row.objects.filter(pk=row.pk).update(document=as_json(replace(survey, guests=guests)))


def snapshots_of(site: Site, hypervisor: str, vmid: int) -> tuple[SnapshotFacts, ...] | None:
    """The snapshots of a machine as they were seen last; None where its hypervisor never was. One query."""
    row = Row.objects.filter(site=site, hypervisor=hypervisor).first()
    if row is None or not row.document:
        return None
    guest = from_json(row.document).guest_by_vmid.get(vmid)
    return guest.snapshots if guest else ()


def world_of(snapshot: Snapshot, site: Site) -> World:
    """What is known of every declared hypervisor; one whose newest attempt failed is not known. One query."""
    rows = {row.hypervisor: row for row in Row.objects.filter(site=site)}
    surveys: dict[str, Survey | None] = {}
    lost: dict[str, frozenset[int]] = {}
    last_seen: dict[str, Survey] = {}
    for name in hypervisors_of(snapshot):
        row = rows.get(name)
        if row is None and _is_to_come(snapshot.host_by_name[name]):
            continue
        if row is not None and row.lost:
            lost[name] = frozenset(row.vmids)
            if row.document:
                last_seen[name] = from_json(row.document)
        else:
            surveys[name] = _seen(row)
    mute = frozenset(name for name in surveys if not _has_api(snapshot.host_by_name[name]))
    return World(surveys, lost, last_seen, mute)


def _seen(row: Row | None) -> Survey | None:
    """The survey, unless the newest attempt failed: what stood there then may have changed."""
    return from_json(row.document) if row and row.document and not row.failed else None


def _is_to_come(host: HostFacts) -> bool:
    """Declared, and not yet installed: nobody can look at it, and no machine is on it."""
    return host.status == "provisioning" and not _has_api(host)


def _has_api(host: HostFacts) -> bool:
    api = host.proxmox
    return bool(api and (api.token_id or api.read_token_id))


def hypervisors_of(snapshot: Snapshot) -> tuple[str, ...]:
    """The names of the site's hypervisors, also of those whose API is not declared: their VMIDs count too."""
    return tuple(host.name for host in snapshot.live_hosts if host.form == "hv")


def lost_problem(snapshot: Snapshot, site: Site, hypervisor: str, typed: str) -> str:
    """Why *hypervisor* cannot be declared lost, in words; empty: it can."""
    known = hypervisors_of(snapshot)
    if hypervisor not in known:
        return f"Site {site.slug} has no hypervisor {hypervisor}; there are: {', '.join(known) or 'none'}."
    if typed != hypervisor:
        return f"Type the name of the hypervisor, {hypervisor}, to declare it lost."
    return ""


def declare_lost(snapshot: Snapshot, site: Site, hypervisor: str, *, typed: str, by: str, why: str) -> None:
    """It will not come back: its last known VMIDs stay taken, and nobody waits for a survey of it. Raises NotLost.

    ``keep`` takes it back: who was surveyed is not lost.
    """
    if problem := lost_problem(snapshot, site, hypervisor, typed):
        raise NotLost(problem)
    if not why.strip():
        raise NotLost("Say why: whoever finds it switched on again will ask.")
    _row(site, hypervisor)
    Row.objects.filter(site=site, hypervisor=hypervisor).update(
        lost=DatabaseTime(), lost_by=by[:150], lost_why=why.strip()
    )


def state_of(site: Site, hypervisor: str) -> Row:
    """What is known of one hypervisor, without what was seen of its guests; an unsaved row where nothing is."""
    found: Row | None = Row.objects.defer("document").filter(site=site, hypervisor=hypervisor).first()
    return found or Row(site=site, hypervisor=hypervisor)


def lost_at(site: Site) -> frozenset[str]:
    """The names of the hypervisors that are declared lost."""
    return frozenset(Row.objects.filter(site=site, lost__isnull=False).values_list("hypervisor", flat=True))


def _row(site: Site, hypervisor: str) -> Row:
    row, _ = Row.objects.get_or_create(site=site, hypervisor=hypervisor)
    return row
