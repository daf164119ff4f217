"""Another MAC for what had one assigned: with a reason, in one change, and after a look at what names the old one."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from inventory.allocation import Refused, reidentifying
from inventory.changes import change
from inventory.models import Change, Group, Host, Identity, Interface, Segment, Site
from tests.allocation.conftest import ask

pytestmark = pytest.mark.django_db

OLD, NEW = "02:de:20:01:00:01", "02:de:20:01:00:02"


@pytest.fixture
def eth0(site, machine) -> Interface:
    """dns-vm01/eth0 with an assigned MAC and both addresses, named in a group's variables."""
    machine("dns-vm01")
    ask(site, host="dns-vm01", mac=True, address=True, family="both", segment="management")
    named: Any = {"files": ["grub.cfg-01-02-de-20-01-00-01"], "jinja": f"{{{{ '{OLD}' }}}}"}
    with change(site, by="fixture"):
        Group(site=site, name="boot", variables=named).save()
    return Interface.objects.get()


def states(value: str) -> list[str]:
    return list(Identity.objects.active().filter(value=value).values_list("state", flat=True))


def test_the_next_mac_is_given_and_the_old_one_withheld(eth0):
    reidentifying.reidentify(eth0, by="ada", why="a clone kept the card")
    row = Interface.objects.get()
    assert (row.mac, row.mac_kind, row.ipv4) == (NEW, "assigned", "192.0.2.2")
    assert (states(OLD), states(NEW)) == (["quarantined"], ["held"])
    assert Change.objects.latest("id").why == "a clone kept the card"


def test_the_eui64_address_follows_and_the_old_one_is_withheld(eth0):
    old = eth0.ipv6[0]
    reidentifying.reidentify(eth0, by="ada", why="new card")
    assert Interface.objects.get().ipv6 == ["2001:db8:99:0:de:20ff:fe01:2"]
    assert states(old) == ["quarantined"]


def test_the_plan_shows_what_moves_and_what_names_the_old_values(eth0):
    plan = reidentifying.plan(eth0)
    assert [str(move) for move in plan.moves] == [
        f"MAC {OLD} → {NEW}",
        "IPv6 address of dns-vm01/eth0 2001:db8:99:0:de:20ff:fe01:1 → 2001:db8:99:0:de:20ff:fe01:2",
    ]
    assert [(place.subject, place.where) for place in plan.places] == [
        ("group boot", "variables.files.0"),
        ("group boot", "variables.jinja"),
    ]
    assert Interface.objects.get().mac == OLD


def test_interfaces_of_the_host_with_the_same_mac_move_together(eth0, site):
    with change(site, by="test"):
        Interface(host=eth0.host, name="br0", position=1, mac=OLD).save()
    reidentifying.reidentify(eth0, by="ada", why="new card")
    assert set(Interface.objects.values_list("mac", flat=True)) == {NEW}
    assert states(OLD) == ["quarantined"]


def test_in_the_encoding_vmid_the_machine_gets_the_next_vmid_too(site, machine):
    with change(site, by="test"):
        site.mac_encoding = "vmid"
        site.save()
    machine("dns-vm01")
    ask(site, host="dns-vm01", mac=True)
    plan = reidentifying.plan(Interface.objects.get(), surveyed={201})
    assert [str(move) for move in plan.moves] == [
        "MAC 02:de:20:00:00:c8 → 02:de:20:00:00:ca",
        "VMID 200 → 202",
    ]
    reidentifying.reidentify(
        Interface.objects.get(), by="ada", why="the number is used elsewhere", surveyed={201}
    )
    assert (Host.objects.get().vmid, Interface.objects.get().mac) == (202, "02:de:20:00:00:ca")
    assert states("200") == ["quarantined"]


def test_the_command_is_told_which_vmids_the_hypervisors_have(site, machine, capsys):
    with change(site, by="test"):
        site.mac_encoding = "vmid"
        site.save()
    machine("dns-vm01")
    ask(site, host="dns-vm01", mac=True)
    call_command("reidentify", "dns-vm01/eth0", site="lab", why="taken")
    assert "The hypervisors were not asked" in capsys.readouterr().err
    call_command("reidentify", "dns-vm01/eth0", site="lab", why="taken", surveyed="201,202")
    said = capsys.readouterr()
    assert "VMID 200 → 203" in said.out
    assert "not asked" not in said.err


def test_after_another_vmid_the_mac_is_made_of_that_one(site, machine):
    with change(site, by="test"):
        site.mac_encoding = "vmid"
        site.save()
    machine("dns-vm01")
    ask(site, host="dns-vm01", mac=True)
    with change(site, by="test"):
        host = Host.objects.get()
        host.vmid = 204
        host.save()
    plan = reidentifying.plan(Interface.objects.get())
    assert [str(move) for move in plan.moves] == ["MAC 02:de:20:00:00:c8 → 02:de:20:00:00:cc"]


def test_it_asks_why(eth0):
    with pytest.raises(Refused, match="Say why; a new identity is asked about later"):
        reidentifying.reidentify(eth0, by="ada", why=" ")


def test_what_was_shown_is_what_is_given(eth0, site, machine):
    shown = reidentifying.plan(eth0).new_mac
    machine("dns-vm02")
    ask(site, host="dns-vm02", mac=True)
    with pytest.raises(
        Refused, match=f"{shown} was shown, and meanwhile the next MAC is 02:de:20:01:00:03; look again"
    ):
        reidentifying.reidentify(eth0, by="ada", why="new card", expected=shown)


def test_an_observed_mac_is_not_reidentified(machine):
    machine("dns-ph01", {"mac": "bc:24:11:ce:51:ec"}, form="ph")
    with pytest.raises(Refused, match="dns-ph01/eth0 has no assigned MAC; an observed one is edited"):
        reidentifying.plan(Interface.objects.get())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"mac": "02:de:20:01:00:77"},
            f"{OLD} is assigned to dns-vm01/eth0 and cannot be edited; re-identify",
        ),
        ({"mac": None}, f"{OLD} is assigned to dns-vm01/eth0 and cannot be edited"),
        ({"mac": "bc:24:11:ce:51:ec", "mac_kind": "observed"}, "cannot be edited"),
        ({"mac_kind": "observed"}, f"{OLD} was assigned here; it does not become observed"),
    ],
)
def test_a_person_cannot_edit_an_assigned_mac(eth0, site, fields, said):
    for name, value in fields.items():
        setattr(eth0, name, value)
    with pytest.raises(ValidationError) as caught, change(site, by="ada"):
        eth0.save()
    assert said in " ".join(caught.value.messages)


def test_an_import_may_since_a_living_site_is_told_as_it_is(eth0, site):
    eth0.mac = "02:de:20:01:00:77"
    with change(site, by="import", source="import"):
        eth0.save()
    assert Interface.objects.get().mac == "02:de:20:01:00:77"


def test_everything_else_of_the_interface_can_be_edited(eth0, site):
    eth0.reservation = not eth0.reservation
    with change(site, by="ada"):
        eth0.save()


def test_a_vendors_address_is_nobodys_to_assign(site, machine):
    host = machine("dns-vm01")
    with (
        pytest.raises(ValidationError, match="bc:24:11:ce:51:ec is a vendor's address, which nobody assigns"),
        change(site, by="ada"),
    ):
        Interface(host=host, name="eth0", mac="bc:24:11:ce:51:ec", mac_kind="assigned").save()


def test_the_command_plans_and_applies(eth0, capsys):
    call_command("reidentify", "dns-vm01/eth0", site="lab", why="new card")
    said = capsys.readouterr()
    assert f"MAC {OLD} → {NEW}" in said.out
    assert "named elsewhere, where it stays as it is: 2" in said.out
    assert "    group boot, variables.files.0: grub.cfg-01-02-de-20-01-00-01" in said.out
    assert "Nothing was changed; --apply does it." in said.err
    assert Interface.objects.get().mac == OLD
    call_command("reidentify", "dns-vm01/eth0", "--apply", site="lab", why="new card")
    assert Interface.objects.get().mac == NEW
    with pytest.raises(CommandError, match=r"no interface “dns-vm01/eth9” in site lab; .*dns-vm01/eth0"):
        call_command("reidentify", "dns-vm01/eth9", site="lab", why="x")


# --- moving within one change ---


def test_a_mac_an_address_and_a_name_move_between_two_hosts_in_one_change_in_any_order(site, machine):
    lan = Segment.objects.get(name="management")
    one = machine(
        "a-ph01",
        {"mac": "bc:24:11:00:00:01", "segment": lan, "addressing": "static", "ipv4": "192.0.2.2"},
        form="ph",
    )
    two = machine(
        "b-ph01",
        {"mac": "bc:24:11:00:00:02", "segment": lan, "addressing": "static", "ipv4": "192.0.2.3"},
        form="ph",
    )
    first, second = Interface.objects.get(host=one), Interface.objects.get(host=two)
    with change(Site.objects.get(), by="ada", why="the cards were swapped"):
        first.mac, first.ipv4 = "bc:24:11:00:00:02", "192.0.2.3"
        first.save()
        second.mac, second.ipv4 = "bc:24:11:00:00:01", "192.0.2.2"
        second.save()
    held = Identity.objects.filter(state="held", kind__in=["mac", "ip"]).values_list("value", "host_name")
    assert dict(held) == {
        "bc:24:11:00:00:01": "b-ph01",
        "192.0.2.2": "b-ph01",
        "bc:24:11:00:00:02": "a-ph01",
        "192.0.2.3": "a-ph01",
    }
    assert not Identity.objects.filter(state="quarantined").exists()


def test_taking_what_the_other_keeps_is_still_refused(site, machine):
    machine("a-ph01", {"mac": "bc:24:11:00:00:01"}, form="ph")
    two = machine("b-ph01", {}, form="ph")
    row = Interface.objects.get(host=two)
    row.mac = "bc:24:11:00:00:01"
    said = "bc:24:11:00:00:01 belongs to a-ph01; give b-ph01 another"
    with pytest.raises(ValidationError, match=said), change(site, by="ada"):
        row.save()
