"""What a name server answers, rule by rule."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from inventory import dns
from inventory.dns.reverse import ReverseZones, zone_name, zones_of
from inventory.numbers import point
from inventory.snapshot import AliasFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot
from tests.exports.example_site import host, interface

MANAGEMENT = SegmentFacts(
    "management", network4="192.0.2.0/24", network6="2001:db8:99::/64", gateway4="192.0.2.1"
)


def site(*hosts, segments=(MANAGEMENT,), **more) -> Snapshot:
    return Snapshot(SiteFacts("lab", "example.net"), segments=segments, hosts=hosts, **more)


def named(name: str, address: str, *services: str, **more):
    return host(name, interface(name, "eth0", None, "management", address), services=services, **more)


def records(plan: dns.DnsPlan, kind: str = "site") -> list[tuple[str, str, str]]:
    return [(r.name, r.type, r.value) for zone in plan.zones if zone.kind == kind for r in zone.records]


def ids(plan: dns.DnsPlan) -> list[str]:
    return [finding.id for finding in plan.left_out]


def test_a_host_has_its_addresses_and_one_pointer_for_each():
    both = host(
        "hv01", interface("hv01", "eth0", None, "management", "192.0.2.21", ipv6=("2001:db8:99::21",))
    )
    plan = dns.plan(site(both))
    assert records(plan) == [
        ("hv01.lab.example.net", "A", "192.0.2.21"),
        ("hv01.lab.example.net", "AAAA", "2001:db8:99::21"),
    ]
    assert [value for _, _, value in records(plan, "reverse")] == ["hv01.lab.example.net"] * 2


def test_a_pointer_names_the_primary_interface():
    shared = host(
        "a-rt01",
        interface("a-rt01", "eth0", None, "management", "192.0.2.1"),
        interface("a-rt01", "vip", None, None, "192.0.2.1", primary=True),
    )
    plan = dns.plan(site(shared))
    assert {name for name, _, _ in records(plan)} == {"a-rt01.lab.example.net", "a-rt01-mgmt.lab.example.net"}
    assert records(plan, "reverse") == [("1.2.0.192.in-addr.arpa", "PTR", "a-rt01.lab.example.net")]


def test_a_service_is_a_cname_to_its_host():
    plan = dns.plan(
        site(
            named("hv01", "192.0.2.21", "pve"),
            replace(named("vm01", "192.0.2.22"), services=(ServiceFacts("web", "vm01", "tenant-a"),)),
        )
    )
    assert ("pve.lab.example.net", "CNAME", "hv01.lab.example.net") in records(plan)
    assert ("web.tenant-a.lab.example.net", "CNAME", "vm01.lab.example.net") in records(plan)


@pytest.mark.parametrize(
    ("carrier", "finding"),
    [
        (host("hv01", services=("pve",)), "cname-dangles"),
        (named("hv01", "192.0.2.21", "hv01"), "cname-shadows"),
        (named("hv01", "192.0.2.21", "snake_case"), "name-unusable"),
        (named("hv01", "192.0.2.21", "a" * 64), "name-unusable"),
        (named("hv01", "192.0.2.21", ".".join(["a" * 60] * 4)), "name-unusable"),
    ],
)
def test_a_service_that_has_no_cname_is_a_finding(carrier, finding):
    plan = dns.plan(site(carrier))
    assert "CNAME" not in {type_ for _, type_, _ in records(plan)}
    assert ids(plan) == [finding]


def test_a_disputed_service_points_nowhere():
    plan = dns.plan(site(named("rt01", "192.0.2.1", "dns"), named("rt02", "192.0.2.2", "dns")))
    assert "dns.lab.example.net" not in {name for name, _, _ in records(plan)}
    assert ids(plan) == ["identity-disputed"]


def test_a_name_that_two_hosts_write_differently_is_disputed_too():
    plan = dns.plan(site(named("PI01.lab.example.net", "192.0.2.12"), named("pi01", "192.0.2.11")))
    assert records(plan) == []
    assert [(f.id, f.subject) for f in plan.left_out] == [("identity-disputed", "name pi01")]


def test_a_disputed_address_has_neither_record_nor_pointer():
    plan = dns.plan(
        site(named("pi01", "192.0.2.11"), named("pi02", "192.0.2.11"), named("pi03", "192.0.2.13"))
    )
    assert records(plan) == [("pi03.lab.example.net", "A", "192.0.2.13")]
    assert len(records(plan, "reverse")) == 1
    assert ids(plan) == ["identity-disputed"]


def test_a_retired_host_is_gone():
    plan = dns.plan(site(named("hv01", "192.0.2.21", "pve", status="retired")))
    assert records(plan) == []
    assert plan.left_out == ()


@pytest.mark.parametrize("name", ["10.0.0.1", "pi01.other.example.org", "snake_case"])
def test_a_host_name_outside_dns_or_the_zone_has_no_record(name):
    plan = dns.plan(site(named(name, "192.0.2.11")))
    assert records(plan) == []
    assert ids(plan) == ["name-unusable"]


def test_an_a_record_needs_an_address():
    assert ids(dns.plan(site(host("pi01", interface("pi01", "eth0", None, "management", None))))) == [
        "a-record-without-address"
    ]


@pytest.mark.parametrize("address", ["fe80::1", "fe80::1%eth0", 'fe80::1%"\nport=0'])
def test_a_link_local_address_has_no_record(address):
    local = host("pi01", interface("pi01", "eth0", None, "management", "192.0.2.11", ipv6=(address,)))
    plan = dns.plan(site(local))
    assert records(plan) == [("pi01.lab.example.net", "A", "192.0.2.11")]
    assert ids(plan) == ["address-link-local"]


def test_an_alias_is_a_zone_of_one_name_with_copies():
    plan = dns.plan(site(named("hv01", "192.0.2.21", "pve"), aliases=(AliasFacts("hypervisor", "pve"),)))
    (zone,) = [zone for zone in plan.zones if zone.kind == "alias"]
    assert zone.name == "hypervisor.example.net"
    assert records(plan, "alias") == [("hypervisor.example.net", "A", "192.0.2.21")]


@pytest.mark.parametrize(
    ("aliases", "findings"),
    [
        ((AliasFacts("x", "nothing"),), ["alias-dangles"]),
        ((AliasFacts("lab", "pve"),), ["alias-unusable"]),
        ((AliasFacts("x.lab", "pve"),), ["alias-unusable"]),
        ((AliasFacts("a_b", "pve"),), ["alias-unusable"]),
        ((AliasFacts("X", "pve"), AliasFacts("x", "pve")), ["alias-unusable", "alias-unusable"]),
    ],
)
def test_an_alias_that_has_no_zone_is_a_finding(aliases, findings):
    plan = dns.plan(site(named("hv01", "192.0.2.21", "pve"), aliases=aliases))
    assert "alias" not in {zone.kind for zone in plan.zones}
    assert ids(plan) == findings


@pytest.mark.parametrize(
    ("slug", "root"),
    [
        ("99", "2.0.192.in-addr.arpa"),
        ("ip6", "arpa"),
        ("arpa", ""),
        ("lab", "a b"),
        ("lab", "e" * 64),
    ],
)
def test_a_site_without_a_usable_zone_has_none(slug, root):
    plan = dns.plan(replace(site(named("pi01", "192.0.2.11")), site=SiteFacts(slug, root)))
    assert plan.zones == ()
    assert ids(plan) == ["zone-unusable"]


def test_a_site_below_home_arpa_has_a_zone():
    """What an import gives a site without a domain of its own (RFC 8375)."""
    aliases = (AliasFacts("artifacts", "web"),)
    lab = replace(
        site(named("pi01", "192.0.2.11", "web"), aliases=aliases), site=SiteFacts("lab", "home.arpa")
    )
    plan = dns.plan(lab)
    assert ids(plan) == []
    assert ("pi01.lab.home.arpa", "A", "192.0.2.11") in records(plan)
    assert records(plan, "alias") == [("artifacts.home.arpa", "A", "192.0.2.11")]


@pytest.mark.parametrize(
    ("hosts", "server"),
    [
        ((named("rt01", "192.0.2.1"), named("vm01", "192.0.2.5", "dns")), "vm01.lab.example.net"),
        ((named("a01", "192.0.2.5"), named("rt01", "192.0.2.1")), "rt01.lab.example.net"),
        ((named("b01", "192.0.2.5"), named("a01", "192.0.2.6")), "a01.lab.example.net"),
        ((named("a01", "192.0.2.6"), named("z01", "192.0.2.7", form="rt")), "z01.lab.example.net"),
        (
            (named("a01", "192.0.2.5", "dns"), named("b01", "192.0.2.6", "dns"), named("rt01", "192.0.2.1")),
            "rt01.lab.example.net",
        ),
        ((), "localhost"),
    ],
)
def test_the_name_server_is_a_host_with_an_address(hosts, server):
    assert {zone.name_server for zone in dns.plan(site(*hosts)).zones} == {server}


@pytest.mark.parametrize(
    ("network", "zones"),
    [
        ("192.0.2.0/24", ["2.0.192.in-addr.arpa"]),
        ("10.99.20.0/23", ["20.99.10.in-addr.arpa", "21.99.10.in-addr.arpa"]),
        ("10.0.0.0/8", ["10.in-addr.arpa"]),
        ("172.16.0.0/15", ["16.172.in-addr.arpa", "17.172.in-addr.arpa"]),
        ("192.0.2.128/26", ["2.0.192.in-addr.arpa"]),
        ("8.8.8.0/24", ["8.8.8.in-addr.arpa"]),
        ("8.8.8.0/26", []),
        ("2001:db8:30::/64", ["0.0.0.0.0.3.0.0.8.b.d.0.1.0.0.2.ip6.arpa"]),
        ("2001:db8::/32", ["8.b.d.0.1.0.0.2.ip6.arpa"]),
        ("fd00::/126", ["0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"]),
    ],
)
def test_reverse_zones_end_on_labels(network, zones):
    assert [zone_name(zone) for zone in zones_of(ipaddress.ip_network(network))] == zones


def test_a_long_network_splits_on_the_next_nibble():
    assert len(list(zones_of(ipaddress.ip_network("2001:db8:0:8::/61")))) == 8


def test_an_address_lies_in_the_most_specific_zone():
    zones = ReverseZones([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("10.20.99.0/24")])
    assert zones.zone_for(point("10.20.99.7")) == "99.20.10.in-addr.arpa"
    assert zones.zone_for(point("10.20.98.7")) == "10.in-addr.arpa"


def test_a_private_address_outside_gets_a_zone_and_a_public_one_a_finding():
    plan = dns.plan(site(named("edge", "192.168.8.1"), named("far", "9.9.9.9")))
    assert ("1.8.168.192.in-addr.arpa", "PTR", "edge.lab.example.net") in records(plan, "reverse")
    assert [(f.id, f.subject) for f in plan.left_out] == [("ptr-outside", "address 9.9.9.9")]
    assert ("far.lab.example.net", "A", "9.9.9.9") in records(plan)
