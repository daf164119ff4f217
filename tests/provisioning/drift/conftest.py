"""A site with two hypervisors and a machine, and surveys of them made by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Hypervisor, Interface, Segment, Site, VirtualMachine
from provisioning import drift
from provisioning.machines.declared import machine_of
from provisioning.machines.facts import Config, GuestLine, NodeFacts, StorageFacts, Version
from provisioning.machines.spec import settings
from provisioning.models import DriftFinding
from provisioning.observed import surveys
from provisioning.surveying.survey import Guest, Survey

HOST, VMID, MAC = "netctrl-vm01", 200, "02:de:20:00:00:c8"
TEMPLATE = Guest(GuestLine(9000, "qemu", "pve", "debian-13-1.0", "stopped", is_template=True), (), Config({}))
PIHOLE = Guest(GuestLine(101, "lxc", "pve", "pihole", "running"), ("bc:24:11:0a:0b:0c",), Config({}))
FIRST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def declare(slug: str = "lab") -> Site:
    site = Site(slug=slug, root_domain="example.net", block="192.0.2.0/24")
    with change(site, by="fixture", why="a small site"):
        segment = Segment(
            site=site, name="management", vlan=99, network4="192.0.2.0/24", gateway4="192.0.2.1"
        )
        segment.save()
        for name in ("hv01", "hv02"):
            carrier = Host(site=site, name=name, form="hv")
            carrier.save()
            Hypervisor(
                host=carrier,
                api_url=f"https://{name}.example.net:8006",
                node="pve",
                token_id="a@pve!b",
                secret="env:PVE_TOKEN",
                storage="local-lvm",
                bridge="vmbr0",
            ).save()
        declare_machine(site, HOST, VMID, MAC, "192.0.2.20")
    return site


def declare_machine(site: Site, name: str, vmid: int, mac: str, address: str) -> Host:
    """Inside a change."""
    host = Host(
        site=site, name=name, form="vm", vmid=vmid, hypervisor=Host.objects.get(site=site, name="hv01")
    )
    host.save()
    Interface(
        host=host,
        name="eth0",
        mac=mac,
        mac_kind="assigned",
        segment=Segment.objects.get(site=site),
        addressing="static",
        ipv4=address,
        a_record=True,
        reservation=True,
        primary=True,
    ).save()
    VirtualMachine(host=host, cores=2, memory=2048, os_disk=20, template="debian-13").save()
    return host


@dataclass
class World:
    """What the surveys say next; each is a minute later than the one before."""

    site: Site
    at: datetime = FIRST

    def machine(self, name: str = HOST, status: str = "running", **changes: str) -> Guest:
        """The declared machine as it should be, but for *changes* of its configuration."""
        spec = machine_of(reading.load(self.site.slug), name).spec
        config = {**settings(spec, Config({})), "scsi0": "local-lvm:vm-disk-0,size=20G", **changes}
        found = Config(config)
        macs = tuple(nic.mac for nic in found.nics.values())
        return Guest(GuestLine(spec.vmid, "qemu", "pve", config["name"], status), macs, found)

    def seen(self, hypervisor: str = "hv01", *guests: Guest) -> None:
        self.at += timedelta(minutes=1)
        storage = StorageFacts("local-lvm", "lvmthin", frozenset({"images"}), True, True, False, 10, 5)
        surveys.keep(
            self.site,
            Survey(
                hypervisor,
                self.at.isoformat(),
                Version("9.1"),
                "pve",
                (NodeFacts("pve", True),),
                (storage,),
                (TEMPLATE, *guests),
            ),
        )

    def survey(self, *guests: Guest) -> None:
        """hv01 carries *guests*, hv02 nothing; the rows are judged."""
        self.seen("hv01", *guests)
        self.seen("hv02")
        drift.judge(self.site)

    def failed(self, hypervisor: str = "hv01") -> None:
        surveys.keep_failure(self.site, hypervisor, "no answer")
        drift.judge(self.site)


@pytest.fixture
def lab(db) -> World:
    return World(declare())


def rows(**conditions: Any) -> list[tuple[str, str, str]]:
    """(kind, field, state) of every row."""
    found = DriftFinding.objects.judged().filter(**conditions).order_by("pk")
    return [(row.kind, row.field, row.state) for row in found]


def only() -> DriftFinding:
    return DriftFinding.objects.judged().get()


def only_of(kind: str) -> DriftFinding:
    return DriftFinding.objects.judged().get(kind=kind)
