"""Each act does what its plan said, in one change, with what was given up in quarantine; else nothing at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inventory import reading
from inventory.acts import cloning, moving, nics, relocating, renaming
from inventory.acts.cloning import Like
from inventory.acts.doing import move_services, relocate, rename, replace_nic
from inventory.acts.effects import effects
from inventory.acts.making import clone_host
from inventory.acts.nearby import effects_nearby
from inventory.acts.plan import Changed
from inventory.acts.writing import Order
from inventory.allocation import Refused
from inventory.changes import change
from inventory.models import Change, Group, Host, Identity, Interface, Segment, VirtualMachine
from tests.acts.lab import facts_of, now
from tests.importers.nasty_trees import CIPHERTEXT

pytestmark = pytest.mark.django_db
NEW = "bc:24:11:00:00:99"


def order(**more) -> Order:
    return Order(**{"by": "ada", "why": "the card is broken", "source": "test", **more})


def snapshot(site):
    return reading.load(site.slug)


def at_once():
    return datetime.now(UTC)


def quarantined() -> set[str]:
    return set(Identity.objects.filter(state="quarantined").values_list("value", flat=True))


def eth0(host: str) -> Interface:
    return Interface.objects.select_related("host__site", "segment").get(host__name=host)


def moves(plan) -> dict[str, str]:
    return {move.what: f"{move.old} → {move.new}" for move in plan.moves}


# --- rename ---


@pytest.fixture
def talk(lab):
    """Variables that name pi02: alone, qualified, in Jinja, in text, sealed."""
    with change(lab, by="fixture"):
        group = Group.objects.get(name="pis")
        group.variables = {
            "mirror": "pi02",
            "urls": ["http://pi02/x", "pi02.lab.example.net"],
            "picked": "{{ hostvars['pi02'].x }}",
            "secret": {"__ansible_vault": CIPHERTEXT},
        }
        group.save()
    return lab


def test_a_host_is_renamed_as_its_plan_said(talk):
    before = talk.revision
    found = renaming.plan(snapshot(talk), "pi02", "pi09", at_once())
    assert moves(found) == {
        "Host, in the inventory and in SSH": "pi02 → pi09",
        "FQDN": "pi02.lab.example.net → pi09.lab.example.net",
        "Address record and reservation name of eth0": "pi02 → pi09",
        "CNAME artifacts points at": "pi02.lab.example.net → pi09.lab.example.net",
    }
    rename(Host.objects.get(name="pi02"), "pi09", order(expected=found.fingerprint))
    assert now(talk) == facts_of(found.draft)
    assert Change.objects.latest("id").revision == before + 1
    assert quarantined() == {"pi02"}


def test_only_whole_values_are_offered_and_all_else_is_listed(talk):
    found = renaming.plan(snapshot(talk), "pi02", "pi09", at_once())
    assert [(one.where, one.old, one.new) for one in found.literals] == [
        ("variables.mirror", "pi02", "pi09"),
        ("variables.urls.1", "pi02.lab.example.net", "pi09.lab.example.net"),
    ]
    assert [place.where for place in found.places] == ["variables.picked", "variables.urls.0"]
    assert [place.where for place in found.sealed] == ["variables.secret"]


def test_the_literals_that_were_ticked_are_replaced_in_the_same_change(talk):
    first = renaming.plan(snapshot(talk), "pi02", "pi09", at_once()).literals[1]
    found = renaming.plan(snapshot(talk), "pi02", "pi09", at_once(), {first.key})
    rename(Host.objects.get(name="pi02"), "pi09", order(expected=found.fingerprint), {first.key})
    assert Group.objects.get(name="pis").variables["urls"] == ["http://pi02/x", "pi09.lab.example.net"]
    assert Group.objects.get(name="pis").variables["mirror"] == "pi02"
    assert now(talk) == facts_of(found.draft)


def test_a_name_that_means_something_else_too_is_not_offered(talk):
    with change(talk, by="test"):
        Group(site=talk, name="pi02").save()
    found = renaming.plan(snapshot(talk), "pi02", "pi09", at_once())
    assert [one.where for one in found.literals] == ["variables.urls.1"]
    assert any(said.startswith("“pi02” names something else here as well") for said in found.warnings)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("pi03", "The site has a host pi03"),
        ("pi02", "It is called pi02 already."),
        ("artifacts", "artifacts is the name of a service that it carries"),
        ("Pi 9", "letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_words(lab, new, said):
    found = renaming.plan(snapshot(lab), "pi02", new, at_once())
    assert said in " ".join(found.problems)
    with pytest.raises(Refused):
        rename(Host.objects.get(name="pi02"), new, order())


# --- the plan that was shown is the plan that is done ---


def test_a_site_that_moved_on_gets_a_new_plan_and_no_change(lab):
    shown = nics.plan(snapshot(lab), "pi02", "eth0", NEW, at_once())
    with change(lab, by="somebody else"):
        host = Host.objects.get(name="pi03")
        host.notes = "pi02 has bc-24-11-00-00-02"
        host.save()
    with pytest.raises(Changed, match="The site has changed since; this is the plan now") as caught:
        replace_nic(eth0("pi02"), NEW, order(expected=shown.fingerprint))
    assert [place.subject for place in caught.value.plan.places] == ["host pi03"]
    assert eth0("pi02").mac == "bc:24:11:00:00:02"


def test_what_changed_elsewhere_changes_no_plan(lab):
    shown = nics.plan(snapshot(lab), "pi02", "eth0", NEW, at_once())
    with change(lab, by="somebody else"):
        host = Host.objects.get(name="pi03")
        host.notes = "on the shelf"
        host.save()
    replace_nic(eth0("pi02"), NEW, order(expected=shown.fingerprint))
    assert eth0("pi02").mac == NEW


def test_nothing_dangerous_is_done_without_a_reason(lab):
    with pytest.raises(Refused, match="Say why"):
        replace_nic(eth0("pi02"), NEW, order(why="  "))
    with pytest.raises(Refused, match="Say why"):
        rename(Host.objects.get(name="pi02"), "pi09", order(why=""))


# --- replace a NIC ---


def test_a_new_card_keeps_name_address_and_reservation(lab):
    found = nics.plan(snapshot(lab), "pi02", "eth0", NEW, at_once())
    assert moves(found) == {
        "MAC of eth0": "bc:24:11:00:00:02 → bc:24:11:00:00:99",
        "IPv6 address of eth0": "2001:db8:99:0:be24:11ff:fe00:2 → 2001:db8:99:0:be24:11ff:fe00:99",
        "Reservation of 192.0.2.3 is for": "bc:24:11:00:00:02 → bc:24:11:00:00:99",
    }
    replace_nic(eth0("pi02"), NEW, order(expected=found.fingerprint))
    assert now(lab) == facts_of(found.draft)
    assert quarantined() == {"bc:24:11:00:00:02", "2001:db8:99:0:be24:11ff:fe00:2"}


def test_a_card_that_nobody_has_read_yet_takes_its_ipv6_address_along(lab):
    found = nics.plan(snapshot(lab), "pi02", "eth0", "", at_once())
    assert moves(found)["IPv6 address of eth0"] == "2001:db8:99:0:be24:11ff:fe00:2 → "
    assert "no DHCP server serves its reservation" in found.warnings[0]
    replace_nic(eth0("pi02"), "", order(expected=found.fingerprint))
    assert now(lab) == facts_of(found.draft)


def test_boot_files_under_the_old_mac_are_listed(lab):
    with change(lab, by="test"):
        row = eth0("pi02")
        row.pxe_server, row.pxe_file = "192.0.2.4", "pxelinux.0"
        row.save()
    found = nics.plan(snapshot(lab), "pi02", "eth0", NEW, at_once())
    files = [(move.old, move.new) for move in found.moves if move.what == "Boot file"]
    assert files
    assert all("bc-24-11-00-00-02" in old and "bc-24-11-00-00-99" in new for old, new in files)


def test_interfaces_with_the_same_mac_follow(lab):
    with change(lab, by="test"):
        Interface(host=Host.objects.get(name="pi02"), name="br0", position=1, mac="bc:24:11:00:00:02").save()
    row = Interface.objects.select_related("host__site").get(host__name="pi02", name="eth0")
    found = nics.plan(snapshot(lab), "pi02", "eth0", NEW, at_once())
    replace_nic(row, NEW, order(expected=found.fingerprint))
    assert now(lab) == facts_of(found.draft)
    assert set(row.host.interfaces.values_list("mac", flat=True)) == {NEW}


@pytest.mark.parametrize(
    ("host", "mac", "said"),
    [
        ("pi02", "bc:24:11:00:00:03", "bc:24:11:00:00:03 belongs to pi03"),
        ("pi02", "01:00:5e:00:00:01", "multicast"),
        ("pi02", "bc:24:11:00:00:02", "pi02/eth0 has bc:24:11:00:00:02 already."),
        ("dns-vm01", NEW, "was assigned here and belongs to no card; re-identify dns-vm01/eth0"),
    ],
)
def test_a_mac_that_cannot_be_is_refused_in_words(lab, host, mac, said):
    with pytest.raises(Refused, match=said):
        replace_nic(eth0(host), mac, order())


# --- move services ---


def test_a_service_moves_as_its_plan_said(lab):
    found = moving.plan(snapshot(lab), [("pi02", "artifacts")], "pi03")
    assert moves(found) == {
        "CNAME artifacts.lab.example.net": "pi02.lab.example.net → pi03.lab.example.net",
        "Health check /health of artifacts is answered by": "pi02 → pi03",
        "Scrape target artifacts.lab.example.net:8080, label host": "pi02 → pi03",
    }
    assert found.follows[0] == "The alias files.example.net points at artifacts.lab.example.net and follows."
    move_services(lab, [("pi02", "artifacts")], "pi03", order(expected=found.fingerprint))
    assert now(lab) == facts_of(found.draft)
    assert quarantined() == set()


def test_places_that_name_the_old_host_for_this_service_come_first(lab):
    with change(lab, by="test"):
        lab.variables = {"artifacts_host": "pi02", "ntp": "pi02"}
        lab.save()
    found = moving.plan(snapshot(lab), [("pi02", "artifacts")], "pi03")
    assert [place.where for place in found.places] == ["variables.artifacts_host"]
    assert [place.where for place in found.beside] == ["variables.ntp"]


@pytest.mark.parametrize(("to", "said"), [("pi02", "artifacts: on pi02 already"), ("dns-vm01", "is retired")])
def test_a_service_that_cannot_move_is_refused_in_words(lab, to, said):
    with change(lab, by="test"):
        vm = Host.objects.get(name="dns-vm01")
        vm.status = "retired"
        vm.save()
    with pytest.raises(Refused, match=said):
        move_services(lab, [("pi02", "artifacts")], to, order())


# --- clone ---


def test_a_clone_is_the_next_ordinal_with_an_identity_of_its_own(lab):
    with change(lab, by="test"):
        vm = Host.objects.get(name="dns-vm01")
        vm.variables = {"zone": "lab", "self": "dns-vm01"}
        vm.save()
    like = Like("dns-vm01", hypervisor="hv01", groups=("pis",))
    found = cloning.plan(snapshot(lab), like, at_once())
    assert found.handed_out == ("dns-vm02", "201", "02:de:20:01:00:02", "192.0.2.5")
    assert [place.where for place in found.places] == ["variables.self"]
    made = clone_host(lab, like, order(why=""))
    assert now(lab) == facts_of(found.draft)
    assert Host.objects.get(pk=made.pk).groups.get().name == "pis"


def test_a_clone_is_made_from_the_same_and_on_another_hypervisor_from_its_defaults(lab):
    with change(lab, by="test"):
        vm = Host.objects.get(name="dns-vm01")
        VirtualMachine(host=vm, memory=8192, template="debian-13-", storage="fast", pool="web").save()
        Host(site=lab, name="hv02", form="hv").save()
    like = Like("dns-vm01", hypervisor="hv01")
    found = cloning.plan(snapshot(lab), like, at_once())
    assert found.host.machine == snapshot(lab).host_by_name["dns-vm01"].machine
    clone_host(lab, like, order())
    assert now(lab) == facts_of(found.draft)
    there = cloning.plan(snapshot(lab), replace(like, hypervisor="hv02"), at_once()).host.machine
    assert there and (there.memory, there.storage, there.pool) == (8192, "", "")


def test_hardware_is_cloned_with_a_blank_mac_and_without_services(lab):
    made = clone_host(lab, Like("pi02"), order())
    host = Host.objects.get(pk=made.pk)
    assert (host.name, host.services.count()) == ("pi01", 0)
    row = host.interfaces.get()
    assert (row.mac, row.ipv4, row.reservation) == (None, "192.0.2.5", True)


def test_a_service_can_move_to_the_clone(lab):
    like = Like("pi02", services=("artifacts",))
    found = cloning.plan(snapshot(lab), like, at_once())
    clone_host(lab, like, order())
    assert now(lab) == facts_of(found.draft)
    assert Host.objects.get(name="pi01").services.get().name == "artifacts"


def test_without_a_pattern_the_number_at_the_end_says_what_comes_next(lab):
    with change(lab, by="test"):
        lab.naming = {}
        lab.save()
    assert cloning.plan(snapshot(lab), Like("pi02"), at_once()).host.name == "pi04"


# --- another segment ---


def test_an_interface_moves_to_another_segment_with_an_address_there(lab):
    with change(lab, by="test"):
        storage = lab.segments.get(name="storage")
        storage.static_first, storage.static_last = "198.51.100.2", "198.51.100.9"
        storage.save()
    found = relocating.plan(snapshot(lab), "pi02", "eth0", "storage", at_once())
    assert moves(found) == {
        "Segment": "management → storage",
        "Address": "192.0.2.3 → 198.51.100.2",
        "IPv6 addresses": "2001:db8:99:0:be24:11ff:fe00:2 → ",
    }
    relocate(eth0("pi02"), "storage", order(expected=found.fingerprint))
    assert now(lab) == facts_of(found.draft)
    assert quarantined() == {"192.0.2.3", "2001:db8:99:0:be24:11ff:fe00:2"}


def test_a_segment_without_static_mappings_takes_flags_away(lab):
    found = relocating.plan(snapshot(lab), "pi02", "eth0", "guest", at_once())
    assert moves(found)["DHCP reservation"] == "yes → no"
    relocate(eth0("pi02"), "guest", order(expected=found.fingerprint))
    assert now(lab) == facts_of(found.draft)


# --- which exports move ---


@pytest.mark.parametrize("act", ["rename", "nic", "move", "clone"])
def test_on_a_large_site_the_lines_of_the_changed_hosts_are_counted_alone(lab, act):
    """They are what a whole rendering says, but for lines that speak of the whole file."""
    seen = snapshot(lab)
    found = {
        "rename": lambda: renaming.plan(seen, "pi02", "pi09", at_once()),
        "nic": lambda: nics.plan(seen, "pi02", "eth0", NEW, at_once()),
        "move": lambda: moving.plan(seen, [("pi02", "artifacts")], "pi03"),
        "clone": lambda: cloning.plan(seen, Like("dns-vm01", groups=("pis",)), at_once()),
    }[act]()
    whole = {(one.format, one.path): one for one in effects(found.before, found.draft)}
    near = {(one.format, one.path): one for one in effects_nearby(found.before, found.draft)}
    for name in ("kea", "hosts", "csv", "ssh-config"):
        mine = [(one.added, one.removed) for key, one in near.items() if key[0] == name]
        theirs = [(one.added, one.removed) for key, one in whole.items() if key[0] == name]
        assert mine == theirs, name


def test_what_stays_as_it_is_has_no_effect(lab):
    seen = snapshot(lab)
    assert effects(seen, seen) == ()
    found = moving.plan(seen, [("pi02", "artifacts")], "pi03")
    assert {"kea", "isc-dhcp"}.isdisjoint(one.format for one in effects(found.before, found.draft))


def test_renaming_says_what_the_host_wakes(lab):
    with change(lab, by="test"):
        segment = Segment.objects.filter(site=lab).first()
        segment.wake_relay = Host.objects.get(site=lab, name="pi02")
        segment.save()
    said = renaming.plan(snapshot(lab), "pi02", "pi09", datetime.now(UTC)).follows
    assert f"It sends Wake-on-LAN on {segment.name}; that follows." in said
