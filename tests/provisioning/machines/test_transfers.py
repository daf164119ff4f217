"""Which transfers cross the router."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot
from provisioning.machines import transfers
from provisioning.machines.facts import StorageFacts, Version
from provisioning.surveying.survey import Survey, as_json, from_json

MANAGEMENT = SegmentFacts("management", vlan=99, network4="192.0.2.0/25", network6="2001:db8:99::/64")
STORAGE = SegmentFacts("storage", vlan=20, network4="192.0.2.128/25")


def card(host: str, segment: str, ipv4: str, name: str = "eth0") -> InterfaceFacts:
    return InterfaceFacts(host=host, name=name, segment=segment, addressing="static", ipv4=ipv4, primary=True)


def site(*hypervisor_cards: InterfaceFacts) -> Snapshot:
    hypervisor = HostFacts("hv01", form="hv", interfaces=hypervisor_cards)
    nas = HostFacts(
        "nas-ph01",
        form="ph",
        interfaces=(card("nas-ph01", "storage", "192.0.2.200"),),
        services=(ServiceFacts("vault", host="nas-ph01"),),
    )
    return Snapshot(
        site=SiteFacts("lab", root_domain="example.net"),
        segments=(MANAGEMENT, STORAGE),
        hosts=(hypervisor, nas),
    )


def survey(kind: str = "nfs", server: str = "192.0.2.200") -> Survey:
    far = StorageFacts("far", kind, frozenset({"backup"}), True, True, True, 1, 1, server)
    return Survey("hv01", "2026-01-01T00:00:00+00:00", Version("9.1.1"), "pve", (), (far,), ())


ALONE = site(card("hv01", "management", "192.0.2.10"))


def said(snapshot: Snapshot, seen: Survey) -> str:
    return " ".join(transfers.to_storage(snapshot, seen, "far", "the backup of vm01"))


def test_a_storage_in_another_segment_is_behind_the_router():
    assert said(ALONE, survey()) == (
        "The backup of vm01 writes to far on 192.0.2.200 in segment storage: hv01 is not there, so it crosses the router."
    )
    assert transfers.from_storage(ALONE, survey(), "far", "the restore")[0].startswith(
        "The restore reads from far"
    )


@pytest.mark.parametrize("server", ["nas-ph01", "NAS-ph01.lab.example.net.", "vault", "192.0.2.200:8007"])
def test_the_server_may_be_named_in_any_way(server):
    assert "crosses the router" in said(ALONE, survey(server=server))


@pytest.mark.parametrize(
    ("snapshot", "seen"),
    [
        (
            site(card("hv01", "management", "192.0.2.10"), card("hv01", "storage", "192.0.2.130", "eth1")),
            survey(),
        ),
        (ALONE, survey(server="192.0.2.77")),
        (ALONE, survey("cephfs", server="[2001:db8:99::5]:6789")),
        (ALONE, survey("lvmthin", server="")),
    ],
    ids=["a card in the storage's network", "the same network", "IPv6 with a port", "a local storage"],
)
def test_neighbours_do_not_cross_it(snapshot, seen):
    assert said(snapshot, seen) == ""


def test_what_is_not_known_is_said():
    assert "is not known" in said(ALONE, survey(server="elsewhere.example.org"))
    assert "the node does not say" in said(ALONE, survey(server=""))
    assert said(ALONE, replace(survey(), storages=())) == ""


def test_one_of_several_monitors_behind_the_router_is_named():
    assert said(ALONE, survey("rbd", "192.0.2.77, 192.0.2.201;192.0.2.78")).count("crosses the router") == 1


def test_a_survey_keeps_the_server_and_reads_those_from_before():
    assert from_json(as_json(survey())).storages[0].server == "192.0.2.200"
    old = as_json(survey())
    del old["storages"][0]["server"]
    assert from_json(old).storages[0].server == ""
