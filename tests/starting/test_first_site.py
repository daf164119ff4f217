"""A first site from a few answers."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from inventory.rules import judge
from inventory.starting import Answers, FirstHost, Unanswerable, first_site
from inventory.starting.convention import USUAL

ANSWERS = Answers(
    "lab",
    "example.net",
    "10.20.0.0/16",
    segments=("management", "trusted", "guest", "blackhole"),
    host=FirstHost("vm", "metrics", "management"),
)


def problems(answers: Answers) -> dict[str, str]:
    with pytest.raises(Unanswerable) as caught:
        first_site(answers)
    return caught.value.problems


def test_networks_follow_the_convention_in_a_16():
    found = {one.name: one for one in first_site(ANSWERS).segments}
    assert found["management"].network4 == "10.20.99.0/24"
    assert found["management"].gateway4 == "10.20.99.1"
    assert str(found["management"].static_range) == "10.20.99.2-10.20.99.49"
    assert str(found["management"].pool) == "10.20.99.100-10.20.99.200"
    assert found["guest"].static_range is None and found["guest"].policy == "dynamic"
    assert found["blackhole"].network4 is None


def test_networks_follow_each_other_in_a_smaller_block():
    site = first_site(replace(ANSWERS, block="10.20.8.0/22"))
    assert {one.name: one.network4 for one in site.segments if one.network4} == {
        "trusted": "10.20.8.0/24",
        "guest": "10.20.9.0/24",
        "management": "10.20.10.0/24",
    }


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("10.0.0.0/8", "more than one site needs; give a /16 of it, such as 10.0.0.0/16"),
        ("192.0.2.0/25", "smaller than one /24"),
        ("192.0.2.0/24", "holds 1 networks of /24, and 3 segments need one each"),
    ],
)
def test_a_block_that_does_not_fit_is_refused_with_the_way_out(block, said):
    assert said in problems(replace(ANSWERS, block=block))["block"]


def test_hosts_have_names_addresses_and_identities():
    hosts = first_site(ANSWERS).host_by_name
    assert list(hosts) == ["hv01", "metrics-vm01", "rt01"]
    machine = hosts["metrics-vm01"]
    assert (machine.vmid, machine.hypervisor, machine.status) == (100, "hv01", "provisioning")
    assert machine.primary.mac == "02:de:10:01:00:01" and machine.primary.mac_kind == "assigned"
    assert machine.primary.reservation and machine.primary.a_record
    assert [i.ipv4 for i in hosts["rt01"].interfaces] == ["10.20.99.1", "10.20.10.1", "10.20.40.1"]
    addresses = [i.ipv4 for host in hosts.values() for i in host.interfaces]
    assert len(set(addresses)) == len(addresses)


def test_an_unknown_mac_reserves_nothing():
    assert not first_site(ANSWERS).host_by_name["hv01"].primary.reservation
    known = first_site(replace(ANSWERS, hypervisor_mac="bc:24:11:00:00:01")).host_by_name["hv01"]
    assert known.primary.reservation


def test_what_does_not_go_together_is_said_at_once():
    found = problems(
        replace(ANSWERS, segments=("guest",), host=FirstHost("vm", "metrics", "management"), router=False)
    )
    assert "static addresses" in found["segments"] and "management is not among" in found["host_segment"]
    assert "needs a network" in problems(replace(ANSWERS, segments=("blackhole",), host=None))["segments"]


@pytest.mark.parametrize("form", ["vm", "ph", "pi", "em"])
def test_the_rules_find_no_error_in_a_first_site(form):
    every = tuple(usual.name for usual in USUAL)
    site = first_site(replace(ANSWERS, segments=every, host=FirstHost(form, "metrics", "platform")))
    found = judge(site, datetime.date(2026, 11, 25))
    assert [finding for finding in found if finding.severity == "error"] == []
