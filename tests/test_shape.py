"""Keeping the shape in which nouns were written: unchanged facts as they were, edited ones in their old place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from inventory.addressing import Range
from inventory.ansible import noun_reading, shape
from inventory.ansible.nouns import names_of
from inventory.ansible.shape import ABSENT, Field, write, write_segment
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot

NAMES = names_of({})


def field(key, value, default=None):
    return Field(key, lambda raw: raw == value, value, value == default)


# --- one mapping ---


def test_an_unchanged_mapping_is_written_as_it_was():
    raw = {"z": 1, "known": "x", "a": {"deep": None}}
    kept = shape.shape_of(raw, ["known"])
    extras = shape.further_keys(raw, ["known"])
    assert json.dumps(write(kept, [field("known", "x")], extras)) == json.dumps(raw)


def test_an_edited_field_stands_in_its_old_place():
    raw = {"z": 1, "known": "x", "a": 2}
    out = write(shape.shape_of(raw, ["known"]), [field("known", "y")], shape.further_keys(raw, ["known"]))
    assert list(out.items()) == [("z", 1), ("known", "y"), ("a", 2)]


def test_a_new_field_stands_behind_and_an_empty_one_is_not_written():
    out = write(shape.shape_of({"a": 1}, []), [field("new", "y"), field("empty", None)], {"a": 1})
    assert out == {"a": 1, "new": "y"}


def test_further_keys_follow_the_person():
    raw = {"a": 1, "b": 2}
    assert write(shape.shape_of(raw, []), [], {"b": 3, "c": 4}) == {"b": 3, "c": 4}


@pytest.mark.parametrize("raw", [None, "", "{{ jinja }}", [], {"__ansible_vault": "x"}])
def test_what_was_no_mapping_stays_until_there_is_something_to_say(raw):
    kept = {"value": raw}
    assert write(kept, [field("known", None)], {}) == raw
    assert write(kept, [field("known", "x")], {}) == {"known": "x"}


def test_empty_stays_empty_and_absent_stays_absent():
    assert write(shape.shape_of({}, ["known"]), [field("known", None)], {}) == {}
    assert write(None, [field("known", None)], {}) is ABSENT


# --- segments ---


def segment(raw, **changed):
    """The segment that an import of *raw* makes, *changed* by a person."""
    columns = noun_reading.read_segment("lan", raw or {}, NAMES).columns
    known = [NAMES[key] for key in noun_reading.SEGMENT_FIELDS]
    facts = SegmentFacts(
        "lan", variables=shape.further_keys(raw, known), written=shape.shape_of(raw, known), **columns
    )
    return replace(facts, **changed)


SEGMENTS = [
    None,
    {},
    {"vlan_id": 99, "subnet": "192.0.2.0/24", "gateway": "192.0.2.1", "x": {"y": 1}},
    {
        "gateway": "192.0.2.1",
        "dhcp_range_end": "192.0.2.9",
        "subnet": "192.0.2.0/24",
        "dhcp_range_start": "192.0.2.5",
        "vlan_id": "10",
    },
    {
        "subnet": "192.0.2.0/24",
        "dhcp_enabled": "no",
        "dhcp_range_start": "192.0.2.5",
        "dhcp_range_end": "192.0.2.9",
    },
    {"subnet": None, "gateway": "", "dhcp_enabled": None, "vlan_id": None},
    {"subnet": "192.0.2.7/24", "gateway": "192.0.2.1/24", "vlan_id": 5000, "dhcp_enabled": "{{ x }}"},
    {"subnet": "2001:DB8::/64", "gateway": "2001:DB8::1", "gateway6": "x", "subnet6": "2001:db8:9::/64"},
    {"subnet6": "2001:DB8::/64", "gateway6": "2001:DB8::1", "gateway": None},
    {"subnet": "{{ net }}", "subnet6": "192.0.2.0/24", "gateway": "{{ gw }}"},
]


@pytest.mark.parametrize("raw", SEGMENTS)
def test_a_segment_is_written_as_it_was(raw):
    assert json.dumps(write_segment(segment(raw), NAMES)) == json.dumps(raw)


def test_edited_segments_keep_everything_else():
    raw = SEGMENTS[3]
    assert write_segment(segment(raw, gateway4="192.0.2.254"), NAMES) == {**raw, "gateway": "192.0.2.254"}
    assert write_segment(segment(raw, vlan=11), NAMES) == {**raw, "vlan_id": 11}
    moved = write_segment(segment(raw, pool=Range("192.0.2.5", "192.0.2.8")), NAMES)
    assert list(moved.items()) == list({**raw, "dhcp_range_end": "192.0.2.8"}.items())
    static = write_segment(segment(raw, policy="static", pool=None), NAMES)
    assert static == {
        "gateway": "192.0.2.1",
        "subnet": "192.0.2.0/24",
        "vlan_id": "10",
        "dhcp_enabled": False,
    }
    off = write_segment(segment(raw, policy="none"), NAMES)  # the nearest that Ansible's words can say
    assert off == {**raw, "dhcp_enabled": False}
    kept_pool = write_segment(segment(raw, policy="static"), NAMES)
    assert kept_pool == {**raw, "dhcp_enabled": False}
    both = write_segment(segment(raw, network6="2001:db8::/64", gateway6="2001:db8::1"), NAMES)
    assert both == {**raw, "subnet6": "2001:db8::/64", "gateway6": "2001:db8::1"}


def test_a_switched_on_segment_says_so_where_it_said_no():
    raw = SEGMENTS[4]
    edited = segment(raw, policy="both", pool=Range("192.0.2.5", "192.0.2.9"))
    assert write_segment(edited, NAMES) == {**raw, "dhcp_enabled": True}


def test_an_edited_network_does_not_tidy_the_gateway():
    raw = SEGMENTS[6]
    assert write_segment(segment(raw, network4="192.0.2.0/25"), NAMES) == {**raw, "subnet": "192.0.2.0/25"}


def test_a_segment_made_by_hand_is_written_canonically():
    made = SegmentFacts(
        "new", vlan=5, network4="192.0.2.0/24", gateway4="192.0.2.1", pool=Range("192.0.2.9", "192.0.2.20")
    )
    assert write_segment(made, NAMES) == {
        "vlan_id": 5, "subnet": "192.0.2.0/24", "gateway": "192.0.2.1", "dhcp_range_start": "192.0.2.9",
        "dhcp_range_end": "192.0.2.20",
    }  # fmt: skip
    assert write_segment(SegmentFacts("none", policy="none"), NAMES) == {}


# --- hosts ---


def host(hardware, intent, variables=None, segments=("lan",), **changed):
    """The host that an import of the two mappings makes; *changed*: fields of its interface eth0, or of the host."""
    iron, duty = (hardware or {}).get("interfaces", {}), (intent or {}).get("interfaces", {})
    written = {}
    for noun, raw, known in (("hardware", hardware, ["form"]), ("intent", intent, ["role"])):
        if raw is not None:
            written[noun] = shape.shape_of(raw, known)
            written[f"{noun}_interfaces"] = {"order": list(raw.get("interfaces", {})), "raw": {}}
    interfaces = []
    for name in dict.fromkeys([*duty, *iron]):
        one, two = iron.get(name, {}), duty.get(name, {})
        raw = noun_reading.InterfaceAsWritten(
            one, two, two.get("dns", {}), two.get("dns", {}).get("pxe_boot", {})
        )
        columns = noun_reading.read_interface(raw, variables or {}, NAMES, lambda name: None).columns
        known = ["ip", "ip6", "segment", "wol", "ansible"]
        parts = {"hardware": shape.shape_of(one, ["mac"])} if name in iron else {}
        if name in duty:
            parts["intent"] = shape.shape_of(two, known)
        if "dns" in two:
            parts["dns"] = shape.shape_of(raw.dns, ["host_a_record", "dhcp_reservation", "cnames"])
        if "pxe_boot" in raw.dns:
            parts["pxe"] = shape.shape_of(raw.pxe, ["tftp_server", "boot_file"])
        facts = InterfaceFacts("h", name, written=parts, **columns)
        interfaces.append(replace(facts, **changed.pop(name, {})))
    names = [name for one in duty.values() for name in one.get("dns", {}).get("cnames", [])]
    services = changed.pop("services", names)
    facts = HostFacts(
        "h",
        form=str((hardware or {}).get("form", "")),
        role=str((intent or {}).get("role", "")),
        variables=variables or {},
        written=written,
        interfaces=tuple(interfaces),
        services=tuple(ServiceFacts(name, "h") for name in services),
    )
    return replace(facts, **changed)


def rendered(facts, segments=("lan",)):
    snapshot = Snapshot(
        SiteFacts("lab", "example.net"), segments=tuple(SegmentFacts(s) for s in segments), hosts=(facts,)
    )
    return shape.HostWriter(snapshot, NAMES).write(facts)


HARDWARE = {"interfaces": {"eth0": {"mac": "02-DE-20-00-00-01"}, "eth1": {"mac": "UNKNOWN"}}, "form": "vm"}
INTENT = {
    "role": "web",
    "interfaces": {
        "eth1": {"ip": "dhcp"},
        "eth0": {
            "segment": "lan",
            "ip": "192.0.2.5/24",
            "dns": {"cnames": ["www", "shop"], "host_a_record": "yes", "pxe_boot": {"boot_file": "x.efi"}},
        },
    },
}


def edited(path, value):
    """The two mappings with one value replaced."""
    both = json.loads(json.dumps({"infrastructure": HARDWARE, "env": INTENT}))
    at = both
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return both


def test_an_unchanged_host_is_written_as_it_was():
    expected = {"infrastructure": HARDWARE, "env": INTENT}
    assert json.dumps(rendered(host(HARDWARE, INTENT))) == json.dumps(expected)


ETH0 = ("env", "interfaces", "eth0")


@pytest.mark.parametrize(
    ("changed", "path", "value"),
    [
        (
            {"eth0": {"mac": "02:de:20:00:00:09"}},
            ("infrastructure", "interfaces", "eth0", "mac"),
            "02:de:20:00:00:09",
        ),
        (
            {"eth1": {"mac": "02:de:20:00:00:09"}},
            ("infrastructure", "interfaces", "eth1", "mac"),
            "02:de:20:00:00:09",
        ),
        ({"eth0": {"mac": None}}, ("infrastructure", "interfaces", "eth0", "mac"), "UNKNOWN"),
        ({"form": "pi"}, ("infrastructure", "form"), "pi"),
        ({"role": "db"}, ("env", "role"), "db"),
        ({"eth0": {"ipv4": "192.0.2.6"}}, (*ETH0, "ip"), "192.0.2.6"),
        ({"eth0": {"ipv4": None, "addressing": "none"}}, (*ETH0, "ip"), None),
        ({"eth0": {"ipv4": None, "addressing": "dhcp"}}, (*ETH0, "ip"), "dhcp"),
        (
            {"eth1": {"ipv4": "192.0.2.8", "addressing": "static"}},
            ("env", "interfaces", "eth1", "ip"),
            "192.0.2.8",
        ),
        ({"eth0": {"ipv6": ("2001:db8::5",)}}, (*ETH0, "ip6"), "2001:db8::5"),
        ({"eth0": {"segment": "iot"}}, (*ETH0, "segment"), "iot"),
        ({"eth0": {"a_record": False}}, (*ETH0, "dns", "host_a_record"), False),
        ({"eth0": {"reservation": True}}, (*ETH0, "dns", "dhcp_reservation"), True),
        ({"eth0": {"wake_on_lan": True}}, (*ETH0, "wol"), True),
        ({"eth0": {"pxe_file": "y.efi"}}, (*ETH0, "dns", "pxe_boot", "boot_file"), "y.efi"),
        ({"eth0": {"pxe_server": "192.0.2.9"}}, (*ETH0, "dns", "pxe_boot", "tftp_server"), "192.0.2.9"),
        ({"services": ["www", "shop", "api"]}, (*ETH0, "dns", "cnames"), ["www", "shop", "api"]),
        ({"services": ["shop"]}, (*ETH0, "dns", "cnames"), ["shop"]),
        ({"services": []}, (*ETH0, "dns", "cnames"), []),
        ({"eth1": {"a_record": True}}, ("env", "interfaces", "eth1", "dns"), {"host_a_record": True}),
    ],
)
def test_one_edited_fact_and_everything_else_as_written(changed, path, value):
    found = rendered(host(HARDWARE, INTENT, **changed), ("lan", "iot"))
    assert json.dumps(found) == json.dumps(edited(path, value))


def test_a_reference_stays_until_the_fact_is_edited():
    iron = {"interfaces": {"eth0": {"mac": "{{ assigned | default('') }}"}}}
    own = {"assigned": "02:de:20:00:00:01"}
    assert rendered(host(iron, None, own)) == {"infrastructure": iron}
    edited_host = host(iron, None, own, eth0={"mac": "02:de:20:00:00:02"})
    assert rendered(edited_host)["infrastructure"]["interfaces"]["eth0"] == {"mac": "02:de:20:00:00:02"}
    moved = replace(host(iron, None, own), variables={"assigned": "02:de:20:00:00:03"})
    assert rendered(moved)["infrastructure"]["interfaces"]["eth0"] == {"mac": "02:de:20:00:00:01"}


def test_a_pinned_variable_is_not_the_hosts_own():
    iron = {"interfaces": {"eth0": {"mac": "{{ assigned | default('') }}"}}}
    facts = host(iron, None)
    pinned = replace(
        facts, variables={"assigned": "02:de:20:00:00:01"}, written={**facts.written, "pinned": ["assigned"]}
    )
    assert rendered(pinned) == {"infrastructure": iron}


def test_ipv6_goes_where_the_tree_had_it():
    def addresses(raw, **changed):
        facts = host(None, {"interfaces": {"eth0": raw}}, eth0=changed)
        return rendered(facts)["env"]["interfaces"]["eth0"]

    both = {"ip": ["192.0.2.5", "2001:DB8::5"]}
    assert addresses(both) == both
    assert addresses(both, ipv4="192.0.2.6") == {"ip": ["192.0.2.6", "2001:db8::5"]}
    assert addresses(both, ipv6=()) == {"ip": "192.0.2.5"}
    assert addresses({"ip": "2001:db8::5"}, ipv6=("2001:db8::6",)) == {"ip": "2001:db8::6"}
    apart = {"ip": "192.0.2.5/24", "ip6": ["2001:DB8::5"]}
    assert addresses(apart, ipv6=("2001:db8::6",)) == {"ip": "192.0.2.5/24", "ip6": "2001:db8::6"}
    assert addresses(apart, ipv6=()) == {"ip": "192.0.2.5/24"}


def test_removed_and_new_interfaces():
    facts = host(HARDWARE, INTENT)
    new = InterfaceFacts(
        "h",
        "eth9",
        mac="02:de:20:00:00:0a",
        ipv4="192.0.2.9",
        addressing="static",
        segment="lan",
        a_record=True,
    )
    found = rendered(replace(facts, interfaces=(facts.interfaces[1], new)))
    assert list(found["infrastructure"]["interfaces"]) == ["eth0", "eth9"]
    assert found["env"]["interfaces"]["eth9"] == {
        "ip": "192.0.2.9",
        "segment": "lan",
        "dns": {"host_a_record": True},
    }
    assert "eth1" not in found["env"]["interfaces"]


def test_a_host_made_by_hand_is_written_canonically():
    interface = InterfaceFacts(
        "h", "eth0", mac="02:de:20:00:00:01", segment="lan", addressing="static", ipv4="192.0.2.5", ipv6=("2001:db8::5",),
        a_record=True, reservation=True, management=True, pxe_server="192.0.2.9", pxe_file="x.efi",
    )  # fmt: skip
    facts = HostFacts(
        "h", form="vm", role="web", interfaces=(interface,), services=(ServiceFacts("www", "h"),)
    )
    assert rendered(facts) == {
        "infrastructure": {"form": "vm", "interfaces": {"eth0": {"mac": "02:de:20:00:00:01"}}},
        "env": {
            "role": "web",
            "interfaces": {
                "eth0": {
                    "ip": "192.0.2.5",
                    "ip6": "2001:db8::5",
                    "segment": "lan",
                    "ansible": True,
                    "dns": {
                        "host_a_record": True,
                        "dhcp_reservation": True,
                        "cnames": ["www"],
                        "pxe_boot": {"tftp_server": "192.0.2.9", "boot_file": "x.efi"},
                    },
                }
            },
        },
    }
    assert rendered(HostFacts("bare")) == {}


def test_somebody_elses_mapping_is_left_alone():
    facts = HostFacts(
        "h", form="vm", variables={"env": {"FOO": "bar"}}, written={"opaque:env": "foreign"}, role="web"
    )
    writer = shape.HostWriter(Snapshot(SiteFacts("lab", "")), NAMES)
    assert writer.write(facts) == {"infrastructure": {"form": "vm"}}
    assert writer.own_variables(facts) == {"env": {"FOO": "bar"}}
