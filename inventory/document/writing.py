"""Writes what a comparison gathered, through the door, in an order that every constraint can bear."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from inventory.changes import SiteChange
from inventory.document import identities, ports
from inventory.document.work import Work
from inventory.models import (
    Alias,
    Authority,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
    WorkloadProfile,
)

Models = tuple[type[Any], ...]

STOOD_ON: Models = (Project, JobTemplate, Role, Group, WorkloadProfile)
#: Segments name hosts (jump host, relay), and hosts no segments: only their interfaces do.
STANDING: Models = (
    Segment, Interface, HostNeed, Hypervisor, VirtualMachine, Service, Nesting, Membership, Alias, SeverityOverride,
    EmergencyUse, Schedule, KitPlace, Authority,
)  # fmt: skip
#: What nothing stands on goes first, so that what comes finds its place free.
GO_FIRST: Models = (
    Alias,
    SeverityOverride,
    Schedule,
    KitPlace,
    Membership,
    Nesting,
    HostNeed,
    Hypervisor,
    VirtualMachine,
    Interface,
)
#: What something stood on goes once that stands elsewhere.
GO_LAST: Models = (Service, Group, WorkloadProfile, Segment, Role, JobTemplate, Project)


def write(work: Work, the_change: SiteChange) -> None:
    for model in GO_FIRST:
        the_change.delete(work.removed[model])
    _free_codes(work, the_change)
    _site(work, the_change)
    for model in STOOD_ON:
        _update(work, the_change, model)
        _create(work, the_change, model)
    _hosts(work, the_change)
    _update(work, the_change, Host)
    _free_primaries(work, the_change)
    ports.free(work, the_change)
    for model in STANDING:
        _update(work, the_change, model)
        _create(work, the_change, model)
    for model in GO_LAST:
        the_change.delete(work.removed[model])
    if work.identities_new or work.identities_moved:
        the_change.record_for(work.site.pk if work.site else None)
        identities.write(work, the_change)


def _site(work: Work, the_change: SiteChange) -> None:
    for row, _ in work.changed.get(Site, []):
        row.save()
    if work.serials is not None and work.site is not None:
        the_change.record_for(work.site.pk)
        work.site.zone_serials = cast(Any, work.serials)
        the_change.update([work.site], ["zone_serials"])


def _hosts(work: Work, the_change: SiteChange) -> None:
    """Carriers before guests; machines that carry each other in a circle get theirs afterwards."""
    waiting = list(work.created.get(Host, []))
    while waiting:
        ready = [row for row in waiting if row.hypervisor is None or row.hypervisor.pk]
        in_circle = {row: row.hypervisor for row in waiting} if not ready else {}
        for row in in_circle:
            row.hypervisor = None
        ready = ready or waiting
        for row in ready:
            _refresh_keys(row)
        the_change.create(ready)
        for row, carrier in in_circle.items():
            row.hypervisor = carrier
        the_change.update(list(in_circle), ["hypervisor"])
        waiting = [row for row in waiting if row.pk is None]


def _free_codes(work: Work, the_change: SiteChange) -> None:
    """A role may take the code that another gives up."""
    wanted = {row.code for row in work.created.get(Role, [])}
    wanted |= {row.code for row, moved in work.changed.get(Role, []) if "code" in moved}
    stored = dict(Role.objects.filter(site=work.site).values_list("pk", "code")) if work.is_stored else {}
    rows = [*work.removed[Role], *(row for row, moved in work.changed.get(Role, []) if "code" in moved)]
    giving = [row for row in rows if stored.get(row.pk) in wanted - {""}]
    codes = [row.code for row in giving]
    for row in giving:
        row.code = ""
    the_change.update(giving, ["code"])
    for row, code in zip(giving, codes, strict=True):
        row.code = code


def _free_primaries(work: Work, the_change: SiteChange) -> None:
    """A host has one primary interface at every moment, so it loses the old one first."""
    losing = [row for row, moved in work.changed.get(Interface, []) if "primary" in moved and not row.primary]
    for row in losing:
        _refresh_keys(row)
    the_change.update(losing, ["primary"])


def _create(work: Work, the_change: SiteChange, model: type[Any]) -> None:
    rows = work.created.get(model, [])
    for row in rows:
        _refresh_keys(row)
    the_change.create(rows)


def _update(work: Work, the_change: SiteChange, model: type[Any]) -> None:
    by_fields: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for row, moved in work.changed.get(model, []):
        _refresh_keys(row)
        by_fields[tuple(moved)].append(row)
    for fields, rows in by_fields.items():
        the_change.update(rows, fields)


def _refresh_keys(row: Any) -> None:
    """Take over the ids of rows that were stored since this one was made."""
    for column in row._meta.concrete_fields:
        if column.is_relation and column.is_cached(row):
            setattr(row, column.name, getattr(row, column.name))
