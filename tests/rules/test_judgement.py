"""Where a rule has to judge: what it leaves out on purpose, and what it says once instead of often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.rules import judge
from inventory.snapshot import AuthorityFacts, GroupFacts, HypervisorFacts, RoleFacts, SegmentFacts
from tests.rules.cases.making import LAN, SITE, TODAY, card, host, of, on_site, with_card

GATEWAY = AuthorityFacts("gateway", "ada", "2030-01-02T03:04:05Z", "the first", "builder")


def told(snapshot, finding):
    return [(f.severity, f.subject, f.message) for f in judge(snapshot, TODAY) if f.id == finding]


def test_a_vmid_of_two_machines_is_disputed():
    two = of(host("a", vmid=200), host("b", card("b", "192.0.2.11"), vmid=200))
    ((severity, subject, _),) = told(two, "identity-disputed")
    assert (severity, subject) == ("error", "VMID 200")


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (host("h", card("h", reservation=False)), 1),
        (host("rt01", card("rt01", reservation=False), form="rt"), 0),
        (host("h", card("h", reservation=False), services=["dhcp"]), 0),
        (host("h", card("h", "192.0.2.1", reservation=False)), 0),
        (host("h", card("h", reservation=False), status="retired"), 0),
        (host("h", card("h", reservation=False, segment=None)), 0),
    ],
)
def test_an_address_on_the_machine_itself_is_meant_for_routers(owner, expected):
    assert len(told(of(owner), "record-without-reservation")) == expected


def test_records_without_reservation_are_told_once_a_segment():
    many = [host(f"h{n}", card(f"h{n}", f"192.0.2.{n}", reservation=False)) for n in range(10, 60)]
    ((severity, subject, message),) = told(of(*many), "record-without-reservation")
    assert (severity, subject) == ("info", "segment lan")
    assert message.startswith("has 50 interface(s) with an address record and no reservation: h10/eth0, ")
    assert message.endswith(" and 45 more.")


def test_a_leg_without_a_name_is_info_where_the_host_has_one():
    legs = of(host("h", card("h"), card("h", "192.0.2.11", "eth1", a_record=False)))
    assert [severity for severity, *_ in told(legs, "reservation-without-record")] == ["info"]
    assert [severity for severity, *_ in told(with_card(a_record=False), "reservation-without-record")] == [
        "warning"
    ]


def test_variables_are_a_hint_and_no_credentials():
    bare = host(form="hv")
    hinted = host(form="hv", variables={"proxmox_token_id": "a@pve!b", "proxmox_token_secret": "{{ v }}"})
    whole = host(form="hv", proxmox=HypervisorFacts(token_id="a@pve!b", secret="env:PVE"))
    half = host(form="hv", proxmox=HypervisorFacts(token_id="a@pve!b"))
    name = "hypervisor-without-credentials"
    assert [severity for severity, *_ in told(of(bare), name)] == ["warning"]
    ((severity, _, message),) = told(of(hinted), name)
    assert severity == "info"
    assert "proxmox_token_id and proxmox_token_secret may be meant" in message
    assert told(of(whole), name) == []
    assert "without token secret" in told(of(half), name)[0][2]


@pytest.mark.parametrize("locked", ["vault:pve", "unlock:pve"])
def test_a_locked_token_is_a_credential_and_one_for_reading_makes_surveys_wait(locked):
    writes = HypervisorFacts(token_id="a@pve!w", secret=locked, read_token_id="a@pve!r", read_secret="env:R")
    assert told(of(host(form="hv", proxmox=writes)), "hypervisor-without-credentials") == []
    assert told(of(host(form="hv", proxmox=writes)), "hypervisor-one-token") == []
    reads = HypervisorFacts(token_id="a@pve!w", secret="env:W", read_token_id="a@pve!r", read_secret=locked)
    ((severity, _, message),) = told(of(host(form="hv", proxmox=reads)), "hypervisor-one-token")
    assert severity == "info" and "surveys wait for that" in message


def test_half_a_token_for_reading_is_a_warning_and_the_same_one_twice_is_none():
    def said(**given):
        api = HypervisorFacts(**{"token_id": "a@pve!w", "secret": "env:W", **given})
        return told(of(host(form="hv", proxmox=api)), "hypervisor-one-token")

    ((severity, _, message),) = said(read_token_id="a@pve!r")
    assert severity == "warning" and "without its reference to its secret" in message
    ((severity, _, message),) = said(read_secret="env:R")
    assert severity == "warning" and "without its id" in message
    ((severity, _, message),) = said(read_token_id="a@pve!w", read_secret="env:W")
    assert severity == "info" and "a@pve!w, the token that may change and destroy" in message
    assert said(read_token_id="a@pve!r", read_secret="env:R") == []


def test_the_routers_own_services_are_no_shared_failure_domain():
    router = host("rt01", card("rt01", "192.0.2.1", reservation=False), form="rt", services=["dns", "dhcp"])
    assert told(of(router), "services-share-host") == []
    assert told(of(host(services=["git", "www"])), "services-share-host") == [
        ("info", "host h", "carries 2 services, which fail together: git and www.")
    ]


def test_a_tenants_own_name_server_may_be_a_virtual_machine():
    assert told(of(host(services=["dns.tenant-a"], form="vm")), "service-on-vm") == []
    for label in ("dns", "dns2", "ns1", "dhcp", "gateway", "gw-2", "nat", "firewall"):
        assert told(of(host(services=[label], form="vm")), "service-on-vm"), label
    assert told(of(host(services=["dnsdist-web"], form="vm")), "service-on-vm") == []


def test_an_empty_branch_of_groups_is_told_at_its_root():
    groups = [GroupFacts("all_web", ("web", "shop")), GroupFacts("shop"), GroupFacts("web", hosts=("old",))]
    retired = host("old", status="retired")
    ((_, subject, message),) = told(of(retired, groups=groups), "group-empty")
    assert subject == "group all_web"
    assert "with web and shop below it" in message


def test_groups_that_nest_in_a_circle_do_not_hang():
    groups = [GroupFacts("a", ("b",)), GroupFacts("b", ("a",)), GroupFacts("c", ("a",), hosts=("h",))]
    assert told(of(host(), groups=groups), "group-empty") == []


def test_vlans_of_one_host_and_guests_may_share_a_port():
    port = {"switch": "sw01", "switch_port": "7"}
    trunk = host("a", card("a", "192.0.2.11", **port), card("a", "192.0.2.12", "eth0.20", **port))
    guest = host("v", card("v", "192.0.2.13", **port), form="vm")
    assert told(of(trunk, guest), "switch-port-twice") == []


def test_a_bootstrap_node_that_is_gone_is_told_before_it_is_needed():
    declared = {"authority": GATEWAY, "authorities": (GATEWAY,)}
    retired = host("builder", status="retired")
    ((severity, subject, message),) = told(of(retired, **declared), "bootstrap-node-missing")
    assert (severity, subject) == ("warning", "site lab")
    assert "the bootstrap node builder, which is retired" in message
    assert told(of(host("builder"), **declared), "bootstrap-node-missing") == []
    silent = replace(GATEWAY, bootstrap_host="")
    assert told(of(host(), authority=silent, authorities=(silent,)), "bootstrap-node-missing") == []


def test_macs_that_nobody_can_read_are_told_once_a_site():
    many = [
        host(f"h{n}", card(f"h{n}", f"192.0.2.{n}", mac=f"02:aa:bb:cc:00:{n:02x}", mac_kind="assigned"))
        for n in range(10, 40)
    ]
    assert len(told(of(*many), "mac-octets-missing")) == 1
    octets = replace(SITE, organisation="de", environment="10")
    ((_, subject, message),) = told(of(*many, site=octets), "mac-of-another-site")
    assert subject == "site lab"
    assert "30 assigned MAC(s)" in message


def test_a_mac_by_vmid_is_read_back():
    wrong = host("v", card("v", mac="02:de:20:00:00:c9", mac_kind="assigned"), form="vm", vmid=200)
    snapshot = on_site(wrong, organisation="de", environment="20", mac_encoding="vmid")
    ((_, _, message),) = told(snapshot, "mac-names-another")
    assert "reads site lab, VMID 201; the host has VMID 200" in message


def test_a_role_without_a_code_is_told_once_whoever_has_it():
    hosts = [
        host(
            f"h{n}",
            card(f"h{n}", f"192.0.2.{n}", mac=f"02:de:10:01:00:{n:02x}", mac_kind="assigned"),
            role="dns",
        )
        for n in range(10, 14)
    ]
    snapshot = replace(on_site(*hosts, organisation="de", environment="10"), roles=(RoleFacts("dns"),))
    assert [subject for _, subject, _ in told(snapshot, "role-without-code")] == ["role dns"]


def test_networks_of_ipv6_overlap_too():
    iot = SegmentFacts("iot", vlan=30, network6="2001:db8::/64")
    wide = replace(LAN, network6="2001:db8::/48")
    ((severity, subject, _),) = told(of(segments=[wide, iot]), "segment-overlap")
    assert (severity, subject) == ("error", "segment iot")
    assert told(of(segments=[replace(LAN, network6="2001:db8:1::/64"), iot]), "segment-overlap") == []


@pytest.mark.parametrize(("status", "severity"), [("provisioning", "error"), ("active", "warning")])
def test_a_tenants_machine_is_never_made_on_a_management_hypervisor(status, severity):
    carrier = host("hv01", card("hv01", "192.0.2.21"), form="hv")
    guest = host("v1", card("v1", "192.0.2.31"), form="vm", hypervisor="hv01", plane="tenant", status=status)
    name = "tenant-on-management-hypervisor"
    assert [found for found, *_ in told(of(carrier, guest), name)] == [severity]
