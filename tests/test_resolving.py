"""What a host's variables come to and who says each: as the real Ansible resolves them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inventory import vault
from inventory.ansible.resolving import Origin, members, resolved, sealed_files_of, without_ciphertext
from inventory.exports import get_export
from inventory.snapshot import (
    GroupFacts,
    HostFacts,
    InterfaceFacts,
    ProfileFacts,
    SealedFile,
    SiteFacts,
    Snapshot,
)
from tests.ansible_reference import as_script, listing, values_differ, written
from tests.exports.sites import examples

SEALED = {"__ansible_vault": vault.encrypt(b"a secret", b"example")}
GROUPS = ("a", "b", "c", "d", "D", "ungrouped")
KEYS = ("v1", "v2", "v3", "fqdn", "ansible_host")

values = st.sampled_from((1, True, None, "x", [1, {"k": "v"}], {"z": 1, "a": 2}, SEALED))
variables = st.dictionaries(st.sampled_from(KEYS), values, max_size=3)


@st.composite
def sites(draw: st.DrawFn) -> Snapshot:
    """Hosts in nested groups and profiles that contradict each other."""
    names = ("h1", "h2", "h3")
    some = st.lists(st.sampled_from(names), unique=True).map(lambda found: tuple(sorted(found)))
    groups = []
    for at, name in enumerate(GROUPS):
        below = st.lists(st.sampled_from(GROUPS[at + 1 :]), unique=True) if GROUPS[at + 1 :] else st.just([])
        children = tuple(sorted(child for child in draw(below) if child != "ungrouped"))
        in_it = draw(some) if name != "ungrouped" else ()
        groups.append(
            GroupFacts(name, children, in_it, draw(variables), draw(st.sampled_from((1, 1, 5, 10))))
        )
    return Snapshot(
        SiteFacts("lab", "example.net", variables=draw(variables)),
        hosts=tuple(
            HostFacts(
                name,
                form="vm",
                variables=draw(variables),
                interfaces=(
                    InterfaceFacts(
                        name, "eth0", addressing="static", ipv4=f"192.0.2.{number}", a_record=True
                    ),
                ),
            )
            for number, name in enumerate(names, 10)
        ),
        groups=tuple(groups),
        profiles=(ProfileFacts("mqtt", draw(some), draw(variables)),),
    )


@examples(25)
@given(sites())
def test_the_values_are_those_that_ansible_resolves(tmp_path_factory, site):
    folder = tmp_path_factory.mktemp("inventory")
    script = as_script(get_export("ansible").render(site, None).files["inventory.json"], folder / "inventory")
    tree = written(dict(get_export("ansible-tree").render(site, None).files), folder / "tree")
    for source in (script, tree / "hosts.yml"):
        theirs = listing(source, password="example")["_meta"]["hostvars"]
        for host in site.hosts:
            ours = {one.key: one.value for one in resolved(site, host)}
            assert not values_differ(theirs[host.name], ours, host.name, "example", ordered=False)


def site_of(**more) -> Snapshot:
    host = HostFacts("pi01", form="pi", variables=more.pop("own", {}))
    return Snapshot(SiteFacts("lab", "example.net", variables={"ntp": "all"}), hosts=(host,), **more)


def test_a_value_names_its_origin_and_what_it_replaces():
    site = site_of(
        own={"ntp": "host"},
        groups=(
            GroupFacts("deep", hosts=("pi01",), variables={"ntp": "deep"}),
            GroupFacts("top", children=("deep",), variables={"ntp": "top"}),
        ),
        profiles=(ProfileFacts("mqtt", ("pi01",), {"broker": 1}),),
    )
    found = {one.key: one for one in resolved(site, site.hosts[0])}
    assert (found["ntp"].value, str(found["ntp"].origin)) == ("host", "host pi01")
    assert [(str(said.origin), said.value) for said in found["ntp"].overrides] == [
        ("group deep", "deep"),
        ("group top", "top"),
        ("site (all)", "all"),
    ]
    assert found["broker"].origin == Origin("profile", "mqtt")
    assert (found["fqdn"].value, found["fqdn"].origin.kind) == ("pi01.lab.example.net", "derived")


def test_what_the_host_itself_declares_is_not_called_derived():
    site = site_of(own={"fqdn": "elsewhere.example.org"})
    (found,) = (one for one in resolved(site, site.hosts[0]) if one.key == "fqdn")
    assert found.origin == Origin("host", "pi01")


def test_a_retired_host_has_no_variables():
    assert resolved(site_of(), HostFacts("pi01", status="retired")) == ()


def test_sealed_values_are_shown_as_sealed_at_any_depth():
    site = site_of(own={"keys": {"a": [SEALED], "b": 1}})
    (found,) = (one for one in resolved(site, site.hosts[0]) if one.key == "keys")
    assert found.is_sealed
    assert without_ciphertext(found.value) == {"a": ["(sealed)"], "b": 1}


def test_files_sealed_as_a_whole_are_those_of_the_host_and_its_groups():
    files = (
        SealedFile("group", "pis", "group_vars/pis/vault.yml", "…"),
        SealedFile("group", "others", "group_vars/others/vault.yml", "…"),
        SealedFile("host", "pi01", "host_vars/pi01/vault.yml", "…"),
    )
    site = site_of(groups=(GroupFacts("others"), GroupFacts("pis", hosts=("pi01",))), sealed=files)
    assert sealed_files_of(site, site.hosts[0]) == (files[0], files[2])


def test_each_member_says_by_which_way_it_is_one():
    groups = (
        GroupFacts("a", children=("b",), hosts=("h1",)),
        GroupFacts("b", hosts=("h1", "h2")),
    )
    hosts = (HostFacts("h1"), HostFacts("h2"), HostFacts("h3"), HostFacts("h4", status="retired"))
    site = Snapshot(SiteFacts("lab", "example.net"), hosts=hosts, groups=groups)
    assert [(m.host, m.path) for m in members(site, "a")] == [("h1", ("a",)), ("h2", ("a", "b"))]
    assert [(m.host, m.path) for m in members(site, "all")] == [
        ("h1", ("all", "a")),
        ("h2", ("all", "a", "b")),
        ("h3", ("all", "ungrouped")),
    ]
    assert members(site, "nobody") == ()
