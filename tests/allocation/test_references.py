"""Everything that names a value, in whatever spelling and however deep."""

from __future__ import annotations

import pytest

from inventory import references
from inventory.packed import packed, to_text
from inventory.references import Place, naming_value
from inventory.snapshot import (
    GroupFacts,
    HostFacts,
    InterfaceFacts,
    OverrideFacts,
    ProfileFacts,
    SealedFile,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
)

MAC = "02:de:20:01:00:0a"


def found(value, **variables):
    snapshot = Snapshot(SiteFacts("lab", "example.net"), hosts=(HostFacts("pi01", variables=variables),))
    return [place.where for place in naming_value(snapshot, value)]


@pytest.mark.parametrize(
    "text",
    [
        "02:de:20:01:00:0a",
        "02:DE:20:01:00:0A",
        "02-de-20-01-00-0a",
        "grub.cfg-01-02-de-20-01-00-0a",
        "pxelinux.cfg/01-02-DE-20-01-00-0A",
        "02de.2001.000a",
        "02de2001000a",
        "0102de2001000a",
        "2:de:20:1:0:a",
        "02de-2001-000a",
        "02de20-01000a",
        "02 DE 20 01 00 0A",
        "02_de_20_01_00_0a",
        "fe80::de:20ff:fe01:a",
        "http://[2001:db8:99::de:20ff:fe01:a]:8080/",
        "ip:2001:db8:99:0:de:20ff:fe01:a,",
        "{{ 'host=' ~ '02:de:20:01:00:0a' }}",
        "first\nsecond line with 02:de:20:01:00:0a in it\nthird",
    ],
)
def test_a_mac_is_found_in_every_spelling(text):
    assert found(MAC, boot=text) == ["variables.boot"]


@pytest.mark.parametrize(
    "text",
    [
        "02:de:20:01:00:0b",
        "02:de:20:01:00:0a1",
        "ff02de2001000a",
        "fe80::de:20ff:fe01:b",
        "02:de:20:01:00",
        "{{ mac }}",
        "",
    ],
)
def test_what_is_not_the_mac_is_not_found(text):
    assert found(MAC, boot=text) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (MAC, f"a\b{MAC}\f{MAC}"),
        ("pi01x", "\npi01x"),
        ("192.0.2.9", "\t192.0.2.9"),
        ("2001:db8::a", "\f2001:DB8:0::A"),
        ("2001:db8::", "x 2001:db8:: y"),
    ],
)
def test_stored_text_is_searched_as_what_it_means(value, text):
    """As JSON the character before the value is an escape, whose last letter may look like a digit."""
    stored = packed(to_text({"deep": [text]}))
    snapshot = Snapshot(SiteFacts("lab", "example.net"), hosts=(HostFacts("h", variables=stored),))
    assert [place.where for place in naming_value(snapshot, value)] == ["variables.deep.0"]


def test_values_are_found_at_any_depth_and_as_keys():
    deep = {"hosts": [{"name": "x"}, {"macs": [MAC.upper()]}], MAC: {"vlan": 1}}
    assert found(MAC, switch=deep) == ["variables.switch", "variables.switch.hosts.1.macs.0"]


def test_an_address_is_a_whole_one():
    assert found(
        "192.0.2.9",
        a="192.0.2.9/24",
        b="192.0.2.97",
        c="1192.0.2.9",
        d="to 192.0.2.9.",
        e="192.0.2.9.example",
    ) == [
        "variables.a",
        "variables.d",
        "variables.e",
    ]


def test_an_ipv6_address_is_found_however_it_is_written():
    texts = {
        "a": "2001:DB8::a",
        "b": "[2001:db8:0:0::A]:443",
        "c": "2001:db8::ab",
        "d": "http://[2001:db8::a]/x",
    }
    assert found("2001:db8::a", **texts) == ["variables.a", "variables.b", "variables.d"]


def test_a_name_is_a_whole_word():
    assert found("pi01x", a="ssh pi01x.lab", b="pi01x-mgmt", c="my-pi01x", d="PI01X") == [
        "variables.a",
        "variables.d",
    ]


def test_a_number_is_found_as_a_number():
    assert found("200", vmid=200, other=2000, text="qm stop 200") == ["variables.text", "variables.vmid"]


def test_every_noun_is_searched():
    eth0 = InterfaceFacts(
        "pi01", "eth0", mac=MAC, pxe_file=f"grub.cfg-01-{MAC.replace(':', '-')}", variables={"was": MAC}
    )
    snapshot = Snapshot(
        SiteFacts("lab", "example.net", variables={"a": MAC}),
        segments=(SegmentFacts("lan", variables={"b": MAC}),),
        hosts=(
            HostFacts(
                "pi01",
                notes=f"once {MAC}",
                access={"wake": MAC},
                out_of_band={"mac": MAC},
                interfaces=(eth0,),
                services=(ServiceFacts("boot", "pi01", health_check=f"/{MAC}"),),
            ),
        ),
        groups=(GroupFacts("pis", variables={"c": MAC}),),
        profiles=(ProfileFacts("boot", variables={"d": MAC}),),
    )
    assert [(place.subject, place.where) for place in naming_value(snapshot, MAC)] == [
        ("group pis", "variables.c"),
        ("host pi01", "access.wake"),
        ("host pi01", "notes"),
        ("host pi01", "out_of_band.mac"),
        ("interface pi01/eth0", "mac"),
        ("interface pi01/eth0", "pxe_file"),
        ("interface pi01/eth0", "variables.was"),
        ("segment lan", "variables.b"),
        ("service boot", "health_check"),
        ("site lab", "variables.a"),
        ("workload profile boot", "variables.d"),
    ]


def test_what_is_sealed_is_listed_as_what_nobody_can_look_into():
    secret = {"__ansible_vault": f"$ANSIBLE_VAULT;1.1;AES256\n{MAC.replace(':', '')}"}
    snapshot = Snapshot(
        SiteFacts("lab", "example.net"),
        hosts=(HostFacts("pi01", variables={"token": secret}),),
        sealed=(SealedFile("group", "all", "group_vars/all/vault.yml", "…"),),
    )
    places = naming_value(snapshot, MAC)
    assert places == (
        Place("group all", "group_vars/all/vault.yml", sealed=True),
        Place("host pi01", "variables.token", sealed=True),
    )
    assert str(places[1]) == "host pi01, variables.token: sealed: cannot be looked into"


def test_a_long_text_is_shown_by_the_line_that_matters():
    snapshot = Snapshot(SiteFacts("lab", "example.net", variables={"x": f"a\n  use {MAC} here  \nb"}))
    assert [place.text for place in naming_value(snapshot, MAC)] == [f"use {MAC} here"]


@pytest.mark.parametrize(
    "text", ["200", "local-zfs:vm-200-disk-0,size=8G", "tap200i0", "qemu/200", "200.conf"]
)
def test_a_vmid_is_found_where_proxmox_writes_it(text):
    assert found("200", disk=text) == ["variables.disk"]


@pytest.mark.parametrize("text", ["2000", "1200", "192.0.200.7", "198.51.100.200", "2001:db8:200::1"])
def test_a_number_of_an_address_is_no_vmid(text):
    assert found("200", note=text) == []


def test_numbers_of_another_kind_are_no_vmid():
    site = SiteFacts("lab", "example.net", vmid_first=200, vmid_last=299)
    snapshot = Snapshot(site, segments=(SegmentFacts("lan", vlan=200),))
    assert naming_value(snapshot, "200") == ()


def test_an_address_is_found_as_its_reverse_name():
    assert found("192.0.2.10", ptr="10.2.0.192.in-addr.arpa.") == ["variables.ptr"]
    assert found("192.0.2.10", ptr="110.2.0.192.in-addr.arpa.") == []


def test_a_reason_to_live_with_a_finding_is_looked_into():
    override = OverrideFacts("identity-disputed", "warning", "two cards say so", "2030-01-01", f"MAC {MAC}")
    snapshot = Snapshot(SiteFacts("lab", "example.net"), overrides=(override,))
    assert [(place.subject, place.where) for place in naming_value(snapshot, MAC)] == [
        ("lowered severity identity-disputed", "subject")
    ]


@pytest.mark.parametrize(
    "value",
    ["02:de:20:01:00:01", "bc:24:11:00:00:02", "192.0.2.1", "2001:db8::1", "2001:db8::", "pi02", "200"],
)
def test_looking_at_all_at_once_finds_what_looking_one_by_one_finds(value):
    """Every spelling that the needle knows, alone and in company, in every kind of column."""
    spellings = [
        value, value.upper(), value.replace(":", "-"), value.replace(":", ""), f"x {value}, y", f"({value})",
        "2:DE:20:1:0:1", "02de.2001.0001", "01-02-de-20-01-00-01", "fe80::de:20ff:fe01:1", "bc24.1100.0002",
        "fe80::be24:11ff:fe00:0002.", "1.2.0.192.in-addr.arpa", "2001:DB8:0::0001", "2001:db8:0:0:0:0:0:1:", "vm-200-disk-0",
        "pi020", "a-pi02", "pi02.lab", "2001:db8:0::0",
    ]  # fmt: skip
    hosts = tuple(
        HostFacts(
            f"host{number}",
            notes=f"first\n{said}" if number % 2 else "",
            variables=packed(to_text({"deep": [{"key": said}], said: 1}))
            if number % 3
            else {"plain": [said]},
        )
        for number, said in enumerate(spellings)
    )
    snapshot = Snapshot(SiteFacts("lab", "example.net"), hosts=hosts)
    needles = [references.needle(value)]
    one_by_one = {
        place
        for subject, facts in references._subjects(snapshot)
        for place in references._in_facts(subject, facts, needles)
    }
    assert set(naming_value(snapshot, value)) == one_by_one
    assert one_by_one
