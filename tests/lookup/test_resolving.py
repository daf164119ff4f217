"""One value in, everything known about it out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.lookup import Claim, resolve
from inventory.lookup.asking import understood
from tests.lookup.site import SITE


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("BC-24-11-CE-51-EC", "mac", "bc:24:11:ce:51:ec"),
        ("bc24.11ce.51ec", "mac", "bc:24:11:ce:51:ec"),
        ("bc2411ce51ec", "mac", "bc:24:11:ce:51:ec"),
        ("bc 24 11 ce 51 ec", "mac", "bc:24:11:ce:51:ec"),
        ("01-bc-24-11-ce-51-ec", "mac", "bc:24:11:ce:51:ec"),
        ("192.0.2.10", "address", "192.0.2.10"),
        ("192.0.2.10/25", "address", "192.0.2.10"),
        ("[2001:DB8:99:0::10]", "address", "2001:db8:99::10"),
        ("10.2.0.192.in-addr.arpa.", "address", "192.0.2.10"),
        ("120", "vmid", "120"),
        ("PI01.lab.example.net.", "name", "pi01.lab.example.net"),
        ("two words", "text", "two words"),
        ("", "text", ""),
    ],
)
def test_every_spelling_is_understood(text, kind, value):
    question = understood(text)
    assert (question.kind, question.value) == (kind, value)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("pi01", ("host pi01", "its name")),
        ("pi01.lab.example.net", ("host pi01", "its name")),
        ("192.0.2.10", ("interface pi01/eth0", "its address, static, in segment management")),
        ("2001:db8:99:0:0:0:0:10", ("interface pi01/eth0", "its address, static, in segment management")),
        ("BC-24-11-CE-51-EC", ("interface pi01/eth0", "its observed MAC, in segment management")),
        ("artifacts", ("service artifacts", "its name; carried by pi01")),
        ("files.example.net", ("alias files", "its name; points at service artifacts")),
        ("120", ("host metrics-vm01", "its VMID, retired")),
        ("99", ("segment management", "its VLAN id")),
        ("192.0.2.1", ("segment management", "its IPv4 gateway")),
        ("metrics", ("role metrics", "its name; RR code 03")),
    ],
)
def test_what_is_declared_is_found(text, declared):
    assert declared in [(one.subject, one.role) for one in resolve(SITE, text).declared]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.11", "free, in the static range 192.0.2.2-192.0.2.49"),
        ("192.0.2.55", "free, outside the static range"),
        ("192.0.2.110", "in the DHCP pool 192.0.2.100-192.0.2.120"),
        ("192.0.2.65", "in a delegated range: another allocator hands it out"),
        ("192.0.2.127", "the broadcast address"),
        ("192.0.2.0", "the network's own address"),
        ("192.0.2.200", "in the site's block 192.0.2.0/24, and in no segment"),
        ("2001:db8:99::ff", "not declared"),
    ],
)
def test_an_address_that_nobody_has_says_what_it_is(address, said):
    answer = resolve(SITE, address)
    assert said in answer.says and not answer.is_known


def test_a_mac_says_what_its_encoding_names():
    assert "site lab, role metrics (code 03), group 00, instance 7" in resolve(
        SITE, "02:de:10:03:00:07"
    ).says[0].replace("07", "7")
    assert "a vendor's address" in resolve(SITE, "bc:24:11:00:00:01").says[0]


def test_what_goes_out_is_told():
    lines = {(one.what, one.text) for one in resolve(SITE, "artifacts").exported}
    assert ("DNS record", "artifacts.lab.example.net CNAME pi01.lab.example.net") in lines
    assert ("DNS record", "pi01.lab.example.net A 192.0.2.10") in lines
    assert ("DHCP reservation", "bc:24:11:ce:51:ec → 192.0.2.10 pi01 (segment management)") in lines
    assert ("Ansible inventory", "host pi01") in lines
    assert not [one for one in resolve(SITE, "metrics-vm01").exported if one.what == "Ansible inventory"]


def test_the_ledger_is_told_and_a_quarantined_address_is_not_free():
    claim = Claim(
        "ip", "192.0.2.11", "quarantined", "old-pi", "2026-01-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00"
    )
    answer = resolve(SITE, "192.0.2.11", claims=[claim, Claim("ip", "192.0.2.12", "held", "other")])
    assert answer.claims == (claim,) and answer.is_known
    assert "free" not in " ".join(answer.says)


def test_places_that_name_it_are_listed_and_secrets_are_not():
    answer = resolve(SITE, "192.0.2.10")
    assert [(place.subject, place.where) for place in answer.references] == [
        ("group pis", "variables.ntp_server")
    ]
    assert "hunter2secret" not in str(resolve(SITE, "pi01").as_dict())


def test_what_nobody_knows_has_names_that_look_alike():
    answer = resolve(SITE, "pi1")
    assert not answer.is_known and "pi01" in answer.near


def test_a_place_that_looks_like_a_secret_is_told_without_its_text():
    group = replace(SITE.groups[0], variables={"root_password": "on pi01 it is hunter2"})
    references = resolve(replace(SITE, groups=(group,)), "pi01").references
    (place,) = [one for one in references if one.subject == "group pis" and one.where.startswith("var")]
    assert place.where == "variables.root_password" and "hunter2" not in place.text


def test_a_free_address_names_who_is_beside_it():
    assert "beside it: pi01 192.0.2.10" in resolve(SITE, "192.0.2.12").says


@pytest.mark.parametrize("text", ["SN-4711", "sn-4711", "gi0/7"])
def test_serials_and_switch_ports_are_known_where_they_are_named(text):
    answer = resolve(SITE, text)
    assert answer.is_known and "pi01" in f"{answer.references} {answer.declared}"
