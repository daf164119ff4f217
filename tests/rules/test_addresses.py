"""Each rule about addresses speaks up, and is silent once the matter is repaired."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.addressing import Range
from inventory.rules import addresses, services
from inventory.snapshot import (
    HostFacts,
    IdentityFacts,
    InterfaceFacts,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
)

LAN = SegmentFacts(
    "lan", network4="192.0.2.0/24", network6="2001:db8::/64", pool=Range("192.0.2.100", "192.0.2.200")
)


def site(*hosts, segments=(LAN,), identities=()):
    return Snapshot(SiteFacts("lab", "example.net"), segments=segments, hosts=hosts, identities=identities)


def host(name="h", *, ipv4=None, ipv6=(), segment="lan", services=(), **more):
    interface = InterfaceFacts(name, "eth0", addressing="static", ipv4=ipv4, ipv6=ipv6, segment=segment)
    return HostFacts(
        name, interfaces=(interface,), services=tuple(ServiceFacts(s, name) for s in services), **more
    )


def ids(*hosts, **more):
    snapshot = site(*hosts, **more)
    return [f.id for f in (*addresses.findings(snapshot), *services.findings(snapshot))]


@pytest.mark.parametrize(
    ("wrong", "repaired", "expected"),
    [
        ({"ipv4": "192.0.3.5"}, {"ipv4": "192.0.2.5"}, "address-outside-segment"),
        ({"ipv6": ("2001:db8:1::5",)}, {"ipv6": ("2001:db8::5",)}, "address-outside-segment"),
        (
            {"ipv4": "192.0.3.5", "segment": None},
            {"ipv4": "192.0.2.5", "segment": None},
            "address-outside-segment",
        ),
        ({"ipv4": "192.0.2.100"}, {"ipv4": "192.0.2.99"}, "address-in-pool"),
        ({"services": ["dns"], "form": "vm"}, {"services": ["dns"], "form": "rt"}, "service-on-vm"),
        ({"services": ["dhcp"], "form": "vm"}, {"services": ["artifacts"], "form": "vm"}, "service-on-vm"),
        (
            {"services": ["gateway"], "form": "vm"},
            {"services": ["gateway"], "form": "vm", "status": "retired"},
            "service-on-vm",
        ),
    ],
)
def test_fires_on_the_wrong_and_not_on_the_repaired(wrong, repaired, expected):
    assert ids(host(**wrong)) == [expected]
    assert ids(host(**repaired)) == []


def test_an_address_outside_everything_is_said_for_each_interface():
    """As edge-rt01 of the sample: one side in a segment that is not its own, the other in none."""
    router = HostFacts(
        "edge-rt01",
        interfaces=(
            InterfaceFacts("edge-rt01", "eth0", addressing="static", ipv4="192.168.8.1", segment="lan"),
            InterfaceFacts("edge-rt01", "eth1", addressing="static", ipv4="192.168.8.1"),
        ),
    )
    found = list(addresses.findings(site(router)))
    assert [(f.id, f.severity, f.subject) for f in found] == [
        ("address-outside-segment", "warning", "interface edge-rt01/eth0"),
        ("address-outside-segment", "warning", "interface edge-rt01/eth1"),
    ]
    assert found[0].message == "has the address 192.168.8.1, outside its segment lan."
    assert found[1].message == "has the address 192.168.8.1, which lies in no declared segment."


def test_link_local_addresses_and_sites_without_segments_have_no_outside():
    assert ids(host(ipv6=("fe80::1",), ipv4="169.254.0.5")) == []
    assert ids(host(ipv4="192.0.3.5", segment=None), segments=()) == []


def test_a_quarantined_identity_in_use():
    held_back = IdentityFacts("ip", "192.0.2.5", "quarantined", "old", until="2031-01-02T03:04:05+00:00")
    (found,) = addresses.findings(site(host(ipv4="192.0.2.5"), identities=(held_back,)))
    assert (found.id, found.severity, found.subject) == ("quarantined-in-use", "warning", "host h")
    assert (
        found.message
        == "claims the address 192.0.2.5, which was old's and is in quarantine until 2031-01-02."
    )
    assert ids(host(ipv4="192.0.2.6"), identities=(held_back,)) == []
    assert ids(host(ipv4="192.0.2.5"), identities=(replace(held_back, state="disputed"),)) == []
    assert ids(host(ipv4="192.0.2.5", status="retired"), identities=(held_back,)) == []


def test_a_host_declared_anew_claims_what_the_deleted_one_left():
    left = IdentityFacts("ip", "192.0.2.5", "quarantined", "h")
    (found,) = addresses.findings(site(host(ipv4="192.0.2.5"), identities=(left,)))
    assert found.message == "claims the address 192.0.2.5, which was a deleted h's and is in quarantine."
