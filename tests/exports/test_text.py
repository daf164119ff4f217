"""What is written for people in a file can never be read by its server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from inventory.exports import get_export
from inventory.exports.text import LONGEST_COMMENT, UnsafeLine, authority_sentence, encode, plain, tokens
from inventory.snapshot import AuthorityFacts, ServiceFacts, SiteFacts, Snapshot
from tests.exports.example_site import SITE, host, interface

GATEWAY = AuthorityFacts("gateway", "ada", "2026-01-02T03:04:05Z", "the first")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nport=0", "a\\nport=0"),
        ("bücher", "b\\xfccher"),
        ("a\u2028b\x85c\x00", "a\\u2028b\\x85c\\x00"),
        ("\ud800", "\\ud800"),
        ("例", "\\u4f8b"),
    ],
)
def test_free_text_is_shown_on_one_line_of_ascii(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize("text", ["#" * 5000, "例" * 5000])
def test_free_text_is_cut_below_dnsmasqs_limit(text):
    assert len(plain(text)) == LONGEST_COMMENT


@pytest.mark.parametrize("line", ["a\nb", "ü", "x" * 1001, "a\tb"])
def test_a_line_that_could_be_misread_is_never_written(line):
    with pytest.raises(UnsafeLine):
        encode([line])


def test_tokens_are_bare_unique_words_in_any_order():
    names = ["a b", "a_b", "a-b", "", "ü", "x" * 100]
    words = tokens(names)
    assert words == tokens(reversed(names))
    assert sorted(words.values()) == ["a-b", "a-b-2", "a-b-3", "x", "x-2", "x" * 60]


def test_names_of_several_parts_have_a_token_each():
    """Host and interface together: one word twice would be fatal for dhcpd, and another's boot file in dnsmasq."""
    words = tokens([("pi", "stor-eth0"), ("pi-stor", "eth0")])
    assert words == {("pi", "stor-eth0"): "pi-stor-eth0", ("pi-stor", "eth0"): "pi-stor-eth0-2"}


@pytest.mark.parametrize(
    ("declared", "asked", "sentence"),
    [
        (None, None, "Authority: none is declared."),
        (None, "bootstrap", "Authority: made for bootstrap; none is declared."),
        (GATEWAY, None, "Authority: gateway, as declared."),
        (GATEWAY, "gateway", "Authority: gateway, as declared."),
        (
            GATEWAY,
            "bootstrap",
            "Authority: bootstrap, INACTIVE: gateway is declared. Do not serve this file now.",
        ),
    ],
)
def test_a_file_says_whose_it_is(declared, asked, sentence):
    assert authority_sentence(replace(SITE, authority=declared), asked) == sentence
    for format in ("dnsmasq", "isc-dhcp", "unbound", "bind", "kea"):
        files = get_export(format).render(replace(SITE, authority=declared), asked).files
        assert all(sentence in content.decode() for content in files.values())


def test_what_is_left_out_is_listed_in_each_format():
    disputed = [
        host(name, interface(name, "eth0", mac, "management", "192.0.2.9"))
        for name, mac in (("pi01", "02:de:10:03:00:01"), ("pi02", "02:de:10:03:00:02"))
    ]
    site = replace(SITE, hosts=tuple(disputed), aliases=())
    line = "left out: address 192.0.2.9: pi01 and pi02 claim the address 192.0.2.9"
    for format in ("dnsmasq", "isc-dhcp", "unbound", "bind"):
        document = get_export(format).render(site, None)
        assert any(line in content.decode() for content in document.files.values())
        assert [(f.id, f.severity) for f in document.findings] == [("identity-disputed", "error")]
    kea = json.loads(get_export("kea").render(site, None).files["kea-dhcp4.conf"])
    assert kea["Dhcp4"]["user-context"]["left-out"][0].startswith(line)


@pytest.mark.parametrize("name", ["ignore", "infinite", "1h", "45m", "123", "2d"])
def test_dnsmasq_is_told_a_name_that_it_would_take_for_something_else_with_its_domain(name):
    only = host(name, interface(name, "eth0", "02:de:10:03:00:01", "management", "192.0.2.9"))
    text = (
        get_export("dnsmasq")
        .render(replace(SITE, hosts=(only,), aliases=()), None)
        .files["dnsmasq.conf"]
        .decode()
    )
    assert f"dhcp-host=02:de:10:03:00:01,192.0.2.9,{name}.lab.example.net,43200\n" in text


def test_an_empty_site_renders_in_every_format():
    site = Snapshot(SiteFacts("lab", "example.net"))
    for format in ("dnsmasq", "isc-dhcp", "unbound", "bind", "kea"):
        document = get_export(format).render(site, None)
        assert all(content.endswith(b"\n") for content in document.files.values())
        assert document.findings == ()


def test_a_service_name_cannot_carry_an_option():
    hostile = replace(
        host("pi01", interface("pi01", "eth0", "02:de:10:03:00:01", "management", "192.0.2.9")),
        services=(ServiceFacts("x\nport=0\n$INCLUDE /etc/passwd", "pi01"),),
    )
    site = replace(SITE, hosts=(hostile,), aliases=())
    for format in ("dnsmasq", "unbound", "bind"):
        for content in get_export(format).render(site, None).files.values():
            lines = content.decode().split("\n")
            assert not [line for line in lines if line.startswith(("port=0", "$INCLUDE", "include"))]
