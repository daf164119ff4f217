"""The servers' own checkers, and what becomes of their words."""

from __future__ import annotations

import pytest

from inventory.serving import checkers
from tests.components import require

BROKEN = {
    "kea": ("kea-dhcp4.conf", '{"Dhcp4": {"subnet4": [{"id": 1, "subnet": "x"}]}}', "Invalid subnet syntax"),
    "dnsmasq": ("dnsmasq.conf", "no-such-option\n", "bad option at line 1 of dnsmasq.conf"),
    "isc-dhcp": (
        "dhcpd.conf",
        "authoritative;\nhost a { }\nhost a { }\n",
        "dhcpd.conf line 3: host a: already exists",
    ),
    "unbound": ("unbound.conf", 'server:\n  local-data: "x y z"\n', "Bad local-data RR x y z"),
    "pxe": ("grub.cfg-01-02-de-10-00-00-01", "menuentry x {\n", "Syntax error"),
    "known-hosts": ("known_hosts", "a ssh-ed25519 AAAA\n", "is not a public key file"),
    "ssh-config": ("ssh_config", "Host a\n  Prot 22\n", "Bad configuration option: prot"),
    "prometheus": ("prometheus.json", '[{"targets": [1]}]', "cannot unmarshal number"),
    "bind": ("named.conf", 'zone "x" { type primary; file "db.x"; };\n', "file not found"),
}


@pytest.mark.parametrize("format", BROKEN)
def test_a_refusal_gives_the_checkers_words(format, tmp_path):
    checker = checkers.CHECKERS[format]
    require(*checker.programs, package=checker.packages[0])
    name, text, words = BROKEN[format]
    (tmp_path / name).write_text(text)
    result = checkers.check(format, tmp_path)
    assert result.status == "refused"
    assert words in result.words


def test_dhcpds_page_about_itself_is_cut(tmp_path):
    require("dhcpd", package="isc-dhcp-server")
    (tmp_path / "dhcpd.conf").write_text("bogus x;\n")
    words = checkers.check("isc-dhcp", tmp_path).words
    assert words.startswith("dhcpd.conf line 1: semicolon expected.")
    assert "isc.org" not in words
    assert "submitting" not in words


def test_a_zone_is_checked_more_strictly_than_named_would(tmp_path):
    require("named-checkconf", "named-checkzone", package="bind9 bind9-utils")
    (tmp_path / "named.conf").write_text('zone "x.example" { type primary; file "db.x.example"; };\n')
    (tmp_path / "db.x.example").write_text(
        "$ORIGIN x.example.\n@ 300 IN SOA a. b. 1 1 1 1 1\n@ 300 IN NS ns.elsewhere.example.\n"
        "@ 300 IN MX 1 mail\nmail 300 IN CNAME other\nother 300 IN A 192.0.2.1\n"
    )
    result = checkers.check("bind", tmp_path)
    assert result.status == "refused"
    assert "mail.x.example" in result.words


def test_a_missing_checker_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(checkers, "SEARCH_PATH", str(tmp_path))
    result = checkers.check("bind", tmp_path)
    assert result.status == "missing"
    assert "named-checkconf, named-checkzone" in result.install_hint
    assert "apt-get install bind9" in result.install_hint


@pytest.mark.parametrize(
    ("format", "words"),
    [
        ("csv", "people"),
        ("hosts", "getent"),
        ("opnsense", "on import"),
        ("vyos", "compare"),
        ("ansible", "kea"),
    ],
)
def test_a_format_that_nothing_can_check_says_what_to_do_instead(format, words):
    with pytest.raises(LookupError, match=f"No server checks “{format}”.*{words}"):
        checkers.check(format, None)
