"""What a DHCP server is told, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory import dhcp
from inventory.addressing import Range
from inventory.snapshot import IdentityFacts, SegmentFacts, SiteFacts, Snapshot
from tests.exports.example_site import host, interface

MAC = "02:de:10:03:00:01"
IOT = SegmentFacts("iot", network4="198.51.100.0/24", gateway4="198.51.100.1")


def site(*hosts, segments=(IOT,), **more) -> Snapshot:
    return Snapshot(SiteFacts("lab", "example.net"), segments=segments, hosts=hosts, **more)


def pi01(**more):
    """A host with one interface in iot that asks for a reservation."""
    facts = {"mac": MAC, "segment": "iot", "ipv4": "198.51.100.11", **more}
    return host("pi01", interface("pi01", "eth0", **facts))


def only_subnet(snapshot: Snapshot) -> dhcp.Subnet:
    (subnet,) = dhcp.plan(snapshot).subnets
    return subnet


def ids(findings) -> list[str]:
    return [finding.id for finding in findings]


def test_a_reservation_is_mac_address_and_name():
    (reservation,) = only_subnet(site(pi01())).reservations
    assert (reservation.mac, reservation.address, reservation.hostname) == (MAC, "198.51.100.11", "pi01")


@pytest.mark.parametrize(
    ("change", "finding", "severity"),
    [
        ({"mac": None}, "reservation-unknown-mac", "warning"),
        ({"mac": "01:00:5e:00:00:01"}, "reservation-mac-unusable", "error"),
        ({"ipv4": None}, "reservation-without-address", "warning"),
        ({"segment": None}, "reservation-without-segment", "warning"),
        ({"segment": "nowhere"}, "reservation-without-segment", "error"),
        ({"ipv4": "192.0.2.11"}, "reservation-outside-segment", "error"),
        ({"ipv4": "198.51.100.0"}, "reservation-unusable-address", "error"),
        ({"ipv4": "198.51.100.255"}, "reservation-unusable-address", "error"),
    ],
)
def test_a_reservation_that_cannot_be_served_is_a_finding(change, finding, severity):
    plan = dhcp.plan(site(pi01(**change)))
    assert plan.subnets[0].reservations == ()
    assert [(f.id, f.severity, f.subject) for f in plan.left_out] == [
        (finding, severity, "interface pi01/eth0")
    ]


@pytest.mark.parametrize(
    ("policy", "served", "finding"),
    [
        ("static", 1, []),
        ("both", 1, []),
        ("dynamic", 0, ["reservation-forbidden"]),
        ("none", 0, ["reservation-no-dhcp"]),
    ],
)
def test_the_segments_policy_decides(policy, served, finding):
    iot = replace(IOT, policy=policy, pool=Range("198.51.100.100", "198.51.100.200"))
    plan = dhcp.plan(site(pi01(), segments=(iot,)))
    assert sum(len(subnet.reservations) for subnet in plan.subnets) == served
    assert [f for f in ids(plan.left_out) if f.startswith("reservation")] == finding


def test_an_address_outside_says_which_segment_it_belongs_to():
    other = SegmentFacts("storage", network4="192.0.2.0/24")
    plan = dhcp.plan(site(pi01(ipv4="192.0.2.11"), segments=(IOT, other)))
    assert "it belongs to storage" in plan.left_out[0].message


def test_every_reason_is_given_at_once():
    plan = dhcp.plan(site(pi01(mac=None, ipv4="192.0.2.11")))
    assert ids(plan.left_out) == ["reservation-outside-segment", "reservation-unknown-mac"]


@pytest.mark.parametrize("shared", [{"mac": MAC}, {"ipv4": "198.51.100.11"}])
def test_what_two_hosts_claim_is_reserved_for_neither(shared):
    facts = {"mac": "02:de:10:03:00:02", "ipv4": "198.51.100.12", "segment": "iot", **shared}
    plan = dhcp.plan(site(pi01(), host("pi02", interface("pi02", "eth0", **facts))))
    assert plan.subnets[0].reservations == ()
    assert ids(plan.left_out) == ["identity-disputed"]
    assert "pi01 and pi02 claim" in plan.left_out[0].message


def test_a_retired_host_neither_disputes_nor_is_served():
    old = host("pi00", interface("pi00", "eth0", MAC, "iot", "198.51.100.11"), status="retired")
    plan = dhcp.plan(site(old, pi01()))
    assert [r.host for r in plan.subnets[0].reservations] == ["pi01"]
    assert plan.left_out == ()


def test_a_disputed_name_is_not_handed_out_and_the_reservation_stays():
    other = host(
        "hv01", interface("hv01", "eth0", "02:de:10:02:00:01", "iot", "198.51.100.21"), services=("pi01",)
    )
    plan = dhcp.plan(site(other, pi01()))
    assert [(r.host, r.hostname) for r in plan.subnets[0].reservations] == [("pi01", None), ("hv01", "hv01")]
    assert ids(plan.left_out) == ["identity-disputed"]


def test_a_further_interface_is_named_by_its_segment():
    two = host(
        "hv01",
        interface("hv01", "eth0", "02:de:10:02:00:01", "iot", "198.51.100.21"),
        interface("hv01", "eth1", "02:de:10:02:00:02", "management", "192.0.2.21"),
    )
    management = SegmentFacts("management", network4="192.0.2.0/24")
    plan = dhcp.plan(site(two, segments=(IOT, management)))
    assert [r.hostname for subnet in plan.subnets for r in subnet.reservations] == ["hv01-mgmt", "hv01"]


@pytest.mark.parametrize("name", ["snake_case", "10.0.0.1", "pi01.other.example.org", "a" * 64])
def test_a_name_without_a_form_in_dns_is_not_handed_out(name):
    plan = dhcp.plan(site(host(name, interface(name, "eth0", MAC, "iot", "198.51.100.11"))))
    assert [r.hostname for r in plan.subnets[0].reservations] == [None]
    assert ids(plan.left_out) == ["name-unusable"]


@pytest.mark.parametrize(
    ("name", "label"), [("PI01", "pi01"), ("pi01.lab.example.net", "pi01"), ("bücher", "xn--bcher-kva")]
)
def test_a_name_is_handed_out_in_its_dns_form(name, label):
    plan = dhcp.plan(site(host(name, interface(name, "eth0", MAC, "iot", "198.51.100.11"))))
    assert [r.hostname for r in plan.subnets[0].reservations] == [label]


def test_of_one_hosts_interfaces_with_one_mac_the_primary_is_served():
    bond = host(
        "hv01",
        interface("hv01", "bond0", MAC, "iot", "198.51.100.21"),
        interface("hv01", "eth0", MAC, "iot", "198.51.100.22", primary=True),
    )
    plan = dhcp.plan(site(bond))
    assert [r.address for r in plan.subnets[0].reservations] == ["198.51.100.22"]
    assert [(f.id, f.severity, f.subject) for f in plan.left_out] == [
        ("reservation-repeated", "warning", "interface hv01/bond0")
    ]


def test_one_mac_may_be_reserved_in_several_segments():
    vlans = host(
        "hv01",
        interface("hv01", "eth0.30", MAC, "iot", "198.51.100.21"),
        interface("hv01", "eth0.99", MAC, "management", "192.0.2.21"),
    )
    management = SegmentFacts("management", network4="192.0.2.0/24")
    plan = dhcp.plan(site(vlans, segments=(IOT, management)))
    assert [len(subnet.reservations) for subnet in plan.subnets] == [1, 1]
    assert plan.findings == ()


def test_the_routers_own_reservation_is_kept_with_a_warning():
    plan = dhcp.plan(site(pi01(ipv4="198.51.100.1")))
    assert len(plan.subnets[0].reservations) == 1
    assert plan.left_out == ()
    assert ids(plan.remarks) == ["reservation-on-gateway"]


def test_overlapping_segments_are_served_for_neither():
    summary = SegmentFacts("summary", network4="198.51.0.0/16")
    plan = dhcp.plan(site(pi01(), segments=(IOT, summary)))
    assert plan.subnets == ()
    assert [(f.id, f.subject) for f in plan.left_out] == [
        ("segment-overlap", "segment iot"),
        ("segment-overlap", "segment summary"),
    ]


def test_a_summary_without_dhcp_does_not_contest():
    summary = SegmentFacts("summary", network4="198.51.0.0/16", policy="none")
    assert only_subnet(site(pi01(), segments=(IOT, summary))).segment == "iot"


def test_the_gateway_is_the_dns_server_unless_others_are_declared():
    assert only_subnet(site()).dns_servers == ("198.51.100.1",)
    declared = replace(IOT, dns_servers=("192.0.2.53", "2001:db8::53"))
    assert only_subnet(site(segments=(declared,))).dns_servers == ("192.0.2.53",)


def test_lists_are_as_long_as_every_server_can_hand_out():
    servers = tuple(f"198.51.100.{n}" for n in range(100, 200))
    domains = tuple(f"{n}-{'x' * 50}.example.net" for n in range(9))
    subnet = only_subnet(site(segments=(replace(IOT, dns_servers=servers, search_domains=domains),)))
    assert subnet.dns_servers == servers[:50]
    assert subnet.search == domains[:3]


def test_a_gateway_outside_its_network_is_not_handed_out():
    plan = dhcp.plan(site(segments=(replace(IOT, gateway4="192.0.2.1"),)))
    assert (plan.subnets[0].gateway, plan.subnets[0].dns_servers) == (None, ())
    assert ids(plan.left_out) == ["gateway-outside-segment"]


def test_a_pool_loses_what_somebody_has():
    iot = replace(
        IOT,
        pool=Range("198.51.100.1", "198.51.100.40"),
        delegated=(Range("198.51.100.30", "198.51.100.39"),),
        next_server="198.51.100.5",
    )
    quarantined = IdentityFacts("ip", "198.51.100.20", "quarantined", "gone")
    subnet = only_subnet(site(pi01(reservation=False), segments=(iot,), identities=(quarantined,)))
    assert [str(pool) for pool in subnet.pools] == [
        "198.51.100.2-198.51.100.4",
        "198.51.100.6-198.51.100.10",
        "198.51.100.12-198.51.100.19",
        "198.51.100.21-198.51.100.29",
        "198.51.100.40-198.51.100.40",
    ]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"policy": "static", "pool": Range("198.51.100.100", "198.51.100.200")}, "pool-not-served"),
        ({"policy": "dynamic"}, "pool-missing"),
        ({"pool": Range("192.0.2.100", "192.0.2.200")}, "pool-outside-segment"),
        ({"pool": Range("198.51.100.200", "198.51.100.255")}, "pool-outside-segment"),
        ({"pool": Range("198.51.100.200", "198.51.100.100")}, "pool-outside-segment"),
        ({"dns_servers": ("router",)}, "dns-server-unusable"),
        ({"search_domains": ("a b",)}, "search-domain-unusable"),
        ({"dns_servers": tuple(f"192.0.2.{n}" for n in range(1, 52))}, "dns-server-unusable"),
        (
            {"search_domains": tuple(f"{letter * 60}.example.net" for letter in "abcd")},
            "search-domain-unusable",
        ),
        ({"next_server": "router"}, "pxe-unusable"),
        ({"next_server": "255.255.255.255"}, "pxe-unusable"),
    ],
)
def test_what_a_segment_cannot_hand_out_is_a_finding(change, finding):
    plan = dhcp.plan(site(segments=(replace(IOT, **change),)))
    assert ids(plan.left_out) == [finding]
    assert plan.subnets[0].pools == ()


@pytest.mark.parametrize(
    ("server", "file", "boot", "finding"),
    [
        ("192.0.2.95", "pxelinux.0", ("192.0.2.95", "192.0.2.95", "pxelinux.0"), []),
        ("", "pxelinux.0", ("192.0.2.9", "192.0.2.9", "pxelinux.0"), []),
        ("pxe.example.net", "a.efi", ("192.0.2.9", "pxe.example.net", "a.efi"), ["pxe-server-is-a-name"]),
        ("2001:db8::95", "a.efi", ("192.0.2.9", "192.0.2.9", "a.efi"), ["pxe-unusable"]),
        ("192.0.2.95", 'a"b', ("192.0.2.95", "192.0.2.95", None), ["pxe-unusable"]),
        ("192.0.2.95", "a,b", ("192.0.2.95", "192.0.2.95", None), ["pxe-unusable"]),
        ("192.0.2.95", "x" * 128, ("192.0.2.95", "192.0.2.95", None), ["pxe-unusable"]),
        ("192.0.2.95", "a #b", ("192.0.2.95", "192.0.2.95", None), ["pxe-unusable"]),
        ("192.0.2.95", "a#b", ("192.0.2.95", "192.0.2.95", "a#b"), []),
        ("255.255.255.255", "a.efi", ("192.0.2.9", "192.0.2.9", "a.efi"), ["pxe-unusable"]),
        ("0.0.0.0", "a.efi", ("192.0.2.9", "192.0.2.9", "a.efi"), ["pxe-unusable"]),
        ("a b", "", (None, None, None), ["pxe-unusable"]),
        ("", "", (None, None, None), []),
    ],
)
def test_pxe_says_what_every_firmware_reads(server, file, boot, finding):
    iot = replace(IOT, next_server="192.0.2.9")
    plan = dhcp.plan(site(pi01(pxe_server=server, pxe_file=file), segments=(iot,)))
    (reservation,) = plan.subnets[0].reservations
    assert (reservation.boot.next_server, reservation.boot.server_name, reservation.boot.file) == boot
    assert ids(plan.findings) == finding
    assert plan.subnets[0].next_server == "192.0.2.9"
