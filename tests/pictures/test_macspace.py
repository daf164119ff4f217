"""Which role and group holds which instances, and whose the VMIDs are."""

from __future__ import annotations

from inventory.pictures.macspace import instances, mac_space, vmid_space
from inventory.snapshot import IdentityFacts, RoleFacts
from tests.pictures.site import host, site

ROLES = (RoleFacts("dns", "01"), RoleFacts("bare"), RoleFacts("web", "50"))


def lab(*hosts, **facts):
    given = {"organisation": "de", "environment": "10", "roles": ROLES, **facts}
    return site(*hosts, **given)


def test_without_octets_nothing_can_be_read_back_and_it_says_what_to_do():
    space = mac_space(site(roles=ROLES))
    assert "declares no organisation and no environment octet" in space.refusal
    assert [use.role.slug for use in space.roles] == ["dns", "web"]


def test_instances_are_counted_by_role_and_group():
    snapshot = lab(
        host("a", None, mac="02:de:10:01:00:01", mac_kind="assigned"),
        host("b", None, mac="02:de:10:01:00:02", mac_kind="assigned"),
        host("c", None, mac="02:de:10:01:07:02", mac_kind="assigned"),
        host("d", None, mac="02:de:10:01:07:02", mac_kind="assigned"),
        identities=(
            IdentityFacts("mac", "02:de:10:01:00:ff", "quarantined", "gone", "2026-01-01", "2026-02-01"),
        ),
    )
    space = mac_space(snapshot)
    dns, web = space.roles
    assert [(g.group, g.used, g.quarantined, g.disputed, g.free) for g in dns.groups] == [
        ("00", 2, 1, 0, 252),
        ("07", 0, 0, 1, 254),
    ]
    assert web.groups == ()
    assert [role.slug for role in space.without_code] == ["bare"]
    slots = instances(space, "01", "00")
    assert len(slots) == 255
    assert (slots[0].label, slots[0].state, slots[0].hosts) == ("01", "used", ("a",))
    assert (slots[2].value, slots[2].state) == ("02:de:10:01:00:03", "free")
    assert (slots[254].state, slots[254].hosts, slots[254].until) == ("quarantined", ("gone",), "2026-02-01")
    assert instances(space, "01", "07")[1].hosts == ("c", "d")


def test_assigned_macs_that_name_nothing_are_told_with_the_reason():
    snapshot = lab(
        host("a", None, mac="02:de:99:01:00:01", mac_kind="assigned"),
        host("b", None, mac="02:de:10:77:00:01", mac_kind="assigned"),
        host("c", None, mac="02:de:10:01:00:00", mac_kind="assigned"),
        host("d", None, mac="00:00:5e:00:53:01"),
    )
    assert [(stray.host, stray.why) for stray in mac_space(snapshot).strays] == [
        ("a", "does not begin with 02:de:10, as the MACs of this site do"),
        ("b", "names role code 77, which no role has"),
        ("c", "names instance 00, which is none"),
    ]


def test_vmids_of_the_range_and_outside_of_it():
    snapshot = site(
        host("a", vmid=100),
        host("b", vmid=101),
        host("c", vmid=101),
        host("out", vmid=900),
        host("gone", vmid=103, status="retired"),
        vmid_first=100,
        vmid_last=104,
        identities=(IdentityFacts("vmid", "103", "quarantined", "gone"),),
    )
    space = vmid_space(snapshot)
    assert [(slot.label, slot.state) for slot in space.page(None)] == [
        ("100", "used"),
        ("101", "disputed"),
        ("102", "free"),
        ("103", "quarantined"),
        ("104", "free"),
    ]
    assert [slot.label for slot in space.outside] == ["900"]
    assert {
        state: space.count(state) for state in ("used", "free", "quarantined", "disputed", "outside")
    } == {
        "used": 1,
        "free": 2,
        "quarantined": 1,
        "disputed": 1,
        "outside": 1,
    }


def test_a_large_range_is_seen_a_page_at_a_time():
    space = vmid_space(site(vmid_first=100, vmid_last=999999))
    assert len(space.page(None)) == 1024
    assert space.page(1124)[0].label == "1124"
    assert space.page(5)[0].label == "100"
    assert [slot.label for slot in space.page(999999)] == ["999999"]


def test_a_site_without_a_range_shows_what_hosts_have():
    space = vmid_space(site(host("a", vmid=7)))
    assert space.page(None) == () and [slot.label for slot in space.outside] == ["7"]
