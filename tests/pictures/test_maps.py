"""The map of a segment: which state an address is shown in, and networks of every size."""

from __future__ import annotations

import pytest

from inventory.pictures.maps import NoSuchNetwork, address_map
from inventory.snapshot import IdentityFacts
from tests.pictures.site import host, segment, site


def mapped(snapshot, part=""):
    return address_map(snapshot, snapshot.segment_by_name["management"], part)


def cell(snapshot, last):
    return next(one for one in mapped(snapshot).cells if one.address == f"192.0.2.{last}")


FULL = segment(
    gateway4="192.0.2.1",
    dns_servers=("192.0.2.53", "2001:db8::53"),
    next_server="192.0.2.69",
    static_range=("192.0.2.2", "192.0.2.49"),
    pool=("192.0.2.100", "192.0.2.200"),
    delegated=[("192.0.2.80", "192.0.2.89")],
)


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (0, "edge"),
        (1, "gateway"),
        (2, "free"),
        (50, "outside"),
        (53, "infrastructure"),
        (69, "infrastructure"),
        (80, "delegated"),
        (100, "pool"),
        (255, "edge"),
    ],
)
def test_an_address_is_what_its_segment_says(last, state):
    assert cell(site(FULL), last).state == state


def test_a_host_is_told_with_its_mac_and_a_reservation_is_another_state():
    snapshot = site(
        FULL, host("a", "192.0.2.5", mac="00:00:5e:00:53:01"), host("b", "192.0.2.6", reservation=True)
    )
    assert (cell(snapshot, 5).state, cell(snapshot, 6).state) == ("host", "reserved")
    (mark,) = cell(snapshot, 5).marks
    assert (mark.host, mark.says, mark.mac) == ("a", "a/eth0", "00:00:5e:00:53:01")


def test_all_that_an_address_is_is_told_the_gravest_first():
    waiting = IdentityFacts("ip", "192.0.2.100", "quarantined", "gone", "2026-01-01", "2026-02-01")
    snapshot = site(FULL, host("a", "192.0.2.100"), host("b", "192.0.2.100"), identities=(waiting,))
    found = cell(snapshot, 100)
    assert [mark.state for mark in found.marks] == ["disputed", "host", "host", "quarantined", "pool"]
    assert found.marks[0].says == "claimed by a and b"
    assert found.host == "a" and not found.can_be_given


def test_the_gateway_names_the_host_that_has_it():
    found = cell(site(FULL, host("rt", "192.0.2.1")), 1)
    assert (found.state, found.host) == ("gateway", "rt")


def test_a_quarantined_address_belongs_to_nobody_and_is_not_given():
    waiting = IdentityFacts("ip", "192.0.2.9", "quarantined", "gone", "2026-01-01", "2026-02-01")
    found = cell(site(FULL, identities=(waiting,)), 9)
    assert (found.state, found.host, found.can_be_given) == ("quarantined", "", False)
    assert (found.marks[0].since, found.marks[0].until) == ("2026-01-01", "2026-02-01")


def test_an_address_that_the_ledger_disputes_is_disputed_once():
    known = IdentityFacts("ip", "192.0.2.9", "disputed", "a")
    snapshot = site(FULL, host("a", "192.0.2.9"), host("b", "192.0.2.9"), identities=(known,))
    assert [mark.state for mark in cell(snapshot, 9).marks] == ["disputed", "host", "host"]


def test_the_pool_of_an_overlapping_segment_is_seen():
    other = segment("other", "192.0.2.0/25", pool=("192.0.2.10", "192.0.2.11"))
    assert cell(site(FULL, other), 10).marks[0].says == "DHCP pool of other"


def test_free_addresses_can_be_given_unless_the_segment_takes_no_static_mappings():
    assert cell(site(FULL), 2).can_be_given and cell(site(FULL), 50).can_be_given
    assert not cell(site(segment(policy="dynamic")), 2).can_be_given


def test_addresses_that_stand_in_fields_which_claim_nothing_are_infrastructure():
    snapshot = site(
        segment(),
        host(
            "a",
            "192.0.2.9",
            bootstrap_ipv4="192.0.2.10",
            out_of_band={"type": "ipmi", "address": "192.0.2.121"},
        ),
    )
    assert [cell(snapshot, last).state for last in (10, 121)] == ["infrastructure", "infrastructure"]
    assert cell(snapshot, 121).marks[0].says == "out-of-band access of a"


def test_every_cell_is_counted_once():
    counts = mapped(site(FULL)).counts
    assert sum(counts.values()) == 256
    assert counts["pool"] == 101 and counts["edge"] == 2 and counts["gateway"] == 1


@pytest.mark.parametrize(
    ("network", "cells", "blocks", "first"),
    [
        ("192.0.2.0/24", 256, 0, ""),
        ("192.0.2.64/26", 64, 0, ""),
        ("192.0.2.4/30", 4, 0, ""),
        ("192.0.2.4/31", 2, 0, ""),
        ("192.0.2.4/32", 1, 0, ""),
        ("192.0.2.0/23", 0, 2, "192.0.2.0/24"),
        ("198.51.0.0/22", 0, 4, "198.51.0.0/24"),
        ("10.0.0.0/16", 0, 256, "10.0.0.0/24"),
        ("10.0.0.0/12", 0, 256, "10.0.0.0/20"),
        ("10.0.0.0/8", 0, 256, "10.0.0.0/16"),
        ("0.0.0.0/0", 0, 256, "0.0.0.0/8"),
    ],
)
def test_any_prefix_has_cells_or_blocks(network, cells, blocks, first):
    found = mapped(site(segment(network=network)))
    assert (len(found.cells), len(found.blocks)) == (cells, blocks)
    assert not blocks or found.blocks[0].network == first


def test_the_ends_of_a_31_are_hosts():
    found = mapped(site(segment(network="192.0.2.4/31")))
    assert [one.state for one in found.cells] == ["outside", "outside"]


def test_one_goes_into_a_block_and_sees_the_way_back():
    snapshot = site(segment(network="10.0.0.0/12"), host("a", "10.0.17.5"))
    assert mapped(snapshot).blocks[1].used == 1
    found = mapped(snapshot, "10.0.16.0/20")
    assert [one.network for one in found.blocks][:2] == ["10.0.16.0/24", "10.0.17.0/24"]
    found = mapped(snapshot, "10.0.17.0/24")
    assert found.around == ("10.0.0.0/12", "10.0.16.0/20")
    assert found.cells[5].host == "a"
    assert found.cells[0].state == "outside"  # only the network's own ends are nobody's


def test_the_edges_of_a_larger_network_lie_in_its_first_and_last_block():
    snapshot = site(segment(network="198.51.0.0/22"))
    assert [one.total for one in mapped(snapshot).blocks] == [255, 256, 256, 255]
    assert mapped(snapshot, "198.51.0.0/24").cells[0].state == "edge"
    assert mapped(snapshot, "198.51.3.0/24").cells[255].state == "edge"


def test_a_block_says_what_is_the_matter_in_it():
    waiting = IdentityFacts("ip", "198.51.1.9", "quarantined", "gone")
    snapshot = site(
        segment(network="198.51.0.0/22", pool=("198.51.2.0", "198.51.3.9")),
        host("a", "198.51.0.9"),
        host("b", "198.51.0.9"),
        identities=(waiting,),
    )
    blocks = mapped(snapshot).blocks
    assert [(b.disputed, b.quarantined, b.has_pool) for b in blocks] == [
        (1, 0, False),
        (0, 1, False),
        (0, 0, True),
        (0, 0, True),
    ]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("198.51.100.0/24", "198.51.100.0/24 lies outside 192.0.2.0/24 of segment management."),
        ("192.0.0.0/16", "lies outside"),
        ("rubbish", "“rubbish” is not a network"),
        ("192.0.2.1/24", "is not a network"),
        ("2001:db8::/64", "is not a network"),
    ],
)
def test_what_is_no_part_of_the_segment_is_refused(part, said):
    with pytest.raises(NoSuchNetwork, match=said.replace(".", r"\.")):
        mapped(site(segment()), part)


def test_a_part_of_a_segment_without_ipv4_is_refused():
    with pytest.raises(NoSuchNetwork, match="has no IPv4 network to look into"):
        mapped(site(segment(network=None)), "192.0.2.0/24")


def test_a_segment_without_a_network_has_an_empty_map():
    found = mapped(site(segment(network=None)))
    assert (found.cells, found.blocks, found.known6) == ((), (), ())


def test_ipv6_is_a_list_of_what_is_known():
    snapshot = site(
        segment(network=None, network6="2001:db8::/64", gateway6="2001:db8::1"),
        host("b", None, ipv6=("2001:db8::b",)),
        host("a", None, ipv6=("2001:db8::a", "2001:db8:9::a")),
        identities=(IdentityFacts("ip", "2001:db8::c", "quarantined", "gone"),),
    )
    assert [(one.address, one.state) for one in mapped(snapshot).known6] == [
        ("2001:db8::1", "gateway"),
        ("2001:db8::a", "host"),
        ("2001:db8::b", "host"),
        ("2001:db8::c", "quarantined"),
    ]
