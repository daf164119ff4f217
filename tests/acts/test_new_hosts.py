"""A new host is what its plan said, in one change; who loses a race gets the next values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inventory import reading
from inventory.acts import new_hosts
from inventory.acts.making import make_host
from inventory.acts.new_hosts import Asked
from inventory.acts.writing import Order
from inventory.allocation import Refused, Wanted, allocate
from inventory.changes import change
from inventory.models import Change, Host, Identity, VirtualMachine
from inventory.snapshot import MachineFacts
from tests.acts.lab import facts_of, now

pytestmark = pytest.mark.django_db
WHY = Order("ada", "a second resolver", "test")
VM = Asked("vm", role="dns", hypervisor="hv01", segment="management", groups=("pis",), profiles=("mirror",))


def planned(site, asked):
    return new_hosts.plan(reading.load(site.slug), asked, datetime.now(UTC))


def test_everything_but_the_few_answers_is_derived(lab):
    values = {one.what: one.value for one in planned(lab, VM).values}
    assert values == {
        "Name": "dns-vm02",
        "FQDN": "dns-vm02.lab.example.net",
        "Hypervisor": "hv01",
        "VMID": "201",
        "Machine": "2 cores, 2048 MiB, 32 GiB, no template yet",
        "MAC": "02:de:20:01:00:02",
        "Segment": "management",
        "Address": "192.0.2.5",
        "DHCP reservation": "yes",
        "Address record": "yes",
    }


def test_what_was_planned_is_what_is_there_in_one_change(lab):
    before = lab.revision
    plan = planned(lab, VM)
    made = make_host(lab, VM, WHY)
    assert made.plan.fingerprint == plan.fingerprint
    assert now(lab) == facts_of(plan.draft)
    latest = Change.objects.latest("id")
    assert (latest.revision, latest.why, latest.by_name) == (before + 1, "a second resolver", "ada")


def test_a_new_machine_is_made_from_what_most_others_are_made_from(lab):
    with change(lab, by="test"):
        vm = Host.objects.get(name="dns-vm01")
        VirtualMachine(host=vm, memory=8192, template="debian-13-", ciuser="ops", storage="fast").save()
    plan = planned(lab, VM)
    assert plan.host.machine == MachineFacts(template="debian-13-", ciuser="ops")
    (said,) = [one for one in plan.values if one.what == "Machine"]
    assert said.why == "as most others on hv01"
    make_host(lab, VM, WHY)
    assert now(lab) == facts_of(plan.draft)


def test_a_machine_that_boots_from_the_network_has_what_uefi_needs(lab):
    asked = replace(VM, pxe=True, pxe_server="192.0.2.3")
    machine = planned(lab, asked).host.machine
    assert machine and (machine.boot, machine.rng) == ("pxe", True)


def test_bare_metal_waits_for_its_mac_and_boots_as_others_do(lab):
    with change(lab, by="test"):
        eth0 = Host.objects.get(name="pi02").interfaces.get()
        eth0.pxe_server, eth0.pxe_file = "192.0.2.3", "grubx64.efi"
        eth0.save()
    made = make_host(lab, Asked("ph", role="dhcp", segment="management", pxe=True), WHY)
    eth0 = Host.objects.get(pk=made.pk).interfaces.get()
    assert (eth0.host.name, eth0.mac, eth0.mac_kind) == ("dhcp-ph01", None, "observed")
    assert (eth0.pxe_server, eth0.pxe_file, eth0.reservation) == ("192.0.2.3", "grubx64.efi", True)
    assert "While the MAC is unknown no DHCP server can serve the reservation." in made.plan.warnings


def test_a_segment_that_takes_no_static_mappings_leaves_the_address_to_dhcp(lab):
    made = make_host(lab, Asked("vm", role="dns", hypervisor="hv01", segment="guest"), WHY)
    eth0 = Host.objects.get(pk=made.pk).interfaces.get()
    assert (eth0.addressing, eth0.ipv4, eth0.reservation, eth0.a_record) == ("dhcp", None, False, False)


def test_every_problem_is_told_at_once_with_its_field(lab):
    plan = planned(lab, Asked("vm", segment="management", vmid=200, address="192.0.2.2"))
    assert {one.field: one.text for one in plan.faults} == {
        "name": "A name by the pattern [role-]formNN needs a role of form vm; say which.",
        "vmid": "200 belongs to dns-vm01; choose another, or change it there first.",
        "mac": "The MAC encoding of site lab names the host's role; choose a role with an RR code.",
        "address": "192.0.2.2 belongs to dns-vm01; choose another, or change it there first.",
    }
    with pytest.raises(Refused, match="needs a role of form vm"):
        make_host(lab, Asked("vm", segment="management"), WHY)


def test_a_host_can_be_made_without_what_cannot_be_handed_out(lab):
    with change(lab, by="test"):
        lab.vmid_first = lab.vmid_last = None
        lab.save()
    assert planned(lab, VM).may_be_left_out
    made = make_host(lab, Asked("vm", role="dns", segment="management", without=True), WHY)
    assert Host.objects.get(pk=made.pk).vmid is None
    assert any(said.startswith("Site lab has no VMID range") for said in made.plan.warnings)


def test_what_is_in_quarantine_is_given_to_nobody(lab):
    with change(lab, by="test"):
        vm = Host.objects.get(name="dns-vm01")
        vm.status = "retired"
        vm.save()
    host = planned(lab, VM).host
    assert (host.name, host.vmid) == ("dns-vm02", 201)
    assert (host.interfaces[0].mac, host.interfaces[0].ipv4) == ("02:de:20:01:00:02", "192.0.2.5")
    assert Identity.objects.filter(state="quarantined").count() == 4


def test_who_loses_a_race_gets_the_next_values(lab):
    shown = planned(lab, VM)
    make_host(lab, VM, WHY)
    second = make_host(lab, VM, WHY).plan
    assert shown.handed_out == ("dns-vm02", "201", "02:de:20:01:00:02", "192.0.2.5")
    assert second.handed_out == ("dns-vm03", "202", "02:de:20:01:00:03", "192.0.2.6")


def test_the_plan_hands_out_what_allocation_would(lab):
    plan = planned(lab, VM)
    handout = allocate(
        lab,
        Wanted(
            role="dns", form="vm", hypervisor="hv01", vmid=True, mac=True, address=True, segment="management"
        ),
        by="test",
    )
    assert plan.handed_out == (handout.host, str(handout.vmid), handout.mac, handout.ipv4)
