"""New hosts, written: what the plan says, in one change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from inventory.acts import cloning, new_hosts
from inventory.acts.cloning import Like
from inventory.acts.doing import write_services
from inventory.acts.new_hosts import Asked, NewHost
from inventory.acts.writing import Order, carry_out
from inventory.allocation import seeing
from inventory.changes import SiteChange
from inventory.models import Group, Host, HostNeed, Interface, Membership, Role, Segment, Site, VirtualMachine
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


@dataclass(frozen=True)
class Made:
    """The host that is there now."""

    pk: int
    plan: NewHost


def make_host(site: Site, asked: Asked, order: Order) -> Made:
    """Make the host that *asked* says. Who was faster has the value that was shown; this host gets the next one."""

    def planned(snapshot: Snapshot) -> NewHost:
        return new_hosts.plan(snapshot, asked, timezone.now(), seeing.seen(site.slug))

    def written(the_change: SiteChange, plan: NewHost) -> Made:
        return Made(write_host(site, plan.host, plan.groups, plan.profiles).pk, plan)

    return carry_out(site, order, planned, written, why_needed=False)


def clone_host(site: Site, like: Like, order: Order) -> Made:
    """Make the next host like one that is there."""

    def planned(snapshot: Snapshot) -> NewHost:
        return cloning.plan(snapshot, like, timezone.now(), seeing.seen(site.slug))

    def written(the_change: SiteChange, plan: NewHost) -> Made:
        host = write_host(site, plan.host, plan.groups, plan.profiles)
        if plan.services:
            write_services(site, plan.services, host.name)
        return Made(host.pk, plan)

    return carry_out(site, order, planned, written, why_needed=False)


def write_host(site: Site, facts: HostFacts, groups: Sequence[str], profiles: Sequence[str]) -> Host:
    """The rows of a new host. The caller holds the door."""
    host = Host(
        site=site,
        role=Role.objects.get(site=site, slug=facts.role) if facts.role else None,
        hypervisor=Host.objects.get(site=site, name=facts.hypervisor) if facts.hypervisor else None,
        **{name: getattr(facts, name) for name in ("name", "form", "status", "plane", "platform", "vmid")},
        **{name: dict(getattr(facts, name)) for name in ("variables", "access")},
    )
    host.save()
    if facts.machine:
        VirtualMachine(host=host, **asdict(facts.machine)).save()
    for position, name in enumerate(facts.needs):
        HostNeed(host=host, needed=Host.objects.get(site=site, name=name), position=position).save()
    for position, interface in enumerate(facts.interfaces):
        _interface(host, position, interface).save()
    for kind, names in ((Group.Kind.GROUP, groups), (Group.Kind.PROFILE, profiles)):
        for group in Group.objects.filter(site=site, kind=kind, name__in=names):
            Membership(group=group, host=host).save()
    return host


_SAME = (
    "name", "mac", "mac_kind", "addressing", "ipv4", "a_record", "reservation", "management", "wake_on_lan", "primary",
    "pxe_server", "pxe_file",
)  # fmt: skip


def _interface(host: Host, position: int, facts: InterfaceFacts) -> Interface:
    segment: Any = Segment.objects.get(site=host.site, name=facts.segment) if facts.segment else None
    more: dict[str, Any] = {"ipv6": list(facts.ipv6), "variables": dict(facts.variables)}
    return Interface(
        host=host,
        position=position,
        segment=segment,
        **more,
        **{name: getattr(facts, name) for name in _SAME},
    )
