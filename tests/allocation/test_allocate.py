"""What is handed out: the lowest free value, to one host, in one change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from inventory import quarantine, reading
from inventory.addressing import Range
from inventory.allocation import Refused, Wanted, allocate
from inventory.changes import change
from inventory.door import bulk_allowed
from inventory.models import Change, Host, Identity, Interface, Segment, Site
from tests.allocation.conftest import ask, make_site, retire

pytestmark = pytest.mark.django_db


def segment(name="management"):
    return Segment.objects.get(name=name)


def edit(row, **fields):
    with change(Site.objects.get(pk=row.owner_site_id), by="test"):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


# --- MACs ---


def test_a_mac_in_the_encoding_role_has_the_lowest_free_instance(site, machine):
    machine("dns-vm01", {"mac": "02:de:20:01:00:01"})
    machine("dns-vm02")
    machine("dns-vm03")
    assert ask(site, host="dns-vm02", mac=True).mac == "02:de:20:01:00:02"
    assert ask(site, host="dns-vm03", mac=True, group="0a").mac == "02:de:20:01:0a:01"
    row = Interface.objects.get(host__name="dns-vm02")
    assert (row.name, row.mac_kind) == ("eth0", "assigned"), "made, since the host had none"


def test_each_role_counts_for_itself(site, machine):
    machine("dns-vm01")
    machine("dhcp-vm01", role="dhcp")
    assert ask(site, host="dhcp-vm01", mac=True).mac == "02:de:20:02:00:01"
    assert ask(site, host="dns-vm01", mac=True).mac == "02:de:20:01:00:01"


def test_a_host_may_have_several_assigned_macs_in_the_encoding_role(site, machine):
    machine("dns-vm01")
    assert ask(site, host="dns-vm01", mac=True).mac == "02:de:20:01:00:01"
    assert ask(site, host="dns-vm01", mac=True, interface="eth1").mac == "02:de:20:01:00:02"


def test_what_a_host_has_already_is_returned_again(site, machine):
    """A script that was cut off may simply run again."""
    machine("dns-vm01")
    first = ask(site, host="dns-vm01", mac=True, address=True, segment="management", vmid=True)
    revision = Site.objects.get().revision
    again = ask(site, host="dns-vm01", mac=True, address=True, segment="management", vmid=True)
    assert (again.mac, again.ipv4, again.vmid) == (first.mac, first.ipv4, first.vmid)
    assert again.given == ()
    assert Site.objects.get().revision == revision, "nothing was written"


def test_an_observed_mac_is_never_replaced(site, machine):
    machine("dns-ph01", {"mac": "bc:24:11:ce:51:ec"}, form="ph")
    with pytest.raises(
        Refused, match="dns-ph01/eth0 has the observed MAC bc:24:11:ce:51:ec, which is not replaced"
    ):
        ask(site, host="dns-ph01", mac=True)


def test_a_mac_names_its_role_so_a_host_without_one_is_refused(site, machine):
    host = machine("dns-vm01")
    edit(host, role=None)
    with pytest.raises(Refused, match="dns-vm01 has no role, and the MAC encoding of site lab names it"):
        ask(site, host="dns-vm01", mac=True)


def test_a_mac_is_withheld_while_it_is_in_quarantine_and_free_afterwards(site, machine):
    machine("dns-vm02")
    old = machine("dns-vm01")
    mac = ask(site, host="dns-vm01", mac=True).mac
    retire(Host.objects.get(pk=old.pk))
    assert ask(site, host="dns-vm02", mac=True).mac == "02:de:20:01:00:02"
    machine("dns-vm03")
    quarantine.free(list(Identity.objects.filter(value=mac)), by="test", why="truly gone", source="test")
    assert ask(site, host="dns-vm03", mac=True).mac == mac


def test_an_exhausted_group_is_named_with_what_to_do(site, machine):
    host = machine("dns-vm01")
    with change(site, by="test") as the_change:
        the_change.create(
            [
                Interface(host=host, name=f"e{number}", position=number, mac=f"02:de:20:01:00:{number:02x}")
                for number in range(1, 256)
            ]
        )
    machine("dns-vm02")
    with pytest.raises(
        Refused, match=r"Role dns has no free MAC in group 00 \(02:de:20:01:00:01-ff\); .* --group 01"
    ):
        ask(site, host="dns-vm02", mac=True)


# --- the encoding vmid ---


@pytest.fixture
def by_vmid(site):
    edit(site, mac_encoding="vmid")
    return site


def test_a_mac_in_the_encoding_vmid_takes_a_vmid_along(by_vmid, machine):
    machine("dns-vm01")
    handout = ask(by_vmid, host="dns-vm01", mac=True)
    assert (handout.vmid, handout.mac) == (200, "02:de:20:00:00:c8")
    assert Host.objects.get().vmid == 200
    assert Change.objects.filter(source="allocation").count() == 1


def test_a_second_assigned_mac_of_a_machine_is_refused_with_the_way_out(by_vmid, machine):
    machine("dns-vm01")
    ask(by_vmid, host="dns-vm01", mac=True)
    with pytest.raises(
        Refused, match="dns-vm01/eth0 has 02:de:20:00:00:c8 already, and the MAC encoding vmid has one"
    ):
        ask(by_vmid, host="dns-vm01", mac=True, interface="eth1")


def test_a_vmid_whose_mac_is_withheld_is_skipped(by_vmid, machine):
    machine("other-vm01", {"mac": "02:de:20:00:00:c8"})
    machine("dns-vm01")
    assert ask(by_vmid, host="dns-vm01", mac=True).vmid == 201


def test_only_virtual_machines_have_a_vmid(by_vmid, machine):
    machine("dns-ph01", form="ph")
    with pytest.raises(Refused, match="dns-ph01 has form ph; only virtual machines"):
        ask(by_vmid, host="dns-ph01", mac=True)


# --- VMIDs ---


def test_a_vmid_skips_declared_withheld_and_surveyed_ones(site, machine):
    machine("dns-vm01", vmid=200)
    retire(machine("dns-vm02", vmid=201))
    machine("dns-vm03")
    assert ask(site, host="dns-vm03", vmid=True, surveyed={202, 204}).vmid == 203
    machine("dns-vm04")
    assert ask(site, host="dns-vm04", vmid=True, surveyed={202, 204}).vmid == 205


def test_an_exhausted_vmid_range_is_named_with_what_to_do(site, machine):
    retire(machine("dns-vm01", vmid=203))
    machine("dns-vm02")
    with pytest.raises(Refused) as caught:
        ask(site, host="dns-vm02", vmid=True, surveyed={200, 201, 202, 204, 205})
    assert str(caught.value) == (
        "Site lab has no free VMID in 200-205; retire a machine or widen the range. 1 of them is in quarantine; free "
        "what is truly gone."
    )


def test_a_site_without_a_vmid_range_says_so(site, machine):
    edit(site, vmid_first=None, vmid_last=None)
    machine("dns-vm01")
    with pytest.raises(Refused, match="Site lab has no VMID range; give it a first and a last VMID"):
        ask(site, host="dns-vm01", vmid=True)


# --- addresses ---


def test_an_address_is_the_lowest_free_one_of_the_static_range(site, machine):
    machine("dns-vm01", {"segment": segment(), "addressing": "static", "ipv4": "192.0.2.2"})
    machine("dns-vm02")
    handout = ask(site, host="dns-vm02", address=True, segment="management")
    assert (handout.ipv4, handout.segment, handout.interface) == ("192.0.2.3", "management", "eth0")
    row = Interface.objects.get(host__name="dns-vm02")
    assert (row.addressing, row.a_record) == ("static", True)


def test_everything_that_is_somebody_elses_is_skipped(site, machine):
    edit(
        segment(),
        static_first="192.0.2.0",
        static_last="192.0.2.255",
        pool_first="192.0.2.4",
        pool_last="192.0.2.9",
        delegated=[["192.0.2.10", "192.0.2.19"], ["2001:db8:99::1", "2001:db8:99::9"]],
        dns_servers=["192.0.2.2", "2001:db8::53"],
        next_server="192.0.2.3",
    )
    edit(segment("storage"), dns_servers=["192.0.2.20"])
    static = {"segment": segment(), "addressing": "static"}
    machine("dns-vm01", {**static, "ipv4": "192.0.2.21"})
    retire(machine("dns-vm02", {**static, "ipv4": "192.0.2.22"}))
    machine("builder-ph01", {**static, "ipv4": "192.0.2.23", "bootstrap_ipv4": "192.0.2.24"}, form="ph")
    machine(
        "dns-ph02", {"pxe_server": "192.0.2.25"}, form="ph", out_of_band={"ipmi": {"address": "192.0.2.26"}}
    )
    with change(site, by="test", source="import"):
        for name in ("a", "b"):
            host = Host(site=site, name=name)
            host.save()
            Interface(
                host=host, name="eth0", segment=segment(), addressing="static", ipv4="192.0.2.27"
            ).save()
    machine("dns-vm05")
    assert ask(site, host="dns-vm05", address=True, segment="management").ipv4 == "192.0.2.28"


def test_an_exhausted_range_is_named_with_what_to_do(site, machine):
    for number in range(2, 10):
        host = machine(
            f"dns-vm{number:02}", {"segment": segment(), "addressing": "static", "ipv4": f"192.0.2.{number}"}
        )
    machine("dns-vm50")
    with pytest.raises(Refused) as caught:
        ask(site, host="dns-vm50", address=True, segment="management")
    assert str(caught.value) == "192.0.2.0/24 has no free static address; retire a host or widen .2-.9."
    retire(host)
    with pytest.raises(Refused, match="1 of them is in quarantine; free what is truly gone"):
        ask(site, host="dns-vm50", address=True, segment="management")


@pytest.mark.parametrize(
    ("network", "static", "span", "said"),
    [
        ("192.0.3.0/24", ("192.0.3.2", "192.0.3.5"), None,
         "192.0.3.0/24 has no free static address; retire a host or widen .2-.5. 4 of its 4 lie in pools"),
        ("192.0.3.0/31", ("192.0.3.0", "192.0.3.1"), None,
         "192.0.3.0/31 has no free static address; retire a host or choose another segment. 2 of its 2 lie"),
        ("192.0.3.0/24", ("192.0.3.20", "192.0.3.29"), Range("192.0.3.0", "192.0.3.1"),
         "192.0.3.0-192.0.3.1 has no free address; retire a host or name another range."),
    ],
    ids=["in the pool", "whole network", "for one call"],
)  # fmt: skip
def test_what_is_exhausted_and_why_is_told(site, machine, network, static, span, said):
    machine("dns-vm01")
    with change(site, by="test"):
        first, last = static
        pool = {"pool_first": "192.0.3.0", "pool_last": "192.0.3.9"} if network.endswith("/24") else {}
        lan = Segment(
            site=site,
            name="lan",
            network4=network,
            static_first=first,
            static_last=last,
            policy="both",
            **pool,
        )
        lan.delegated = [] if pool else [["192.0.3.0", "192.0.3.1"]]
        lan.save()
    with pytest.raises(Refused) as caught:
        ask(site, host="dns-vm01", address=True, segment="lan", span=span)
    assert str(caught.value).startswith(said)


def test_a_segment_of_ipv6_alone_leads_to_the_ipv6_address(site, machine):
    machine("dns-vm01")
    with change(site, by="test"):
        Segment(site=site, name="six", network6="2001:db8:6::/64", policy="static").save()
    with pytest.raises(Refused, match="has no IPv4 network; ask for the IPv6 address alone"):
        ask(site, host="dns-vm01", address=True, segment="six")
    handout = ask(site, host="dns-vm01", mac=True, address=True, family="6", segment="six")
    assert handout.ipv6 == ("2001:db8:6:0:de:20ff:fe01:1",)


def test_a_segment_without_a_static_range_says_how_to_name_one(site, machine):
    machine("dns-vm01")
    with pytest.raises(
        Refused, match=r"Segment storage has no static range; .*--range 198.51.100.2-198.51.100.49"
    ):
        ask(site, host="dns-vm01", address=True, segment="storage")
    span = Range("198.51.100.40", "198.51.100.49")
    assert ask(site, host="dns-vm01", address=True, segment="storage", span=span).ipv4 == "198.51.100.40"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"segment": "guest"}, "Segment guest takes no static mappings (its policy is dynamic)"),
        ({"segment": "lan"}, "Site lab has no segment “lan”; segments are: "),
        ({}, "dns-vm01/eth0 lies in no segment; say in which: guest, management, storage."),
        ({"segment": "management", "span": Range("192.0.3.1", "192.0.3.9")}, "lies outside 192.0.2.0/24"),
        (
            {"segment": "management", "span": Range("192.0.2.9", "192.0.2.3")},
            "ends at 192.0.2.3, before it begins",
        ),
        ({"segment": "storage", "family": "6"}, "Segment storage has no IPv6 network"),
        (
            {"segment": "management", "family": "6"},
            "dns-vm01/eth0 has no MAC, which its IPv6 address is made of",
        ),
    ],
)
def test_an_address_that_cannot_be_given_is_refused_in_words(site, machine, wanted, said):
    machine("dns-vm01")
    with pytest.raises(Refused) as caught:
        ask(site, host="dns-vm01", address=True, **wanted)
    assert said in str(caught.value)


def test_an_interface_is_not_moved_to_another_segment(site, machine):
    machine("dns-vm01", {"segment": segment("storage")})
    with pytest.raises(Refused, match="dns-vm01/eth0 lies in segment storage; name another interface"):
        ask(site, host="dns-vm01", address=True, segment="management")


def test_several_interfaces_and_none_marked_is_a_question(site, machine):
    machine("dns-vm01", {}, {})
    with pytest.raises(
        Refused, match="dns-vm01 has the interfaces eth0, eth1, and none is marked primary; say which"
    ):
        ask(site, host="dns-vm01", mac=True)
    assert ask(site, host="dns-vm01", mac=True, interface="eth1").interface == "eth1"


def test_an_ipv6_address_is_made_of_the_mac(site, machine):
    machine("dns-vm01")
    handout = ask(site, host="dns-vm01", mac=True, address=True, family="both", segment="management")
    assert (handout.ipv4, handout.ipv6) == ("192.0.2.2", ("2001:db8:99:0:de:20ff:fe01:1",))


# --- hosts ---


def test_the_next_host_gets_everything_in_one_change(site):
    handout = ask(site, role="dns", form="vm", vmid=True, mac=True, address=True, segment="management")
    assert (handout.host, handout.vmid, handout.mac, handout.ipv4) == (
        "dns-vm01",
        200,
        "02:de:20:01:00:01",
        "192.0.2.2",
    )
    assert handout.given == ("name", "vmid", "segment", "mac", "ipv4")
    host = Host.objects.get()
    assert (host.status, host.role.slug, host.form) == ("provisioning", "dns", "vm")
    row = host.interfaces.get()
    assert (row.a_record, row.reservation) == (True, True)
    assert Change.objects.filter(source="allocation").count() == 1
    assert ask(site, role="dns", form="vm").host == "dns-vm02"


def test_a_name_is_not_given_again_while_its_host_is_retired_or_it_is_withheld(site, machine):
    retire(machine("dns-vm01"))
    gone = machine("dns-vm02")
    with change(site, by="test"):
        gone.delete()
    assert ask(site, role="dns", form="vm").host == "dns-vm03"


def test_nothing_is_kept_of_a_host_that_cannot_have_it_all(site):
    with pytest.raises(Refused, match="guest takes no static mappings"):
        ask(site, role="dns", form="vm", vmid=True, mac=True, address=True, segment="guest")
    assert not Host.objects.exists()
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"form": "vm"}, "needs a role of form vm; say which"),
        ({"role": "ntp", "form": "vm"}, "Site lab has no role “ntp”; add it to the registry of roles, or choose one: dhcp"),
        ({"role": "dns", "form": "xx"}, "knows no form “xx”"),
        ({"role": "dns", "form": "vm", "hypervisor": "hv01"}, "Site lab has no host “hv01”"),
    ],
)  # fmt: skip
def test_a_next_host_that_cannot_be_is_refused_in_words(site, wanted, said):
    with pytest.raises(Refused) as caught:
        ask(site, **wanted)
    assert said in str(caught.value)


def test_unknown_and_retired_hosts_and_sites_are_refused(site, machine):
    retire(machine("dns-vm01"))
    with pytest.raises(Refused, match="dns-vm01 is retired; reactivate it first"):
        ask(site, host="dns-vm01", mac=True)
    with pytest.raises(Refused, match="Site lab has no host “dns-vm09”"):
        ask(site, host="dns-vm09", mac=True)
    with pytest.raises(Refused, match=r"There is no site “nowhere”\. Sites: lab\."):
        allocate("nowhere", Wanted(host="dns-vm01", mac=True), by="test")


# --- what it depends on ---


def test_a_dry_run_tells_what_would_be_given_and_keeps_nothing(site):
    wanted = Wanted(role="dns", form="vm", vmid=True, mac=True, address=True, segment="management")
    planned = allocate(site, wanted, by="test", dry_run=True)
    assert not Host.objects.exists()
    assert not Identity.objects.exists()
    assert allocate(site, wanted, by="test") == planned


def test_a_quarantine_that_has_passed_withholds_nothing(site, machine):
    retire(machine("dns-vm01", {"segment": segment(), "addressing": "static", "ipv4": "192.0.2.2"}, vmid=200))
    with bulk_allowed():
        Identity.objects.update(until=timezone.now() - timedelta(seconds=1))
    machine("dns-vm02")
    handout = ask(site, host="dns-vm02", vmid=True, address=True, segment="management")
    assert (handout.vmid, handout.ipv4) == (200, "192.0.2.2")


def test_the_next_value_depends_on_facts_and_not_on_how_they_came(site, machine):
    """No counters: given and given back, or never given, the next one is the same."""
    other = make_site("other")
    for _ in range(2):
        host = ask(site, role="dns", form="vm", vmid=True, mac=True, address=True, segment="management").host
        with change(site, by="test"):
            Host.objects.get(site=site, name=host).delete()
    withheld = list(site.identities.filter(state="quarantined"))
    quarantine.free(withheld, by="test", why="never built", source="test")
    wanted = {
        "role": "dns",
        "form": "vm",
        "vmid": True,
        "mac": True,
        "address": True,
        "segment": "management",
    }
    first, second = ask(site, **wanted), ask(other, **wanted)
    assert (first.host, first.vmid, first.mac, first.ipv4) == (
        second.host,
        second.vmid,
        second.mac,
        second.ipv4,
    )


def test_the_ledger_has_the_last_word(site, machine, monkeypatch):
    machine("dns-vm01", {"segment": segment(), "addressing": "static", "ipv4": "192.0.2.2"})
    machine("dns-vm02")
    monkeypatch.setattr("inventory.allocation.giving.lowest_address", lambda *_: "192.0.2.2")
    with pytest.raises(ValidationError) as caught:
        ask(site, host="dns-vm02", address=True, segment="management")
    assert "192.0.2.2 belongs to dns-vm01; give dns-vm02 another" in caught.value.messages[0]
    assert not Interface.objects.filter(host__name="dns-vm02").exists()


def test_what_is_handed_out_is_in_the_snapshot_with_its_reason(site):
    allocate(site, Wanted(role="dns", form="vm", vmid=True), by="ada", why="a second resolver")
    assert reading.load("lab").host_by_name["dns-vm01"].vmid == 200
    assert (Change.objects.latest("id").by_name, Change.objects.latest("id").why) == (
        "ada",
        "a second resolver",
    )
