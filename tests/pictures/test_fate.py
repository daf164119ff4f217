"""What falls with a host, and why."""

from __future__ import annotations

import pytest

from inventory.pictures.fate import carriers, fate_of, fates, shared_fates
from inventory.snapshot import AliasFacts, AuthorityFacts
from tests.pictures.site import host, segment, site


def told(snapshot, name):
    return [(one.subject, one.effect, one.why, one.depth) for one in fate_of(snapshot, name).fallen]


def test_an_empty_site_has_nothing_that_falls():
    assert fates(site()) == () and shared_fates(site()) == ()


def test_a_host_on_which_nothing_stands_takes_nothing_with_it():
    snapshot = site(segment(), host("pi01", "192.0.2.5"))
    assert told(snapshot, "pi01") == [] and fates(snapshot) == ()


def test_an_unknown_host_is_a_key_error():
    with pytest.raises(KeyError):
        fate_of(site(), "nobody")


def test_virtual_machines_services_and_aliases_fall_with_their_hypervisor():
    snapshot = site(
        segment(),
        host("hv01", "192.0.2.2", form="hv"),
        host("web-vm01", "192.0.2.3", hypervisor="hv01", services=["web"]),
        aliases=(AliasFacts("www", "web"),),
    )
    assert told(snapshot, "hv01") == [
        ("host web-vm01", "down", "runs on hv01", 1),
        ("service web on web-vm01", "down", "runs on web-vm01", 2),
        ("alias www", "down", "points at web", 3),
    ]
    assert fate_of(snapshot, "hv01").counts == {"host": 1, "service": 1, "alias": 1, "segment": 0, "site": 0}
    assert [one.through for one in fate_of(snapshot, "hv01").fallen] == [
        "hv01",
        "web-vm01",
        "web on web-vm01",
    ]


def test_hypervisors_that_carry_each_other_are_followed_once():
    snapshot = site(host("a", hypervisor="b"), host("b", hypervisor="c"), host("c", hypervisor="a"))
    assert told(snapshot, "a") == [("host c", "down", "runs on a", 1), ("host b", "down", "runs on c", 2)]
    assert carriers(snapshot, snapshot.host_by_name["a"]) == ("b", "c", "a")
    assert told(site(host("a", hypervisor="a", services=["web"])), "a") == [
        ("service web on a", "down", "runs on a", 1)
    ]


def test_what_hangs_on_a_switch_is_cut_off_with_all_that_it_carries():
    snapshot = site(
        segment(),
        host("sw01", "192.0.2.2", form="sw"),
        host("hv01", "192.0.2.3", form="hv", switch="sw01", switch_port="5"),
        host("vm01", "192.0.2.4", hypervisor="hv01", services=["web"]),
    )
    assert told(snapshot, "sw01") == [
        ("host hv01", "cut off", "hangs on port 5 of sw01", 1),
        ("host vm01", "cut off", "runs on hv01", 2),
        ("service web on vm01", "cut off", "runs on vm01", 3),
    ]


def test_a_host_on_two_switches_loses_a_port_and_falls_with_both():
    from dataclasses import replace

    two = host("nas", "192.0.2.4", "192.0.2.5", services=["files"])
    wired = replace(
        two,
        interfaces=(
            replace(two.interfaces[0], switch="sw01", switch_port="1"),
            replace(two.interfaces[1], switch="sw02"),
        ),
    )
    apart = site(host("sw01", form="sw"), host("sw02", form="sw"), wired)
    assert told(apart, "sw01") == [("host nas", "degraded", "loses eth0, on port 1 of sw01", 1)]
    assert fates(apart)[0].counts["host"] == 0
    behind = host("sw02", "192.0.2.9", form="sw", switch="sw01", switch_port="24")
    in_line = site(host("sw01", form="sw"), behind, wired)
    assert told(in_line, "sw01") == [
        ("host sw02", "cut off", "hangs on port 24 of sw01", 1),
        ("host nas", "cut off", "hangs on sw02", 2),
        ("service files on nas", "cut off", "runs on nas", 3),
    ]


def test_segments_lose_their_gateway_dns_and_boot_server():
    snapshot = site(
        segment(gateway4="192.0.2.1", next_server="192.0.2.1"),
        segment("six", None, network6="2001:db8::/64", gateway6="2001:db8::1", dns_servers=("192.0.2.1",)),
        host("rt01", "192.0.2.1", form="rt", ipv6=("2001:db8::1",)),
        host("pi01", "192.0.2.5"),
    )
    assert told(snapshot, "rt01") == [
        (
            "segment management",
            "degraded",
            "loses its gateway 192.0.2.1; loses the DNS server 192.0.2.1; loses its boot server 192.0.2.1",
            1,
        ),
        ("segment six", "degraded", "loses the DNS server 192.0.2.1; loses its gateway 2001:db8::1", 1),
    ]
    assert fate_of(snapshot, "rt01").counts["segment"] == 2  # and no host of theirs falls


@pytest.mark.parametrize(
    ("mode", "more"), [("gateway", ""), ("bootstrap", ", which serves DHCP and DNS now")]
)
def test_a_site_loses_its_bootstrap_node(mode, more):
    newest = AuthorityFacts(mode, "ada", "2026-01-01T00:00:00+00:00", "why", "ph01")
    snapshot = site(host("ph01", "192.0.2.95"), authority=newest, authorities=(newest,))
    assert told(snapshot, "ph01") == [("site lab", "degraded", f"loses its bootstrap node ph01{more}", 1)]


def test_who_boots_from_a_host_is_degraded():
    from dataclasses import replace

    booted = host("ph01", "192.0.2.5")
    booted = replace(booted, interfaces=(replace(booted.interfaces[0], pxe_server="192.0.2.9"),))
    assert told(site(booted, host("tftp", "192.0.2.9")), "tftp") == [
        ("host ph01", "degraded", "eth0 boots from 192.0.2.9", 1)
    ]


def test_retired_hosts_neither_fall_nor_carry():
    snapshot = site(
        host("hv01", form="hv", status="retired"),
        host("hv02", form="hv"),
        host("vm01", hypervisor="hv02", status="retired", services=["web"]),
    )
    assert told(snapshot, "hv02") == [] and fates(snapshot) == ()


def test_the_worst_comes_first():
    snapshot = site(
        host("hv01", form="hv"),
        host("hv02", form="hv"),
        *(host(f"vm{n}", hypervisor="hv02", services=[f"s{n}"]) for n in range(3)),
        host("vm9", hypervisor="hv01"),
    )
    assert [(one.host, len(one.fallen)) for one in fates(snapshot)] == [
        ("hv02", 6),
        ("hv01", 1),
        ("vm0", 1),
        ("vm1", 1),
        ("vm2", 1),
    ]


def test_services_share_the_fate_of_a_host_or_of_its_hypervisor():
    snapshot = site(
        host("hv01", form="hv"),
        host("vm1", hypervisor="hv01", services=["a"]),
        host("vm2", hypervisor="hv01", services=["b"]),
        host("pi01", services=["c", "d"]),
        host("pi02", services=["alone"]),
    )
    assert [(one.carrier, [s.label for s in one.services]) for one in shared_fates(snapshot)] == [
        ("hv01", ["a", "b"]),
        ("pi01", ["c", "d"]),
    ]


def test_who_needs_a_host_goes_on_with_less_and_so_does_who_needs_what_falls_with_it():
    snapshot = site(
        segment(),
        host("hv01", "192.0.2.2", form="hv"),
        host("nas-vm01", "192.0.2.3", hypervisor="hv01"),
        host("web01", "192.0.2.4", needs=("nas-vm01",), services=["web"]),
        host("old01", "192.0.2.5", needs=("nas-vm01",), status="retired"),
    )
    assert told(snapshot, "nas-vm01") == [("host web01", "degraded", "needs nas-vm01", 1)]
    assert told(snapshot, "hv01") == [
        ("host nas-vm01", "down", "runs on hv01", 1),
        ("host web01", "degraded", "needs nas-vm01", 2),
    ]
