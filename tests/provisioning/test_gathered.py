"""What runs gather of hosts: kept beside the declaration, and drift where it contradicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Grant, Host, Interface, Site
from inventory.snapshot import HostFacts, InterfaceFacts
from provisioning import drift
from provisioning.models import DriftFinding, Observation
from provisioning.observed import observing
from provisioning.observed.gathered import Contradiction, contradictions
from tests.provisioning.runs.factories import RunFactory

MAC, OTHER = "02:de:20:00:00:c8", "bc:24:11:00:00:01"
DECLARED = HostFacts(
    "web01", interfaces=(InterfaceFacts("web01", "eth0", MAC, addressing="static", ipv4="192.0.2.10"),)
)


def _card(mac: str = MAC, *addresses: str, name: str = "eth0") -> dict[str, Any]:
    return {"name": name, "mac": mac, "active": True, "type": "ether", "addresses": list(addresses)}


def _told(*cards: dict[str, Any], name: str | None = None, host: HostFacts = DECLARED) -> list[Contradiction]:
    return list(contradictions(host, interfaces=cards or None, name=name))


# --- comparing ---


def test_what_is_as_declared_contradicts_nothing():
    assert _told(_card(MAC, "192.0.2.10/24"), name="web01") == []
    assert _told(_card(MAC.upper(), "192.0.2.10/24", name="ens18"), name="WEB01.lab.example.net") == []


def test_what_was_not_gathered_says_nothing():
    assert _told() == []
    assert _told(name=None) == []


def test_what_a_host_has_besides_is_its_own_business():
    assert _told(_card(MAC, "192.0.2.10/24"), _card(OTHER, "203.0.113.7/24", name="docker0")) == []


def test_another_mac_on_the_card_of_that_name_is_told():
    assert _told(_card(OTHER, "192.0.2.10/24")) == [Contradiction("gathered_mac", "eth0 MAC", MAC, OTHER)]
    assert _told(_card(OTHER, "192.0.2.10/24", name="ens18")) == [
        Contradiction("gathered_mac", "eth0 MAC", MAC, "on no interface")
    ]


def test_an_address_that_the_host_has_nowhere_is_told_with_what_is_there():
    assert _told(_card(MAC, "192.0.2.99/24", "fe80::1/64")) == [
        Contradiction("gathered_address", "eth0 address", "192.0.2.10", "192.0.2.99")
    ]
    assert _told(_card(MAC)) == [
        Contradiction("gathered_address", "eth0 address", "192.0.2.10", "on no interface")
    ]


def test_an_address_on_a_bridge_of_the_host_is_there():
    assert _told(_card(MAC), _card(MAC, "192.0.2.10/24", name="br0")) == []


def test_an_address_by_dhcp_is_declared_nowhere():
    (card,) = DECLARED.interfaces
    leased = replace(DECLARED, interfaces=(replace(card, addressing="dhcp", ipv4=None),))
    assert _told(_card(MAC, "192.0.2.77/24"), host=leased) == []


def test_a_host_that_calls_itself_otherwise_is_told():
    assert _told(name="web02.lab.example.net") == [
        Contradiction("gathered_name", "host name", "web01", "web02.lab.example.net")
    ]


@pytest.mark.parametrize("odd", [{}, {"name": None, "mac": 5, "addresses": None}, {"addresses": [7]}])
def test_whatever_a_host_says_is_borne(odd):
    assert [one.kind for one in _told(odd)] == ["gathered_mac", "gathered_address"]


# --- keeping ---


@pytest.fixture
def web(site):
    with change(site, by="fixture"):
        host = Host(site=site, name="web01", form="pi")
        host.save()
        Interface(host=host, name="eth0", mac=MAC, addressing="static", ipv4="192.0.2.10").save()
    return host


@pytest.fixture
def run(site):
    return RunFactory(job__site=site)


def _facts(*cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"hostname": "web01", "distribution": "Debian", "interfaces": list(cards), **more}


def _open() -> list[tuple[str, str, str]]:
    rows = DriftFinding.objects.filter(closed=None).order_by("kind")
    return [(row.kind, row.wanted, row.found) for row in rows]


def test_the_newest_of_each_kind_is_kept_with_its_run(site, web, run):
    keys = {"ssh-ed25519": "AAAAC3NzaC1lZDI1NTE5"}
    observing.keep(site, run.pk, {"web01": _facts(_card(MAC, "192.0.2.10/24"), ssh_host_keys=keys)})
    later = RunFactory(job__site=site)
    observing.keep(
        site, later.pk, {"web01": {"hostname": "web01", "distribution": "Debian", "kernel": "6.12"}}
    )
    found = {row.kind: (row.value, row.run_id) for row in Observation.objects.all()}
    assert found["system"] == ({"distribution": "Debian", "kernel": "6.12"}, later.pk)
    assert found["host_keys"] == (keys, run.pk)
    assert found["interfaces"][1] == run.pk
    assert Host.objects.get().interfaces.get().mac == MAC


def test_hosts_that_nobody_declares_are_not_kept(site, web, run):
    assert observing.keep(site, run.pk, {"stranger": _facts(_card())}) == 0
    assert not Observation.objects.exists()


def test_a_contradiction_opens_once_and_closes_by_the_run_that_sees_it_gone(site, web, run):
    wrong = {"web01": _facts(_card(OTHER, "192.0.2.10/24"))}
    observing.keep(site, run.pk, wrong)
    observing.keep(site, run.pk, wrong)
    assert _open() == [("gathered_mac", MAC, OTHER)]
    row = DriftFinding.objects.get()
    assert (row.subject, row.field, row.host_name, row.hypervisor) == ("web01", "eth0 MAC", "web01", "")
    observing.keep(site, run.pk, {"web01": _facts(_card(MAC, "192.0.2.10/24"))})
    assert _open() == []
    assert DriftFinding.objects.get().closed


def test_a_survey_closes_nothing_that_a_run_found(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER, "192.0.2.10/24"))})
    drift.judge(site)
    assert _open() == [("gathered_mac", MAC, OTHER)]


def test_it_closes_once_the_declaration_says_so_too(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER, "192.0.2.10/24"))})
    with change(site, by="ada", why="that is its card"):
        card = web.interfaces.get()
        card.mac = OTHER
        card.save()
    drift.judge_gathered(site)
    assert _open() == []


def test_a_retired_host_drifts_no_more(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER))})
    assert len(_open()) == 2
    with change(site, by="ada", why="gone"):
        web.status = "retired"
        web.save()
    drift.judge_gathered(site)
    assert _open() == []


def test_what_was_decided_falls_when_it_becomes_another(site, web, run):
    from django.utils import timezone

    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER, "192.0.2.10/24"))})
    drift.ignore(DriftFinding.objects.all(), until=timezone.localdate(), by="ada", why="known")
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER, "192.0.2.10/24"))})
    assert DriftFinding.objects.get().decision == "ignored"
    observing.keep(site, run.pk, {"web01": _facts(_card("bc:24:11:00:00:02", "192.0.2.10/24"))})
    row = DriftFinding.objects.get()
    assert (row.decision, [one.verb for one in row.decisions.all()]) == ("", ["ignore", "changed"])


def test_a_zero_byte_of_a_host_is_kept_without(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(MAC, "192.0.2.10/24"), kernel="6\0.12")})
    assert Observation.objects.get(kind="system").value["kernel"] == "6.12"


# --- pages ---


def _browser(site: Site, level: str) -> Client:
    user = User.objects.create_user(level, password="a long password", is_staff=True)
    Grant.objects.create(user=user, site=site, level=level)
    client = Client()
    client.force_login(user)
    return client


def test_the_page_of_a_host_shows_it_beside_the_declaration(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER, "192.0.2.10/24"), kernel="6.12.9")})
    page = (
        _browser(site, "operator")
        .get(reverse("admin:inventory_host_change", args=(web.pk,)))
        .content.decode()
    )
    assert "Gathered by runs" in page and "6.12.9" in page and f"run {run.pk}" in page
    assert f"{OTHER} instead of {MAC}" in page


def test_who_may_not_read_runs_sees_nothing_of_it(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER), kernel="6.12.9")})
    page = (
        _browser(site, "viewer").get(reverse("admin:inventory_host_change", args=(web.pk,))).content.decode()
    )
    assert "Gathered by runs" not in page and "6.12.9" not in page


def test_the_page_of_such_a_drift_names_no_hypervisor(site, web, run):
    observing.keep(site, run.pk, {"web01": _facts(_card(OTHER, "192.0.2.10/24"))})
    row = DriftFinding.objects.get()
    page = _browser(site, "operator").get(reverse("admin:provisioning_driftfinding_change", args=(row.pk,)))
    assert page.status_code == 200
    said = page.content.decode()
    assert "MAC that a run found" in said and "<dt>Hypervisor</dt>" not in said
