"""Every card of a machine is a declared one: in its own segment, under its own MAC, and no other beside it."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Interface, Segment
from provisioning.machines.cards import vlans_upon
from provisioning.machines.declared import NotDeclared, machine_of
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, do, made

pytestmark = pytest.mark.django_db

HOST, SECOND = "netctrl-vm01", "02:de:20:00:00:c9"
STRANGE = "virtio=BC:24:11:00:00:07,bridge=vmbr0,tag=50"


def second(lab, name="eth1", **fields) -> None:
    """Another interface of the machine, in a segment of its own unless *fields* say another thing."""
    with change(lab, by="fixture", why="a second card"):
        segment, _ = Segment.objects.get_or_create(
            site=lab,
            name="storage",
            defaults={"vlan": 20, "network4": "198.51.100.0/24", "gateway4": "198.51.100.1"},
        )
        usual = {"mac": SECOND, "mac_kind": "assigned", "segment": segment}
        usual |= {"addressing": "static", "ipv4": "198.51.100.20"}
        Interface(host=Host.objects.get(site=lab, name=HOST), name=name, **{**usual, **fields}).save()


def as_tenants(lab, **trust) -> None:
    with change(lab, by="fixture", why="tenants"):
        for host in Host.objects.filter(site=lab):
            host.plane = "tenant"
            host.save()
        for segment in Segment.objects.filter(site=lab):
            segment.trust = trust.get(segment.name, "")
            segment.save()


def starts(pve, vmid=VMID):
    return pve.requests("POST", f"/qemu/{vmid}/status/start")


def with_card(pve, vmid: int, **changes) -> None:
    pve.change(guests={vmid: {"config": {**pve.guest(vmid)["config"], **changes}}})


def test_each_declared_interface_becomes_a_card_in_its_own_segment(lab, pve, guest_answers):
    second(lab)
    assert (job := do("create_vm", lab, host=HOST)).state == "succeeded", job.message
    config = pve.guest(VMID)["config"]
    assert config["net0"].startswith(f"virtio={MAC.upper()},bridge=vmbr0,") and "tag=99" in config["net0"]
    assert config["net1"] == f"virtio={SECOND.upper()},bridge=vmbr0,tag=20"
    assert (config["ipconfig0"], config["ipconfig1"]) == ("ip=dhcp", "ip=198.51.100.20/24")
    assert [line.detail for line in job.planned.lines if line.subject.startswith("set its card")] == [
        f"{MAC}, vmbr0, VLAN 99",
        f"{SECOND}, vmbr0, VLAN 20",
    ]


def test_the_templates_second_card_is_given_the_declared_identity(lab, pve, guest_answers):
    with_card(pve, 9003, net1=STRANGE + ",firewall=1")
    second(lab)
    assert (job := do("create_vm", lab, host=HOST)).state == "succeeded", job.message
    assert pve.guest(VMID)["config"]["net1"] == f"virtio={SECOND.upper()},bridge=vmbr0,firewall=1,tag=20"


def test_trunks_of_the_template_reach_no_machine_but_those_declared_upon_the_card(lab, pve, guest_answers):
    net0 = pve.guest(9003)["config"]["net0"]
    with_card(pve, 9003, net0=f"{net0},trunks=50")
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    assert "trunks" not in pve.guest(VMID)["config"]["net0"]
    second(lab, "eth0.20", mac=None, ipv4="198.51.100.21")
    name = Interface.objects.get(host__name=HOST, mac=MAC).name
    with change(lab, by="fixture", why="upon its first card"):
        row = Interface.objects.get(host__name=HOST, name="eth0.20")
        row.name = f"{name}.20"
        row.save()
    spec = machine_of(reading.load(lab.slug), HOST).spec
    assert spec.cards[0].upon == {20}
    as_tenants(lab, storage="management")
    host = reading.load(lab.slug).host_by_name[HOST]
    assert vlans_upon(reading.load(lab.slug), host, host.primary) == frozenset()


def test_an_interface_upon_the_primary_one_is_no_card(lab, pve, guest_answers):
    second(lab, "br0", mac=MAC)
    second(lab, "eth0.20", mac=None, ipv4="198.51.100.21")
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    assert "net1" not in pve.guest(VMID)["config"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mac": None, "mac_kind": "observed"}, f"{HOST}/eth1 has no MAC"),
        ({"segment": None, "addressing": "none", "ipv4": None}, f"{HOST}/eth1 is in no segment"),
    ],
)
def test_a_second_card_without_mac_or_segment_is_refused_by_name(lab, pve, fields, said):
    second(lab, **fields)
    with pytest.raises(Refused, match=said):
        do("create_vm", lab, host=HOST)
    assert pve.writes() == []


def test_a_card_of_the_template_that_nobody_declared_stops_it_before_the_clone(lab, pve):
    with_card(pve, 9003, net1=STRANGE)
    job = do("create_vm", lab, host=HOST)
    assert job.state == "failed" and "net1 of the template debian-13" in job.message
    assert "is not declared (vmbr0, VLAN 50)" in job.message and pve.writes() == []


def test_a_machine_with_a_card_that_nobody_declared_is_not_started(lab, pve):
    made(pve, lab, running=False)
    with_card(pve, VMID, net1=STRANGE)
    for kind, parameters in (("create_vm", {}), ("power", {"action": "start"})):
        job = do(kind, lab, host=HOST, **parameters)
        assert job.state == "failed", kind
        assert "net1 is not declared: bc:24:11:00:00:07, vmbr0, VLAN 50; remove it" in job.message
    assert starts(pve) == []


@pytest.mark.parametrize(
    ("there", "field"),
    [
        (STRANGE, "net1 MAC is bc:24:11:00:00:07"),
        (f"virtio={SECOND.upper()},bridge=vmbr0,tag=50", "net1 VLAN tag is 50 instead of 20"),
        (f"virtio={SECOND.upper()},bridge=vmbr9,tag=20", "net1 bridge is vmbr9"),
    ],
)
def test_a_second_card_that_is_another_keeps_the_machine_from_starting(lab, pve, there, field):
    second(lab)
    made(pve, lab, running=False)
    with_card(pve, VMID, net1=there)
    job = do("power", lab, host=HOST, action="start")
    assert job.state == "failed" and field in job.message and starts(pve) == []


def test_the_mac_of_a_second_card_is_looked_for_as_well(lab, pve):
    second(lab)
    pve.change(guests={300: {"config": {"name": "twin", "net0": f"virtio={SECOND.upper()},bridge=vmbr0"}}})
    job = do("create_vm", lab, host=HOST)
    assert job.state == "failed" and f"MAC {SECOND} is on twin (300)" in job.message
    assert pve.writes() == []


def test_a_card_that_the_api_drops_is_found_before_the_start(lab, pve):
    second(lab)
    pve.fault("drop", "PUT", f"/{VMID}/config", keys=["net1"], times=0)
    job = do("create_vm", lab, host=HOST)
    assert job.state == "failed" and "net1 MAC is not set" in job.message and starts(pve) == []


# --- planes ---


@pytest.mark.parametrize("trust", ["", "management", "Management"])
def test_a_tenants_machine_gets_no_card_in_the_management_plane(lab, pve, trust):
    as_tenants(lab, management=trust)
    with pytest.raises(Refused, match=f"{HOST}/eth0 lies in segment management of the management plane"):
        do("create_vm", lab, host=HOST)
    assert pve.writes() == []


def test_nor_a_second_one(lab, pve):
    second(lab)
    as_tenants(lab, management="tenant", storage="management")
    with pytest.raises(Refused, match=f"{HOST}/eth1 lies in segment storage of the management plane"):
        do("create_vm", lab, host=HOST)
    assert pve.writes() == []


def test_in_a_segment_of_its_own_a_tenants_machine_is_made(lab, pve, guest_answers):
    as_tenants(lab, management="tenant")
    assert do("create_vm", lab, host=HOST).state == "succeeded" and len(starts(pve)) == 1


def test_but_not_without_a_tag_where_the_site_has_vlans(lab, pve):
    second(lab)
    as_tenants(lab, management="tenant", storage="tenant")
    with change(lab, by="fixture", why="untagged"):
        segment = Segment.objects.get(site=lab, name="storage")
        segment.vlan = None
        segment.save()
    with pytest.raises(Refused, match=f"segment storage of {HOST}/eth1 has no VLAN"):
        do("create_vm", lab, host=HOST)
    assert pve.writes() == []


# --- the address that it must hold ---


def test_a_static_machine_with_ipv6_alone_must_hold_that_address(lab, pve):
    with change(lab, by="fixture", why="IPv6 alone"):
        segment = Segment.objects.get(site=lab)
        segment.network6, segment.gateway6 = "2001:db8:99::/64", "2001:db8:99::1"
        segment.save()
        card = Interface.objects.get(host__name=HOST)
        card.ipv4, card.ipv6, card.reservation = None, ["2001:db8:99::20"], False
        card.save()
    pve.change(leases={MAC: ADDRESS})
    job = do("create_vm", lab, host=HOST)
    assert job.state == "failed" and f"holds {ADDRESS} instead of 2001:db8:99::20" in job.message


def test_what_is_missing_of_every_card_is_said_at_once(lab):
    second(lab, mac=None, mac_kind="observed")
    as_tenants(lab)
    with pytest.raises(NotDeclared) as told:
        machine_of(reading.load("lab"), HOST)
    assert len(told.value.problems) == 2
