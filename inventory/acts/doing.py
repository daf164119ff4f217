"""Acts on what is there, written: each makes its plan again and writes it while it is still the one that was shown.

All of them ask for a reason. They raise ``plan.Changed``, ``choosing.Refused`` or ValidationError, and then wrote nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.utils import timezone

from inventory.acts import moving, nics, relocating, renaming
from inventory.acts.moving import ServiceMove
from inventory.acts.plan import Plan
from inventory.acts.writing import Order, carry_out, write_literals
from inventory.changes import SiteChange
from inventory.models import Host, Interface, Segment, Service, Site
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


def rename(host: Host, new: str, order: Order, chosen: Collection[str] = ()) -> Plan:
    """Call *host* *new*, and replace the literals whose keys are *chosen*."""

    def planned(snapshot: Snapshot) -> Plan:
        return renaming.plan(snapshot, host.name, new, timezone.now(), chosen)

    def written(_: SiteChange, plan: Plan) -> Plan:
        write_literals(host.site, [one for one in plan.literals if one.key in plan.chosen])
        row = Host.objects.get(pk=host.pk)
        row.name = new
        row.save()
        return plan

    return carry_out(host.site, order, planned, written)


def replace_nic(interface: Interface, mac: str, order: Order) -> Plan:
    """Another card, with *mac* (canonical; empty: not read yet), under the same name and address."""
    host = interface.host

    def planned(snapshot: Snapshot) -> Plan:
        return nics.plan(snapshot, host.name, interface.name, mac, timezone.now())

    def written(_: SiteChange, plan: Plan) -> Plan:
        before = _interfaces(plan.before.host_by_name[host.name])
        for name, facts in _interfaces(plan.draft.host_by_name[host.name]).items():
            if facts != before[name]:
                _write(host, facts, ("mac", "ipv6"))
        return plan

    return carry_out(host.site, order, planned, written)


def relocate(interface: Interface, segment: str, order: Order, address: str = "") -> Plan:
    """Move *interface* to *segment*, with another address there."""
    host = interface.host

    def planned(snapshot: Snapshot) -> Plan:
        return relocating.plan(snapshot, host.name, interface.name, segment, timezone.now(), address)

    def written(_: SiteChange, plan: Plan) -> Plan:
        facts = _interfaces(plan.draft.host_by_name[host.name])[interface.name]
        columns = ("segment", "ipv4", "ipv6", "addressing", "reservation", "a_record", "bootstrap_ipv4")
        _write(host, facts, columns)
        return plan

    return carry_out(host.site, order, planned, written)


def move_services(
    site: Site, services: Sequence[tuple[str, str]], to: str, order: Order, *, why_needed: bool = False
) -> ServiceMove:
    """Move *services* (host, label) to the host *to*, in one change."""

    def planned(snapshot: Snapshot) -> ServiceMove:
        return moving.plan(snapshot, services, to)

    def written(_: SiteChange, plan: ServiceMove) -> ServiceMove:
        write_services(site, services, to)
        return plan

    return carry_out(site, order, planned, written, why_needed=why_needed)


def write_services(site: Site, services: Collection[tuple[str, str]], to: str) -> None:
    """Put *services* (host, label) on the host *to*. The caller holds the door."""
    target = Host.objects.get(site=site, name=to)
    there = Service.objects.filter(site=site, host__name__in={host for host, _ in services})
    for row in there.select_related("host"):
        if (row.host.name, row.label) in services and row.host_id != target.pk:
            row.host = target
            row.save()


def _interfaces(host: HostFacts) -> dict[str, InterfaceFacts]:
    return {one.name: one for one in host.interfaces}


def _write(host: Host, facts: InterfaceFacts, columns: Sequence[str]) -> None:
    row = Interface.objects.select_related("host", "segment").get(host=host.pk, name=facts.name)
    for column in columns:
        value: Any = getattr(facts, column)
        if column == "segment":
            value = Segment.objects.get(site=host.site, name=value)
        setattr(row, column, list(value) if isinstance(value, tuple) else value)
    row.save()
