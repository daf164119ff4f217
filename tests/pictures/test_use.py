"""How full a segment is."""

from __future__ import annotations

import pytest

from inventory.allocation.choosing import Taken, lowest_address
from inventory.numbers import number4
from inventory.pictures.addresses import addresses_of
from inventory.pictures.use import segment_use, use_by_name
from inventory.snapshot import IdentityFacts
from tests.pictures.site import host, segment, site


def only(snapshot):
    (use,) = segment_use(snapshot)
    return use


def test_a_site_without_segments_has_no_use():
    assert segment_use(site()) == ()


def test_hosts_and_the_gateway_are_used():
    use = only(site(segment(gateway4="192.0.2.1", vlan=99), host("a", "192.0.2.1"), host("b", "192.0.2.2")))
    assert (use.vlan, use.network, use.total, use.used, use.percent) == (99, "192.0.2.0/24", 254, 2, 1)


@pytest.mark.parametrize(
    ("network", "total"),
    [
        ("192.0.2.0/30", 2),
        ("192.0.2.0/31", 2),
        ("192.0.2.0/32", 1),
        ("192.0.2.0/23", 510),
        ("10.0.0.0/8", 16777214),
    ],
)
def test_any_prefix_has_its_number_of_addresses(network, total):
    assert only(site(segment(network=network))).total == total


def test_an_address_that_two_hosts_claim_is_one():
    assert only(site(segment(), host("a", "192.0.2.9"), host("b", "192.0.2.9"))).used == 1


def test_a_retired_host_uses_nothing():
    assert only(site(segment(), host("a", "192.0.2.9", status="retired"))).used == 0


def test_quarantined_addresses_are_used():
    waiting = IdentityFacts("ip", "192.0.2.9", "quarantined", "gone")
    use = only(site(segment(), identities=(waiting,)))
    assert (use.used, use.quarantined) == (1, 1)


def test_a_segment_of_ipv6_alone_counts_its_hosts_and_no_total():
    six = segment("six", None, network6="2001:db8::/64")
    use = only(site(six, host("a", None, ipv6=("2001:db8::a",)), host("b", None, ipv6=("2001:db8:1::a",))))
    assert (use.network, use.total, use.used, use.percent) == ("2001:db8::/64", 0, 1, 0)


def test_a_segment_without_a_network_is_empty():
    use = only(site(segment("blackhole", None)))
    assert (use.network, use.total, use.used) == ("", 0, 0)


def test_free_static_leaves_out_what_allocation_leaves_out():
    snapshot = site(
        segment(
            gateway4="192.0.2.1",
            static_range=("192.0.2.0", "192.0.2.20"),
            pool=("192.0.2.18", "192.0.2.30"),
            delegated=[("192.0.2.10", "192.0.2.12"), ("192.0.2.12", "192.0.2.13")],
        ),
        segment("other", "198.51.100.0/24", dns_servers=("192.0.2.5",)),
        host("a", "192.0.2.2"),
        host("b", "192.0.2.11"),
        identities=(IdentityFacts("ip", "192.0.2.3", "quarantined", "gone"),),
    )
    found = use_by_name(snapshot)["management"]
    assert found.free_static == len(_handed_out(snapshot)) == 9
    assert found.pool_size == 13


def _handed_out(snapshot):
    """One address after the other, until allocation refuses."""
    mine = snapshot.segment_by_name["management"]
    known = addresses_of(snapshot)
    values = {f"192.0.2.{number}" for number in range(256) if number4(f"192.0.2.{number}") in known.marks}
    handed: list[str] = []
    while True:
        try:
            handed.append(lowest_address(mine, snapshot.segments, Taken(frozenset(values | set(handed)))))
        except ValueError:
            return handed


def test_a_segment_that_takes_no_static_mappings_has_none_free():
    dynamic = segment(policy="dynamic", static_range=("192.0.2.2", "192.0.2.20"))
    assert only(site(dynamic)).free_static == 0


def test_a_full_segment_alone_is_at_a_hundred_percent():
    full = [host(f"h{n}", f"192.0.2.{n}") for n in (1, 2)]
    assert only(site(segment(network="192.0.2.0/30"), *full)).percent == 100
    many = [host(f"h{n}", f"192.0.2.{n}") for n in range(1, 254)]
    assert only(site(segment(), *many)).percent == 99
