"""Identity fields as inventories write them."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from inventory.ansible import written
from inventory.ansible.written import Addressing

VAULT = {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n00"}
OWN = {
    "mac": "02:DE:20:00:00:01",
    "empty": "",
    "jinja": "{{ other }}",
    "sealed": VAULT,
    "unsafe": {"__ansible_unsafe": "02:de:20:00:00:02"},
    "number": 5,
}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("02:de:20:00:00:c8", "02:de:20:00:00:c8"),
        ("02-DE-20-00-00-C8", "02:de:20:00:00:c8"),
        ("02DE.2000.00C8", "02:de:20:00:00:c8"),
        ({"__ansible_unsafe": "02:de:20:00:00:c8"}, "02:de:20:00:00:c8"),
        ("{{ mac }}", "02:de:20:00:00:01"),
        ("{{mac|default('')}}", "02:de:20:00:00:01"),
        ("{{- mac | d('x', true) -}}", "02:de:20:00:00:01"),
        ("{{ unsafe }}", "02:de:20:00:00:02"),
        ("{{ nothing | default('02:de:20:00:00:03') }}", "02:de:20:00:00:03"),
        ("{{ nothing | default() }}", None),
        ("{{ empty }}", None),
        (None, None),
        ("", None),
        ("UNKNOWN", None),
        ("tbd", None),
    ],
)
def test_a_mac_that_can_be_read(raw, value):
    assert written.read_mac(raw, OWN) == written.Reading(value)


@pytest.mark.parametrize(
    ("raw", "problem", "jinja"),
    [
        (685_632_000, "was read as the number 685632000 (YAML 1.1, base 60)", False),
        ("nonsense", "cannot be read", False),
        (True, "is not text but bool", False),
        (["02:de:20:00:00:01"], "is not text but list", False),
        (VAULT, "is sealed in a vault", False),
        ("{{ nothing }}", "refers to nothing, which the host itself does not define", True),
        ("{{ jinja }}", "refers to jinja, which is itself Jinja or sealed", True),
        ("{{ sealed }}", "refers to sealed, which is itself Jinja or sealed", True),
        ("{{ mac | upper }}", "holds Jinja ({{ mac | upper }})", True),
        ("{{ a.b }}", "holds Jinja", True),
        ("x{{ mac }}", "holds Jinja", True),
        ("{{ mac }}{{ mac }}", "holds Jinja", True),
        ("{% if x %}1{% endif %}", "holds Jinja", True),
        ("{{ lookup('env', 'X') }}", "holds Jinja", True),
        ("{{ mac | default(other) }}", "holds Jinja", True),
    ],
)
def test_a_mac_that_cannot_be_read(raw, problem, jinja):
    found = written.read_mac(raw, OWN)
    assert found.value is None
    assert problem in found.problem
    assert found.jinja is jinja
    assert found.hint


def test_a_long_template_is_told_in_one_short_line():
    found = written.read_mac("{{ " + "x\n" * 500 + "}}", {})
    assert "\n" not in found.problem
    assert len(found.problem) < 150


@pytest.mark.parametrize(
    ("raw", "raw6", "value"),
    [
        ("192.0.2.1", None, Addressing("static", "192.0.2.1")),
        ("192.0.2.1/24", None, Addressing("static", "192.0.2.1")),
        (" DHCP ", None, Addressing("dhcp")),
        (None, None, Addressing()),
        ("", [], Addressing()),
        ([], "", Addressing()),
        ("2001:DB8::0:1", None, Addressing("static", None, ("2001:db8::1",))),
        (
            ["192.0.2.1", "2001:db8::1", "2001:db8::1"],
            None,
            Addressing("static", "192.0.2.1", ("2001:db8::1",)),
        ),
        ("dhcp", "2001:db8::1", Addressing("dhcp", None, ("2001:db8::1",))),
        ("192.0.2.1", "eui64", Addressing("static", "192.0.2.1", ("2001:db8::ff:fe00:1",))),
        (["{{ a | default('192.0.2.1') }}"], None, Addressing("static", "192.0.2.1")),
        ("{{ addresses }}", None, Addressing("static", "192.0.2.7", ("2001:db8::7",))),
    ],
)
def test_addresses_that_can_be_read(raw, raw6, value):
    own = {"addresses": ["192.0.2.7", "2001:db8::7"]}
    found = written.read_addressing(raw, raw6, own, "02:00:00:00:00:01", "2001:db8::/64")
    assert (found.value, found.problem) == (value, "")


@pytest.mark.parametrize(
    ("raw", "raw6", "value", "problem"),
    [
        ("nonsense", None, Addressing(), "is “nonsense”, not an address"),
        (5, None, Addressing(), "is “5”, not an address"),
        (True, None, Addressing(), "is “True”, not an address"),
        ("fe80::1%eth0", None, Addressing(), "not an address"),
        (
            ["192.0.2.1", "192.0.2.2"],
            None,
            Addressing("static", "192.0.2.1"),
            "a second IPv4 address, 192.0.2.2",
        ),
        (["dhcp", "192.0.2.2"], None, Addressing("dhcp"), "both dhcp and an address"),
        (None, "192.0.2.2", Addressing(), "gives 192.0.2.2 as an IPv6 address"),
        (None, "eui64", Addressing(), "needs a MAC and a segment with an IPv6 /64"),
        (["192.0.2.1", "{{ x }}"], None, Addressing("static", "192.0.2.1"), "refers to x"),
        (VAULT, None, Addressing(), "sealed in a vault"),
    ],
)
def test_addresses_with_a_problem(raw, raw6, value, problem):
    found = written.read_addressing(raw, raw6, {}, None, None)
    assert found.value == value
    assert problem in found.problem


@pytest.mark.parametrize(
    ("raw", "value"),
    [(None, False), (True, True), ("yes", True), ("On", True), ("no", False), ("maybe", False), (1, True), (0, False), ("{{ t }}", True)],
)  # fmt: skip
def test_flags(raw, value):
    assert written.read_flag(raw, {"t": "true"}) == written.Reading(value)


def test_service_names_below_the_zone_or_bare():
    items = [
        "a",
        "b.lab.example.net",
        "C.LAB.example.net.",
        "x.tenant",
        "elsewhere.example.org.",
        "{{ j }}",
        None,
        5,
        ".lab.example.net",
        "y" * 191,
    ]
    read, problem = written.read_names(items, "lab.example.net")
    assert [label for _, label in read] == ["a", "b", "C", "x.tenant", None, None, None, None, None, None]
    assert "elsewhere.example.org., “{{ j }}”" in problem.replace(
        "“elsewhere.example.org.”", "elsewhere.example.org."
    )
    assert written.read_names(None, "z") == ([], "")
    assert written.read_names("one", "z") == ([("one", "one")], "")


@pytest.mark.parametrize(
    ("raw", "value", "problem"),
    [
        ("192.0.2.0/24", "192.0.2.0/24", ""),
        ("2001:DB8::/64", "2001:db8::/64", ""),
        (None, None, ""),
        ("192.0.2.5/24", "192.0.2.0/24", "has host bits set"),
        ("x", None, "is not a network"),
        (5, None, "is not plain text"),
        ("{{ n }}", None, "holds Jinja"),
    ],
)
def test_networks(raw, value, problem):
    found = written.read_network(raw)
    assert found.value == value
    assert problem in found.problem


@pytest.mark.parametrize(
    ("raw", "value"), [(0, 0), (4094, 4094), ("99", 99), (None, None), (4095, None), (True, None), (-1, None), ("٣", None), ([], None)]
)  # fmt: skip
def test_vlans(raw, value):
    found = written.read_vlan(raw)
    assert found.value == value
    assert bool(found.problem) == (value is None and raw is not None)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("example.net", "example.net"),
        ("Example.NET.", "example.net"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("", None),
        (None, None),
        (5, None),
        ("{{ d }}", None),
        ("under_score.net", None),
        ("a" * 63 + "." + "b" * 63 + "." + "c" * 63, None),
    ],
)
def test_domains(raw, value):
    assert written.read_domain(raw).value == value


@pytest.mark.parametrize(
    ("raw", "value", "problem"),
    [
        ({"a": 1}, {"a": 1}, ""),
        (None, {}, ""),
        ({}, {}, ""),
        ([], {}, ""),
        ("{{ m }}", {}, "holds Jinja"),
        (VAULT, {}, "is sealed"),
        ("text", None, "must be a mapping"),
        (["a"], None, "must be a mapping"),
        (True, None, "must be a mapping"),
    ],
)
def test_mappings(raw, value, problem):
    found = written.read_mapping(raw)
    assert found.value == value
    assert problem in found.problem
