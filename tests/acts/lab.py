"""A lab with a hypervisor, three machines and everything that an act may have to look at."""

from __future__ import annotations

from dataclasses import replace

from inventory import reading
from inventory.changes import change
from inventory.models import Alias, Group, Host, Interface, Membership, Role, Service, Site
from inventory.snapshot import Snapshot


def make_lab(site: Site) -> Site:
    """hv01 carries dns-vm01 (assigned MAC); pi02 (observed MAC, IPv6 made of it) carries artifacts; pi03 is idle."""
    lan = site.segments.get(name="management")
    with change(site, by="fixture"):
        hv01 = Host(site=site, name="hv01", form="hv")
        hv01.save()
        vm = Host(
            site=site,
            name="dns-vm01",
            form="vm",
            role=Role.objects.get(slug="dns"),
            vmid=200,
            hypervisor=hv01,
        )
        vm.save()
        Interface(
            host=vm, name="eth0", mac="02:de:20:01:00:01", mac_kind="assigned", segment=lan, addressing="static",
            ipv4="192.0.2.2", a_record=True, reservation=True,
        ).save()  # fmt: skip
        for name, mac, address in (("pi02", "bc:24:11:00:00:02", 3), ("pi03", "bc:24:11:00:00:03", 4)):
            pi = Host(site=site, name=name, form="pi")
            pi.save()
            Interface(
                host=pi, name="eth0", mac=mac, segment=lan, addressing="static", ipv4=f"192.0.2.{address}",
                ipv6=["eui64"], a_record=True, reservation=True,
            ).save()  # fmt: skip
        group = Group(site=site, name="pis")
        group.save()
        Membership(group=group, host=Host.objects.get(name="pi02")).save()
        Group(site=site, name="mirror", kind="profile").save()
        service = Service(
            host=Host.objects.get(name="pi02"),
            name="artifacts",
            port=8080,
            health_check="/health",
            metrics_path="/m",
        )
        service.save()
        Alias(name="files", service=service).save()
    return site


def facts_of(snapshot: Snapshot) -> Snapshot:
    """What a draft speaks of: not the revision, nor what the ledger withholds."""
    return replace(snapshot, revision=0, identities=())


def now(site: Site) -> Snapshot:
    return facts_of(reading.load(site.slug))
