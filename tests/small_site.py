"""The host that tests of the admin and of the API look at."""

from __future__ import annotations

from inventory.changes import change
from inventory.models import Group, Host, Interface, Membership, Segment, Service, Site


def with_pi01(site: Site, segment: Segment) -> Host:
    """pi01 with one static interface, a service and a group."""
    host = Host(site=site, name="pi01", form="pi", notes="behind the red door")
    with change(site, by="fixture"):
        host.save()
        Interface(
            host=host,
            name="eth0",
            mac="bc:24:11:ce:51:ec",
            segment=segment,
            addressing="static",
            ipv4="192.0.2.10",
            a_record=True,
            reservation=True,
        ).save()
        Service(host=host, name="artifacts").save()
        group = Group(site=site, name="pis")
        group.save()
        Membership(group=group, host=host).save()
    return host
