"""Who goes before whom when a site is shut down and powered up, where needs contradict each other."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from inventory.recovery.order import stages
from inventory.recovery.power import power_up, shutdown
from inventory.recovery.scripts import scripts as both_scripts
from inventory.snapshot import GroupFacts, HostFacts, InterfaceFacts, SegmentFacts, Snapshot
from tests.exports.jump_site import host_key
from tests.recovery.test_power import ON, RUNNING, SHELLS, host, moves, order, run, scripts, with_hosts

__all__ = ["scripts"]  # the fixture

KEY = host_key(1)


def without_address(name: str, form: str, **more) -> HostFacts:
    card = InterfaceFacts(name, "eth0", "00:00:5e:00:53:77", segment="management", addressing="dhcp")
    return HostFacts(name, form=form, interfaces=(card,), **more)


def rebuilt(site: Snapshot) -> dict[str, int]:
    """Host → the number of its stage in the order of rebuilding."""
    return {step.host: stage.number for stage in stages(site) for step in stage.steps}


@pytest.mark.parametrize("serves", ["dns_servers", "next_server"])
@pytest.mark.parametrize("form", ["ph", "pi"])
def test_who_serves_its_own_jump_host_is_off_before_it_and_up_after_it(serves, form):
    address = ("192.0.2.53",) if serves == "dns_servers" else "192.0.2.53"
    site = with_hosts(host("jump01", form, 10), host("ns01", "ph", 53), **{serves: address})
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert down["ns01"][0] < down["jump01"][0] and up["jump01"][0] < up["ns01"][0]
    assert down["ns01"][1].how == "ssh" and down["ns01"][1].gate == "jump01.ip"
    assert down["vm101"][0] < down["ns01"][0]  # who needs it and leads nowhere goes before it


def test_a_gateway_counts_before_who_serves_names():
    """The way to pi01 crosses fw-vm01, whose DNS server it is: it goes while the way is there."""
    iot = SegmentFacts("iot", network4="198.51.100.0/24", gateway4="192.0.2.50")
    pi = HostFacts("pi01", form="pi", interfaces=(
        InterfaceFacts("pi01", "eth0", "00:00:5e:00:53:60", segment="iot", addressing="static", ipv4="198.51.100.9"),
    ))  # fmt: skip
    site = with_hosts(
        host("fw-vm01", "vm", 50, hypervisor="hv02", vmid=110), pi, dns_servers=("198.51.100.9",)
    )
    site = replace(site, segments=(*site.segments, iot))
    down = moves(shutdown(site))
    assert down["pi01"][0] < down["fw-vm01"][0]


# --- who is logged in to ---


def test_embedded_hosts_are_switched_off_by_hand_and_not_waited_for():
    camera = host("cam01", "em", 70, power_kind="pdu", power_address="pdu01", power_outlet="7")
    off, on = moves(shutdown(with_hosts(camera)))["cam01"][1], moves(power_up(with_hosts(camera)))["cam01"][1]
    assert (off.how, off.by) == ("hand", "by PDU at pdu01, outlet 7")
    assert off.why == "no way to log in to it is declared"
    assert (on.how, on.is_blind) == ("hand", True)
    assert on.why.endswith("not waited for: no way to log in to it is declared")


@pytest.mark.parametrize("kind", ["hand", "pdu"])
def test_a_machine_that_is_switched_by_hand_is_shut_down_cleanly_first(kind):
    site = with_hosts(host("box01", "ph", 71, power_kind=kind))
    assert moves(shutdown(site))["box01"][1].how == "ssh"
    assert not moves(power_up(site))["box01"][1].is_blind


@pytest.mark.parametrize(
    "declared",
    [
        {"access": {"user": "ops"}},
        {"host_keys": KEY},
        {"variables": {"mgmtplane_ssh": {"user": "ops"}}},
        {"variables": {"ansible_user": "ops"}},
    ],
)
def test_an_embedded_host_that_somebody_logs_in_to_keeps_ssh(declared):
    site = with_hosts(host("plc01", "em", 72, **declared))
    assert moves(shutdown(site))["plc01"][1].how == "ssh"
    assert not moves(power_up(site))["plc01"][1].is_blind


def test_what_the_whole_site_says_makes_no_sshd_on_a_camera_and_its_group_does():
    site = with_hosts(host("cam01", "em", 70))
    everybody = replace(site, site=replace(site.site, variables={"ansible_user": "ops"}))
    assert moves(shutdown(everybody))["cam01"][1].how == "hand"
    group = GroupFacts("plc", hosts=("cam01",), variables={"ansible_user": "plc"})
    assert moves(shutdown(replace(everybody, groups=(group,))))["cam01"][1].how == "ssh"


# --- who serves, of the same form or further from the wire ---


def test_servers_of_the_same_form_are_waited_for_by_the_kit_and_by_the_scripts():
    site = with_hosts(host("ns-vm01", "vm", 53, hypervisor="hv02", vmid=103), dns_servers=("192.0.2.53",))
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert rebuilt(site)["ns-vm01"] < rebuilt(site)["vm101"]
    assert up["ns-vm01"][0] < up["vm101"][0] and down["vm101"][0] < down["ns-vm01"][0]
    site = with_hosts(host("boot01", "ph", 60), host("nas01", "ph", 61), next_server="192.0.2.60")
    assert rebuilt(site)["boot01"] < rebuilt(site)["nas01"]


def test_a_gateway_further_from_the_wire_is_waited_for_in_the_order_of_rebuilding():
    site = with_hosts(
        host("nas01", "ph", 61), host("gw-vm01", "vm", 50, hypervisor="hv02", vmid=104), gateway4="192.0.2.50"
    )
    found = rebuilt(site)
    assert found["hv02"] < found["gw-vm01"] < found["nas01"]


def test_servers_of_one_kind_do_not_wait_for_each_other_and_the_network_waits_for_no_machine():
    site = with_hosts(
        host("ns01", "ph", 53),
        host("ns02", "ph", 54),
        replace(host("sw01", "sw", 2)),
        dns_servers=("192.0.2.54", "192.0.2.53"),
    )
    found = rebuilt(site)
    assert found["ns01"] == found["ns02"] and found["sw01"] < found["ns01"] < found["hv02"]


def test_who_boots_the_hypervisor_is_rebuilt_before_it_though_its_dns_server_runs_there():
    site = with_hosts(
        host("ns-vm01", "vm", 53, hypervisor="hv02", vmid=103), host("boot01", "ph", 60),
        dns_servers=("192.0.2.53",), next_server="192.0.2.60",
    )  # fmt: skip
    found = rebuilt(site)
    assert found["boot01"] < found["hv02"] < found["ns-vm01"]


# --- a router that is a virtual machine ---

ROUTER = host("rt01", "rt", 1, switch="", hypervisor="hv02", vmid=100)
ROUTED = with_hosts(replace(ROUTER, interfaces=(replace(ROUTER.interfaces[0], switch=None),)))


def test_a_virtual_router_comes_after_its_hypervisor_and_goes_before_it():
    down, up, found = moves(shutdown(ROUTED)), moves(power_up(ROUTED)), rebuilt(ROUTED)
    assert not any(stage.circle for stage in stages(ROUTED))
    assert found["sw01"] < found["hv02"] < found["rt01"] < found["vm101"]
    assert up["hv02"][0] < up["rt01"][0] < up["vm101"][0] and up["rt01"][1].how == "hypervisor"
    assert down["vm101"][0] < down["rt01"][0] < down["hv02"][0] and down["rt01"][1].how == "ssh"


def test_in_a_circle_who_carries_comes_first_and_goes_last():
    """hv02 is plugged into a router that is a machine on it."""
    site = with_hosts(
        replace(ROUTER, interfaces=(replace(ROUTER.interfaces[0], switch=None),)),
        host("hv02", "hv", 22, switch="rt01"),
    )
    (circle,) = [stage for stage in stages(site) if stage.circle]
    assert [step.host for step in circle.steps] == ["hv02", "rt01"]
    assert moves(power_up(site))["hv02"][0] < moves(power_up(site))["rt01"][0]
    assert moves(shutdown(site))["rt01"][0] < moves(shutdown(site))["hv02"][0]


# --- hosts without an address, and power ---


def test_who_has_no_address_is_switched_off_as_its_power_is_declared():
    power = {"power_kind": "pdu", "power_address": "pdu01", "power_outlet": "9"}
    move = moves(shutdown(with_hosts(without_address("lamp01", "ph", **power))))["lamp01"][1]
    assert (move.how, move.by) == ("hand", "by PDU at pdu01, outlet 9")
    assert move.why == "it has no address that ssh could reach"


def test_a_machine_without_an_address_is_shut_down_by_its_hypervisor():
    found = moves(shutdown(with_hosts(without_address("vm109", "vm", hypervisor="hv02", vmid=109))))
    move = found["vm109"][1]
    assert (move.how, move.vmid, move.through) == ("hypervisor", 109, "hv02.ip")
    assert (move.way, move.address, move.gate) == ("", "192.0.2.22", "jump01.ip")
    assert found["vm109"][0] < found["hv02"][0] < found["jump01"][0]


@pytest.mark.parametrize("where", ["192.0.2.80", "pdu01", "pdu01.lab.example.net"])
def test_who_is_switched_by_a_pdu_of_the_site_waits_for_it_and_goes_before_it(where):
    """The PDU is plugged into a switch that it gives power itself: it is switched off last of all."""
    power = {"power_kind": "pdu", "power_address": where}
    site = with_hosts(
        host("pdu01", "em", 80), host("sw01", "sw", 2, **power), host("jump01", "ph", 10, **power)
    )
    up = moves(power_up(site))
    assert up["pdu01"][0] < up["sw01"][0] < up["jump01"][0]
    assert "after pdu01 (switches its power)" in up["jump01"][1].why
    assert order(shutdown(site))[-1] == ["hand rt01", "hand sw01", "hand pdu01"]


def test_a_pdu_that_only_machines_hang_on_goes_when_they_are_off():
    site = with_hosts(
        host("pdu01", "em", 80), host("box01", "ph", 71, power_kind="pdu", power_address="pdu01"),
        host("sw01", "sw", 2),
    )  # fmt: skip
    down = moves(shutdown(site))
    assert down["box01"][0] < down["pdu01"][0] < down["sw01"][0]


def test_the_bmc_that_a_host_has_itself_is_nobody_to_wait_for():
    site = with_hosts(host("hv02", "hv", 22, power_kind="ipmi", power_address="192.0.2.22"))
    assert "switches its power" not in moves(power_up(site))["hv02"][1].why


# --- what people declared ---


def test_a_declared_need_is_up_before_the_host_and_down_after_it():
    site = with_hosts(host("hv02", "hv", 22, needs=("nas01",)), host("nas01", "ph", 61))
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert up["nas01"][0] < up["hv02"][0] < up["vm101"][0]
    assert down["vm101"][0] < down["hv02"][0] < down["nas01"][0]
    assert "after nas01 (needs it)" in up["hv02"][1].why
    assert down["nas01"][1].why == "after hv02"
    for lines in both_scripts(site).values():
        assert re.search(r"hv02: .*after nas01 \(needs it\)|nas01: after hv02", lines.decode())


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_take_a_needed_host_down_last_and_have_it_up_first(scripts, shell):
    site = with_hosts(host("hv02", "hv", 22, wakes=True, needs=("nas01",)), host("nas01", "ph", 61))
    for name, content in both_scripts(site).items():
        (scripts / name).write_bytes(content)
    code, told, said = run(scripts, shell, "shutdown.sh", "--yes", up=[*RUNNING, "nas01"])
    ways = ("vm101", "vm102", "hv02", "nas01", "jump01")
    assert (code, told) == (0, [f"down {way}.ip" for way in ways]), said
    code, told, said = run(scripts, shell, "power-up.sh", "--yes", up=["jump01", "nas01"])
    assert (code, told) == (0, ON), said
    assert said.index("nas01: is up") < said.index("hv02: wake")


def test_a_jump_host_that_needs_who_is_reached_through_it_stays_until_that_is_off():
    site = with_hosts(host("jump01", "ph", 10, needs=("nas01",)), host("nas01", "ph", 61))
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert down["nas01"][0] < down["jump01"][0] and up["jump01"][0] < up["nas01"][0]


def test_what_a_router_needs_goes_before_it_all_the_same_and_nothing_else_is_said():
    site = with_hosts(host("rt02", "rt", 3, needs=("nas01",)), host("nas01", "ph", 61))
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert up["nas01"][0] < up["rt02"][0] and "after nas01 (needs it)" in up["rt02"][1].why
    assert down["nas01"][0] < down["rt02"][0] and "rt02" not in down["nas01"][1].why


def test_a_virtual_router_waits_for_the_storage_that_it_needs():
    router = host("fw-vm01", "vm", 50, hypervisor="hv02", vmid=110, needs=("nas01",))
    site = with_hosts(router, host("nas01", "ph", 61), gateway4="192.0.2.50")
    down, up = moves(shutdown(site)), moves(power_up(site))
    assert up["nas01"][0] < up["fw-vm01"][0] and down["fw-vm01"][0] < down["nas01"][0]
