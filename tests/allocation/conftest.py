"""A small lab that hands out identities in the encoding `role`; and how a test asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory.allocation import Handout, Wanted, allocate
from inventory.changes import change
from inventory.models import Host, Interface, Role, Segment, Site


@pytest.fixture
def site(db: Any) -> Site:
    return make_site()


def make_site(slug: str = "lab", **fields: Any) -> Site:
    """192.0.2.2-9 static in management; guest takes nobody; VMIDs 200-205; roles dns 01 and dhcp 02."""
    row = Site(
        slug=slug,
        root_domain="example.net",
        **{
            "organisation": "de",
            "environment": "20",
            "vmid_first": 200,
            "vmid_last": 205,
            "naming": {"standard": "role-form"},
            **fields,
        },
    )
    with change(row, by="fixture"):
        Segment(
            site=row,
            name="management",
            vlan=99,
            network4="192.0.2.0/24",
            network6="2001:db8:99::/64",
            gateway4="192.0.2.1",
            static_first="192.0.2.2",
            static_last="192.0.2.9",
            pool_first="192.0.2.100",
            pool_last="192.0.2.200",
            policy="both",
        ).save()
        Segment(site=row, name="guest", vlan=40, network4="203.0.113.0/24", policy="dynamic").save()
        Segment(site=row, name="storage", vlan=20, network4="198.51.100.0/24", policy="static").save()
        Role(site=row, slug="dns", code="01").save()
        Role(site=row, slug="dhcp", code="02").save()
    return row


@pytest.fixture
def machine(site: Site) -> Callable[..., Host]:
    """Declare a host by name; its interfaces as mappings of columns."""

    def declare(
        name: str, *interfaces: dict[str, Any], role: str = "dns", form: str = "vm", **fields: Any
    ) -> Host:
        row = Host(site=site, name=name, form=form, role=Role.objects.get(site=site, slug=role), **fields)
        with change(site, by="fixture"):
            row.save()
            for position, columns in enumerate(interfaces):
                Interface(host=row, **{"name": f"eth{position}", "position": position, **columns}).save()
        return row

    return declare


def ask(site: Site, **wanted: Any) -> Handout:
    return allocate(site, Wanted(**wanted), by="test", why="for a test")


def retire(host: Host) -> None:
    with change(host.site, by="test", why="gone"):
        host.status = "retired"
        host.save()
