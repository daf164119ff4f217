"""What is served while the bootstrap node is the authority, rule by rule."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory import bootstrap, dhcp, dns
from inventory.dhcp.reasons import Boot
from inventory.exports import get_export
from inventory.serving import checkers
from inventory.snapshot import AuthorityFacts, Snapshot
from tests.components import require
from tests.exports import readers
from tests.exports.example_site import SITE, interface
from tests.exports.sites import examples, snapshots

NODE = "provisioner-ph01"
GOLDEN = Path(__file__).parent / "golden-bootstrap"
GATEWAY = AuthorityFacts("gateway", "ada", "2026-01-02T03:04:05Z", "the first")
BOOTSTRAP = AuthorityFacts("bootstrap", "ada", "2026-01-03T03:04:05Z", "the router is gone", NODE)


def declared(*authorities: AuthorityFacts, site: Snapshot = SITE) -> Snapshot:
    return replace(site, authorities=authorities, authority=authorities[-1] if authorities else None)


def with_node(site: Snapshot, **changed) -> Snapshot:
    """The bootstrap node's first interface with other facts."""
    node = site.host_by_name[NODE]
    first = replace(node.interfaces[0], **changed)
    host = replace(node, interfaces=(first, *node.interfaces[1:]))
    return replace(site, hosts=tuple(host if h.name == NODE else h for h in site.hosts))


#: The node takes over the gateway's address in the segment management.
TAKING = with_node(declared(BOOTSTRAP, GATEWAY), bootstrap_ipv4="192.0.2.1")
#: The node keeps its own address.
BESIDE = declared(BOOTSTRAP, GATEWAY)


def subnet(site: Snapshot, segment: str, mode=None) -> dhcp.Subnet:
    return next(s for s in dhcp.plan(site, mode).subnets if s.segment == segment)


def records(site: Snapshot, mode=None) -> set[tuple[str, str, str]]:
    return {(r.name, r.type, r.value) for zone in dns.plan(site, mode).zones for r in zone.records}


def about(findings, rule: str) -> list[tuple[str, str]]:
    return sorted((f.severity, f.subject) for f in findings if f.id == rule)


def test_in_gateway_mode_the_bootstrap_address_is_not_served_and_in_no_pool():
    free = with_node(BESIDE, bootstrap_ipv4="198.51.100.120", segment="iot", ipv4="198.51.100.121")
    assert (f"{NODE}.lab.example.net", "A", "198.51.100.121") in records(free)
    spans = [(pool.first, pool.last) for pool in subnet(free, "iot").pools]
    assert ("198.51.100.100", "198.51.100.119") in spans
    assert ("198.51.100.122", "198.51.100.149") in spans


def test_the_nodes_own_name_is_its_address_of_that_mode_forth_and_back():
    served = records(TAKING, "bootstrap")
    assert (f"{NODE}.lab.example.net", "A", "192.0.2.1") in served
    assert (f"{NODE}.lab.example.net", "A", "192.0.2.95") not in served
    assert ("1.2.0.192.in-addr.arpa", "PTR", f"{NODE}.lab.example.net") in served
    assert not any(name == "95.2.0.192.in-addr.arpa" for name, _, _ in served)


def test_the_router_that_is_down_has_no_name_at_the_address_and_no_reservation_of_it():
    assert ("core-rt01.lab.example.net", "A", "192.0.2.1") not in records(TAKING, "bootstrap")
    assert ("core-rt01.lab.example.net", "AAAA", "2001:db8:99::1") in records(TAKING, "bootstrap")
    assert "192.0.2.1" not in {r.address for r in subnet(TAKING, "management", "bootstrap").reservations}
    findings = dhcp.plan(TAKING, "bootstrap").left_out
    assert ("info", "interface core-rt01/lan") in about(findings, "bootstrap-address-taken")
    assert not [f for f in findings if "192.0.2.1 " in f.message and f.id == "identity-disputed"]


def test_the_other_interfaces_of_that_router_keep_their_names():
    assert ("core-rt01-iot.lab.example.net", "A", "198.51.100.1") in records(TAKING, "bootstrap")


def test_the_services_of_an_authority_follow_it_and_others_do_not():
    router = TAKING.host_by_name["core-rt01"]
    lan = replace(router.interfaces[0], ipv6=())
    web = replace(router.services[0], name="router-web")
    bare = replace(router, interfaces=(lan, *router.interfaces[1:]), services=(*router.services, web))
    site = replace(TAKING, hosts=tuple(bare if h.name == bare.name else h for h in TAKING.hosts))
    served = records(site, "bootstrap")
    assert ("dns.lab.example.net", "CNAME", f"{NODE}.lab.example.net") in served
    assert ("router-web.lab.example.net", "CNAME", "core-rt01.lab.example.net") in records(site, "gateway")
    assert "router-web.lab.example.net" not in {name for name, _, _ in served}
    findings = dns.plan(site, "bootstrap").findings
    assert ("info", "service router-web") in about(findings, "bootstrap-address-taken")
    assert "cname-dangles" not in {f.id for f in findings if f.subject == "service router-web"}


def test_the_name_server_is_the_node():
    assert {zone.name_server for zone in dns.plan(TAKING, "bootstrap").zones} == {f"{NODE}.lab.example.net"}
    assert {zone.name_server for zone in dns.plan(TAKING, "gateway").zones} == {"core-rt01.lab.example.net"}


@pytest.mark.parametrize(("site", "address"), [(TAKING, "192.0.2.1"), (BESIDE, "192.0.2.95")])
def test_routers_dns_and_boot_servers_are_the_nodes(site, address):
    management, iot = (subnet(site, name, "bootstrap") for name in ("management", "iot"))
    assert (management.gateway, management.dns_servers) == (address, (address,))
    assert management.next_server == address
    assert (iot.gateway, iot.dns_servers, iot.next_server) == ("198.51.100.1", (address,), None)
    boots = {r.host: r.boot for r in management.reservations}
    assert boots["provisioner-vm05"] == Boot(address, address, "ipxe.efi")
    assert boots["vlans-ph01"].next_server == address
    assert boots["hv01"].next_server is None


def test_a_leg_in_another_segment_routes_and_answers_there():
    node = BESIDE.host_by_name[NODE]
    leg = interface(NODE, "eth0.30", "02:de:10:04:00:01", "iot", "198.51.100.5")
    site = replace(
        BESIDE,
        hosts=tuple(
            replace(h, interfaces=(*h.interfaces, leg)) if h.name == node.name else h for h in BESIDE.hosts
        ),
    )
    iot = subnet(site, "iot", "bootstrap")
    assert (iot.gateway, iot.dns_servers) == ("198.51.100.5", ("198.51.100.5",))


def test_a_gateway_that_the_node_does_not_take_over_may_have_its_reservation_and_no_pool():
    reserved = {r.host: r.address for r in subnet(BESIDE, "management", "bootstrap").reservations}
    assert reserved["core-rt01"] == "192.0.2.1"
    assert "reservation-on-gateway" not in {f.id for f in dhcp.plan(BESIDE, "bootstrap").findings}


def test_a_dhcp_server_does_not_lease_to_itself():
    assert NODE in {r.host for r in subnet(TAKING, "management", "gateway").reservations}
    assert NODE not in {r.host for r in subnet(TAKING, "management", "bootstrap").reservations}
    findings = dhcp.plan(TAKING, "bootstrap").left_out
    assert about(findings, "bootstrap-own-reservation") == [("info", f"interface {NODE}/eth0")]


def test_neither_address_of_the_node_is_in_a_pool():
    site = with_node(BESIDE, bootstrap_ipv4="198.51.100.120", segment="iot", ipv4="198.51.100.121")
    spans = [(pool.first, pool.last) for pool in subnet(site, "iot", "bootstrap").pools]
    assert ("198.51.100.100", "198.51.100.119") in spans
    assert ("198.51.100.122", "198.51.100.149") in spans


def test_an_address_of_another_host_that_is_no_gateways_stays_disputed():
    site = with_node(BESIDE, bootstrap_ipv4="192.0.2.21")
    assert {"192.0.2.21"} & {r.address for r in subnet(site, "management", "gateway").reservations}
    assert not {"192.0.2.21"} & {r.address for r in subnet(site, "management", "bootstrap").reservations}
    findings = dhcp.plan(site, "bootstrap").findings
    assert ("error", "address 192.0.2.21") in about(findings, "identity-disputed")


def test_without_a_word_the_declared_authority_is_rendered():
    taken = replace(TAKING, authority=BOOTSTRAP, authorities=(GATEWAY, BOOTSTRAP))
    assert dhcp.plan(taken) == dhcp.plan(TAKING, "bootstrap")
    assert dhcp.plan(replace(TAKING, authority=None, authorities=())) == dhcp.plan(TAKING, "gateway")
    assert dhcp.plan(TAKING) == dhcp.plan(TAKING, "gateway")


@pytest.mark.parametrize(
    ("site", "severity", "words"),
    [
        (SITE, "warning", "knows no bootstrap node"),
        (declared(GATEWAY, replace(BOOTSTRAP, bootstrap_host="")), "error", "knows no bootstrap node"),
        (declared(GATEWAY, replace(BOOTSTRAP, bootstrap_host="old-vm01")), "error", "which is retired"),
        (
            declared(replace(BOOTSTRAP, bootstrap_host="hv03"), GATEWAY, site=with_node(SITE, ipv4=None)),
            "warning",
            "knows no bootstrap node",
        ),
        (
            declared(BOOTSTRAP, GATEWAY, site=with_node(SITE, ipv4=None)),
            "warning",
            "which has no IPv4 address",
        ),
    ],
)
def test_without_a_bootstrap_node_the_gateways_facts_are_rendered_and_it_is_said(site, severity, words):
    plan = dhcp.plan(site, "bootstrap")
    assert plan.subnets == dhcp.plan(site, "gateway").subnets
    (finding,) = [f for f in plan.findings if f.id == "bootstrap-node-missing"]
    assert (finding.severity, finding.subject) == (severity, "site lab")
    assert words in finding.message
    assert finding in dns.plan(site, "bootstrap").findings


@pytest.mark.parametrize("format", ["bind", "dnsmasq", "kea"])
def test_the_example_site_in_bootstrap_mode_is_rendered_as_it_was_reviewed(format):
    rendered = get_export(format).render(TAKING, "bootstrap").files
    directory = GOLDEN / format
    if os.environ.get("MGMTPLANE_GOLDEN") == "write":
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in rendered.items():
            (directory / name).write_bytes(content)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == rendered
    checker = checkers.CHECKERS[format]
    require(*checker.programs, package=checker.packages[0])
    assert checkers.check(format, directory).status == "good"


@st.composite
def sites_with_a_node(draw) -> Snapshot:
    """Any site; its bootstrap node is any host, on any of its addresses or its segments' gateways."""
    site = draw(snapshots())
    host = draw(st.sampled_from(site.hosts))
    gateways = [s.gateway4 for s in site.segments if s.gateway4]
    cards = tuple(
        replace(card, bootstrap_ipv4=draw(st.sampled_from([None, card.ipv4, *gateways])))
        for card in host.interfaces
    )
    node = replace(host, interfaces=cards)
    named = replace(BOOTSTRAP, bootstrap_host=host.name)
    return replace(
        site,
        hosts=tuple(node if h is host else h for h in site.hosts),
        authority=draw(st.sampled_from((None, GATEWAY, named))),
        authorities=(named, GATEWAY),
    )


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("format", ["kea", "dnsmasq", "isc-dhcp", "bind", "unbound"])
def test_the_servers_own_checker_accepts_every_site_in_bootstrap_mode(format, tmp_path_factory):
    checker = checkers.CHECKERS[format]
    require(*checker.programs, package=checker.packages[0])

    @examples()
    @given(sites_with_a_node())
    def accepted(site):
        directory = tmp_path_factory.mktemp("bootstrap")
        for name, content in get_export(format).render(site, "bootstrap").files.items():
            (directory / name).write_bytes(content)
        result = checkers.check(format, directory)
        assert result.status == "good", result.words

    accepted()


@pytest.mark.timeout(1800)
@examples()
@given(site=sites_with_a_node())
def test_only_what_the_node_takes_over_differs_between_the_modes(site):
    """All other hosts keep their records; all other machines keep their reservations."""
    node = bootstrap.served(site, "bootstrap").node
    cards = site.host_by_name[node].interfaces if node else ()
    own = {card.mac for card in cards}
    moving = {card.ipv4 for card in cards} | {card.bootstrap_ipv4 for card in cards}
    moved = {i.mac for i in site.live_interfaces if i.ipv4 in moving}
    here, there = (
        {
            (mac, address)
            for served in readers.read_kea(
                get_export("kea").render(site, mode).files["kea-dhcp4.conf"].decode()
            ).values()
            for mac, address in served.reservations
        }
        for mode in ("gateway", "bootstrap")
    )
    assert all(address in moving or mac in own | moved for mac, address in here ^ there)
    assert not {mac for mac, _ in there} & own
