"""What groups give, who takes another value, who sets a variable: as the host's own resolution says."""

from __future__ import annotations

from hypothesis import given as for_all

from inventory.ansible import group_variables
from inventory.ansible.resolving import resolved
from inventory.rules.masking import HIDDEN, SEALED, masked
from inventory.snapshot import GroupFacts, HostFacts, ProfileFacts, SiteFacts, Snapshot
from tests.exports.sites import examples
from tests.test_resolving import sites

SITE = Snapshot(
    SiteFacts("lab", "example.net", variables={"ntp": "192.0.2.1", "dns": "192.0.2.2"}),
    groups=(
        GroupFacts("pis", children=("kiosks",), hosts=("pi01",), variables={"ntp": "192.0.2.3", "led": True}),
        GroupFacts("kiosks", hosts=("pi02", "pi03"), variables={"led": False}),
        GroupFacts("zz", hosts=("pi03",), variables={"ntp": "192.0.2.9"}),
    ),
    profiles=(ProfileFacts("mqtt", ("pi01",), {"broker": True}),),
    hosts=(
        HostFacts("pi01", form="pi"),
        HostFacts("pi02", form="pi", variables={"dns": "192.0.2.53"}),
        HostFacts("pi03", form="pi"),
    ),
)


def test_a_group_gives_what_it_and_all_above_it_say():
    given = {
        one.key: (one.value, str(one.origin), [str(said.origin) for said in one.overrides])
        for one in group_variables.given(SITE, "kiosks")
    }
    assert given == {
        "dns": ("192.0.2.2", "site (all)", []),
        "led": (False, "group kiosks", ["group pis"]),
        "ntp": ("192.0.2.3", "group pis", ["site (all)"]),
    }
    (broker,) = [one for one in group_variables.given(SITE, "profile_mqtt") if one.key == "broker"]
    assert str(broker.origin) == "workload profile mqtt"


def test_hosts_that_take_another_value_are_named_with_who_gives_it():
    found = {
        key: [(one.host, str(one.origin)) for one in others]
        for key, others in group_variables.others(SITE, "pis").items()
    }
    assert found == {
        "dns": [("pi02", "host pi02")],
        "led": [("pi02", "group kiosks"), ("pi03", "group kiosks")],
        "ntp": [("pi03", "group zz")],
    }
    assert group_variables.others(SITE, "zz") == {}


def test_who_sets_a_variable_and_what_it_comes_to():
    said = [(str(one.origin), one.value) for one in group_variables.settings(SITE)["ntp"]]
    assert said == [("site (all)", "192.0.2.1"), ("group pis", "192.0.2.3"), ("group zz", "192.0.2.9")]
    assert [(one.value, str(one.origin), one.hosts) for one in group_variables.outcomes(SITE, "ntp")] == [
        ("192.0.2.3", "group pis", ("pi01", "pi02")),
        ("192.0.2.9", "group zz", ("pi03",)),
    ]
    broker = [(one.value, one.hosts) for one in group_variables.outcomes(SITE, "broker")]
    assert broker == [(True, ("pi01",)), (None, ("pi02", "pi03"))]
    assert group_variables.outcomes(SITE, "env") == ()


@examples(25)
@for_all(sites())
def test_outcomes_are_what_each_host_resolves_to(site):
    for key in ("v1", "v2", "v3"):
        told = {host: one for one in group_variables.outcomes(site, key) for host in one.hosts}
        for host in site.live_hosts:
            theirs = next((one for one in resolved(site, host) if one.key == key), None)
            mine = told[host.name]
            if theirs is None:
                assert mine.origin is None
            else:
                assert (mine.value, type(mine.value)) == (theirs.value, type(theirs.value))
                assert mine.origin is not None and mine.origin.kind == theirs.origin.kind
                assert mine.origin.kind == "host" or mine.origin == theirs.origin


@examples(25)
@for_all(sites())
def test_who_takes_another_value_than_a_group_gives_is_told(site):
    for group in site.groups:
        given = {one.key: one for one in group_variables.given(site, group.name)}
        others = group_variables.others(site, group.name)
        for host in site.live_hosts:
            theirs = {one.key: one.origin for one in resolved(site, host)}
            for key in ("v1", "v2", "v3"):
                said = [one.origin for one in others.get(key, ()) if one.host == host.name]
                if said:
                    assert said == [theirs[key]] and key in given


def test_secrets_are_told_by_a_word():
    value = {"user": "ada", "password": "hunter2secret", "sealed": {"__ansible_vault": "$ANSIBLE_VAULT"}}
    assert masked("api", value) == {"user": "ada", "password": HIDDEN, "sealed": SEALED}
    assert masked("api_token", "hunter2secret") == HIDDEN
    assert masked("motd", ["a", {"b": 1}]) == ["a", {"b": 1}]
