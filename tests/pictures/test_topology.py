"""The picture of a site: what is chosen, where it stands, and that nothing overlaps."""

from __future__ import annotations

import itertools

import pytest

from inventory.pictures.drawing import CHARACTER, WIDTH, draw, fitting
from inventory.pictures.topology import DRAWN, Wanted, choices, topology
from tests.pictures.site import host, segment, site


def lab(**facts):
    return site(
        segment(vlan=99, gateway4="192.0.2.1"),
        segment("tenant", "198.51.100.0/24", vlan=50, gateway4="198.51.100.1"),
        host("rt01", "192.0.2.1", form="rt", services=["dns", "dhcp"]),
        host("sw01", "192.0.2.2", form="sw"),
        host("hv01", "192.0.2.3", form="hv", switch="sw01", switch_port="10"),
        host("hv02", "192.0.2.4", form="hv", plane="tenant", switch="sw01", switch_port="2"),
        host("vm01", "192.0.2.5", form="vm", hypervisor="hv01", services=["web"]),
        host("vm02", "198.51.100.5", form="vm", hypervisor="hv02", plane="tenant", segment="tenant"),
        host("old", "192.0.2.9", status="retired"),
        host("box", form="ph"),
        **facts,
    )


def bands(found):
    return {band.name: band for band in found.bands}


def machines(band):
    return {one.host.name: [guest.host.name for guest in one.guests] for one in band.machines}


def test_hosts_stand_in_their_segments_and_machines_in_their_hypervisors():
    found = topology(lab())
    assert [band.name for band in found.bands] == ["tenant", "management", ""]
    assert machines(bands(found)["management"]) == {"hv01": ["vm01"], "hv02": ["vm02"]}
    assert machines(bands(found)[""]) == {"box": []}
    assert [(one.host, one.inside) for one in bands(found)["tenant"].references] == [("vm02", "hv02")]


def test_routers_and_switches_stand_at_the_top_alone():
    found = topology(lab())
    assert [one.host.name for one in found.routers] == ["rt01"]
    (switch,) = found.switches
    assert [(port.label, port.host) for port in switch.ports] == [("2", "hv02"), ("10", "hv01")]
    assert bands(found)["management"].routers == ("rt01",)


def test_a_port_may_name_a_switch_that_is_no_host():
    (switch,) = topology(site(segment(), host("a", "192.0.2.5", switch="attic"))).switches
    assert (switch.name, switch.host) == ("attic", None)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (Wanted(), 7),
        (Wanted(segment="tenant"), 1),
        (Wanted(plane="tenant"), 2),
        (Wanted(form="vm"), 2),
        (Wanted(status="retired"), 1),
        (Wanted(hypervisor="hv01"), 2),
        (Wanted(segment="management", form="vm"), 1),
        (Wanted(segment="nowhere"), 0),
        (Wanted(segment=""), 1),
    ],
)
def test_a_filter_leaves_what_is_asked_for(wanted, number):
    assert topology(lab(), wanted).number == number


def test_a_machine_whose_hypervisor_is_filtered_away_stands_alone_and_says_so():
    found = topology(lab(), Wanted(form="vm"))
    (machine,) = bands(found)["management"].machines
    assert (machine.host.name, machine.on) == ("vm01", "hv01")


def test_a_hypervisor_says_how_many_machines_are_not_drawn():
    (machine,) = (
        one for one in bands(topology(lab(), Wanted(segment="management")))["management"].machines if one.more
    )
    assert (machine.host.name, machine.more) == ("hv02", 1)


def test_hypervisors_in_a_circle_stand_beside_each_other():
    snapshot = site(
        host("a", hypervisor="b"),
        host("b", hypervisor="a"),
        host("c", hypervisor="a"),
        host("d", hypervisor="d"),
    )
    assert machines(bands(topology(snapshot))[""]) == {"a": ["c"], "b": [], "d": []}


def test_the_fullest_segments_become_counts_until_the_rest_fits():
    many = [host(f"h{n:04}", f"10.0.{n // 250}.{n % 250 + 1}", form="pi") for n in range(DRAWN + 1)]
    few = [host("x", "192.0.2.5", segment="few", form="em")]
    snapshot = site(segment(network="10.0.0.0/8"), segment("few"), *many, *few)
    found = bands(topology(snapshot))
    assert found["management"].collapsed and found["management"].forms == (("pi", DRAWN + 1),)
    assert not found["few"].collapsed
    alone = bands(topology(snapshot, Wanted(segment="management")))["management"]
    assert (len(alone.machines), alone.left_out) == (DRAWN, 1)


def test_what_can_be_asked_for():
    assert choices(lab())["form"] == ("hv", "ph", "rt", "sw", "vm")
    assert choices(lab())["segment"] == ("management", "tenant")


def test_an_empty_site_is_an_empty_sheet():
    drawing = draw(topology(site()))
    assert drawing.nodes == () and drawing.lines == ()


def test_the_same_site_looks_the_same():
    assert draw(topology(lab())) == draw(topology(lab()))


def test_text_is_cut_to_its_box():
    assert fitting("short", 100) == "short"
    assert fitting("x" * 40, 100) == "x" * 15 + "…"


def estate():
    """Long names, many services, nested hypervisors, many ports."""
    names = ["a-very-long-name-of-a-host-that-nobody-would-like-to-type-01", "x"]
    parts = [
        segment(vlan=1, gateway4="192.0.2.1"),
        segment("s" * 60, "198.51.100.0/24", gateway4="198.51.100.1"),
    ]
    parts += [host("rt", "192.0.2.1", form="rt"), host("rt2", "198.51.100.1", form="rt", segment="s" * 60)]
    parts += [host(f"sw{n}", "192.0.2.2", form="sw") for n in range(20)]
    for number, name in itertools.product(range(30), names):
        parts.append(
            host(
                f"{name}-{number}",
                f"192.0.2.{number + 3}",
                form="vm",
                hypervisor="hv" if number % 3 else "",
                switch="sw1",
                switch_port=str(number),
                segment="management" if number % 2 else "s" * 60,
                services=[f"{'long' * (number % 9)}{n}-{number}-{name}" for n in range(number % 7)],
            )
        )
    return site(
        *parts,
        host("hv", "192.0.2.99", form="hv", hypervisor="outer"),
        host("outer", "192.0.2.98", form="hv"),
    )


@pytest.mark.parametrize("snapshot", [lab(), estate()], ids=["lab", "estate"])
@pytest.mark.parametrize("wanted", [Wanted(), Wanted(form="vm"), Wanted(segment="management")], ids=str)
def test_nothing_overlaps_and_no_text_leaves_its_box(snapshot, wanted):
    drawing = draw(topology(snapshot, wanted))
    boxes = [(n.x, n.y, n.x + n.width, n.y + n.height) for n in drawing.nodes]
    assert all(x >= 0 and right <= WIDTH and bottom <= drawing.height for x, _, right, bottom in boxes)
    for (a, one), (b, other) in itertools.combinations(zip(boxes, drawing.nodes, strict=True), 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        inside = a[0] <= b[0] and a[1] <= b[1] and b[2] <= a[2] and b[3] <= a[3]
        assert apart or inside, (one, other)
    texts = []
    for node in drawing.nodes:
        for text in node.texts:
            box = (text.x, text.y - 10, text.x + len(text.text) * CHARACTER[text.kind], text.y + 3)
            assert node.x <= box[0] and box[2] <= node.x + node.width + 1, text
            assert node.y <= box[1] and box[3] <= node.y + node.height, text
            texts.append((box, text))
    for (a, one), (b, other) in itertools.combinations(texts, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (one, other)
