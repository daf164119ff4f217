"""Random Ansible trees: groups in any order without circles, variables inline and in files, identities anywhere."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from inventory import yaml11

GROUPS = ("a", "b", "c", "d", "e", "f", "g.yml", "ungrouped")
HOSTS = ("h1", "h2", "h3", "h4", "x.example.org", "198.51.100.9")
KEYS = ("v1", "v2", "v3", "ansible_host", "fqdn", "deevnet_root_domain", "deevnet_substrate")

_REFERENCES = (
    "{{ my_mac }}",
    "{{ my_mac | default('') }}",
    "{{ v1 | d('dhcp') }}",
    "{{ a }}{{ b }}",
    "{% if x %}1{% endif %}",
)
_texts = st.sampled_from(
    ("", "x", "UNKNOWN", "dhcp", "yes", "010", "größe", "a: b", "line\nbreak\n", *_REFERENCES)
)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 300), st.floats(-2, 2, width=16), _texts)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(("z", "a", "mac", "ip")), inner, max_size=3)
    ),
    max_leaves=5,
)
_macs = st.sampled_from(
    (
        None,
        "",
        "UNKNOWN",
        "02:de:20:00:00:01",
        "02-DE-20-00-00-02",
        "BC2411CE51EC",
        "nonsense",
        5,
        *_REFERENCES,
    )
)
_addresses = st.sampled_from(
    (
        None,
        "",
        "dhcp",
        "192.0.2.9",
        "192.0.2.10/24",
        "2001:db8::9",
        "300.1.1.1",
        ["192.0.2.11", "2001:DB8::b"],
        [],
        True,
        *_REFERENCES,
    )
)
_flags = st.sampled_from((None, True, False, "yes", "no", 0, 1, "{{ v2 }}"))
_segments = st.sampled_from((None, "lan", "iot", "nowhere", "{{ v3 | default('lan') }}"))
_names = st.sampled_from(
    (
        None,
        [],
        "one",
        ["one", "two"],
        ["Two", "two", "3.dvntm.home.arpa"],
        ["{{ v1 }}", None, "web.tenant", "a.example.net."],
    )
)


def _some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with some of *fields*, in any order."""
    return st.lists(st.sampled_from(sorted(fields)), unique=True).flatmap(
        lambda keys: st.tuples(*(fields[key] for key in keys)).map(
            lambda values: dict(zip(keys, values, strict=True))
        )
    )


def _mapping(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), _some(fields), _some(fields), _some(fields), st.just("{{ whole_mapping }}"))


_pxe = _mapping({"tftp_server": _texts, "boot_file": _texts, "more": _values})
_dns = _mapping(
    {
        "host_a_record": _flags,
        "dhcp_reservation": _flags,
        "cnames": _names,
        "pxe_boot": _pxe,
        "other": _values,
    }
)
_interface = _mapping(
    {
        "ip": _addresses,
        "ip6": _addresses,
        "segment": _segments,
        "wol": _flags,
        "ansible": _flags,
        "dns": _dns,
        "purpose": _values,
        "infrastructure": _values,
    }
)
_hardware_interface = _mapping({"mac": _macs, "speed": _values, "infrastructure": _values})


def _interfaces(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _mapping({"eth0": one, "eth1": one, "wlan 0": one})


_hardware = _mapping({"form": _scalars, "interfaces": _interfaces(_hardware_interface), "rack": _values})
_intent = _mapping({"role": _scalars, "interfaces": _interfaces(_interface), "note": _values})
_segment = _mapping(
    {
        "vlan_id": st.sampled_from((None, 10, "20", 5000, True, "{{ v }}")),
        "subnet": st.sampled_from((None, "192.0.2.0/24", "192.0.2.5/24", "2001:db8::/64", "x", "{{ v }}")),
        "subnet6": st.sampled_from((None, "2001:db8::/64", "192.0.2.0/24")),
        "gateway": st.sampled_from((None, "192.0.2.1", "2001:db8::1", "gw")),
        "gateway6": st.sampled_from((None, "2001:DB8::1", 6)),
        "dhcp_enabled": _flags,
        "dhcp_range_start": st.sampled_from((None, "192.0.2.100", "x")),
        "dhcp_range_end": st.sampled_from((None, "192.0.2.200")),
        "trust": _values,
    }
)
_variables = st.tuples(
    st.dictionaries(st.sampled_from(KEYS), _values, max_size=3),
    _some({"infrastructure": _hardware, "env": st.one_of(_intent, _intent, _scalars)}),
    _some(
        {"my_mac": _macs, "deevnet_vlans": _mapping({"lan": _segment, "iot": _segment, "guest": _segment})}
    ),
).map(lambda parts: {**parts[0], **parts[1], **parts[2]})
_maybe = st.one_of(st.just({}), _variables)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """Files by path, with ``hosts.yml`` at the top."""
    files: dict[str, str] = {}
    groups = draw(st.lists(st.sampled_from(GROUPS), min_size=1, unique=True))
    hosts = draw(st.lists(st.sampled_from(HOSTS), min_size=1, unique=True))
    top: dict[str, Any] = {"vars": draw(_maybe), "children": {}, "hosts": {}}
    for at, name in enumerate(groups):
        body: dict[str, Any] = {"vars": draw(_maybe)}
        if draw(st.integers(0, 3)) == 0:
            body["vars"] = {**body["vars"], "ansible_group_priority": draw(st.integers(-1, 3))}
        members = draw(st.lists(st.sampled_from(hosts), unique=True))
        body["hosts"] = {host: draw(_maybe) if draw(st.integers(0, 4)) == 0 else {} for host in members}
        later = [other for other in groups[at + 1 :] if other != "ungrouped"]
        if later and name != "ungrouped":
            body["children"] = {child: {} for child in draw(st.lists(st.sampled_from(later), unique=True))}
        top["children"][name] = body
    for host in draw(st.lists(st.sampled_from(hosts), unique=True)):
        top["hosts"][host] = draw(_maybe)
    files["hosts.yml"] = yaml11.dump({"all": top})
    for kind, owners in (("group", ["all", *groups]), ("host", hosts)):
        for owner in owners:
            _owner_files(draw, files, f"{kind}_vars/{owner}")
    return files


def _owner_files(draw: st.DrawFn, files: dict[str, str], base: str) -> None:
    match draw(st.integers(0, 3)):
        case 1:
            files[base if base.endswith(".yml") else f"{base}.yml"] = yaml11.dump(draw(_variables))
        case 2:
            files[f"{base}/one.yml"] = yaml11.dump(draw(_variables))
            files[f"{base}/two.yml"] = yaml11.dump(draw(_variables))
