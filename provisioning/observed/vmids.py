"""Which VMIDs the hypervisors of a site have, for allocation: from complete surveys of all of them, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q

from inventory.allocation.choosing import Seen
from inventory.models import Host
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Survey


@dataclass(frozen=True, slots=True)
class Carrier:
    """A hypervisor as declared. *is_there*: machines may run on it already."""

    name: str
    has_api: bool
    is_there: bool


def seen(site: str) -> Seen | None:
    """None where no hypervisor of *site* has a declared API: only the declaration can be known. Two queries."""
    carriers = _carriers(site)
    if not any(one.has_api for one in carriers):
        return None
    old = ExpressionWrapper(
        Q(taken__lt=DatabaseTime(-60.0 * settings.SURVEY_MAX_AGE_MINUTES)), output_field=BooleanField()
    )
    found = Survey.objects.filter(site__slug=site).defer("document").annotate(is_old=old)
    rows: dict[str, Survey] = {row.hypervisor: row for row in found}
    known = [rows[one.name] for one in carriers if one.name in rows]
    vmids = frozenset(vmid for row in known for vmid in row.vmids)
    reasons = tuple(_reasons(carriers, rows))
    return Seen(vmids, True, f"{'; '.join(reasons)}. {_way_out(site)}" if reasons else "")


def _carriers(site: str) -> list[Carrier]:
    columns = ("name", "status", "proxmox__token_id", "proxmox__read_token_id")
    rows = Host.objects.active().filter(site__slug=site, form=Host.Form.HYPERVISOR).order_by("name")
    return [
        Carrier(
            name, bool(writing or reading), bool(writing or reading) or status != Host.Status.PROVISIONING
        )
        for name, status, writing, reading in rows.values_list(*columns)
    ]


def _reasons(carriers: list[Carrier], rows: dict[str, Survey]) -> Iterator[str]:
    for one in carriers:
        row = rows.get(one.name)
        if row is not None and row.lost:
            continue
        if not one.has_api:
            if one.is_there:
                yield f"the API of {one.name} is not declared"
        elif row is None or not (row.taken or row.failed):
            yield f"{one.name} was never surveyed"
        elif row.failed:
            yield f"no survey of {one.name} has succeeded since {row.failed:%Y-%m-%d %H:%M} UTC"
        elif getattr(row, "is_old", False):
            yield f"{one.name} was last surveyed on {row.taken:%Y-%m-%d %H:%M} UTC"


def _way_out(site: str) -> str:
    return (
        f"Survey now (Survey at {site} on the page of jobs, or manage.py job survey --site {site} --wait), "
        "or declare lost what will not come back."
    )
