"""A part of a site document: what it names changes, and an empty name takes away what may go."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.document import amending
from inventory.importers import part
from inventory.models import Alias, Host, Service, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> Site:
    """hv01, which carries artifacts, behind the alias files."""
    reading.forget()
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        host = Host(site=site, name="hv01", form="hv")
        host.save()
        service = Service(host=host, name="artifacts")
        service.save()
        Alias(site=site, service=service, name="files").save()
    return site


def makers(text: str):
    return {"lab": lambda stored: part.read(text.encode(), "part.yml", stored)}


def lines(text: str) -> list[str]:
    (found,) = amending.plan(makers(text))
    return [str(one) for one in (*found.complaints, *found.entries)]


def test_an_alias_is_made_and_an_empty_one_goes(lab):
    text = "aliases:\n  files:\n  artifacts: artifacts\n"
    assert lines(text) == ["create alias artifacts", "remove alias files"]
    amending.amend(makers(text), seen=None, by="ada", why="a test")
    assert [alias.name for alias in Alias.objects.all()] == ["artifacts"]
    assert lines(text) == []


def test_a_service_and_the_alias_that_points_at_it_come_together(lab):
    text = "hosts:\n  hv01:\n    services: [{name: artifacts}, {name: web}]\naliases:\n  www: web\n"
    assert lines(text) == ["create alias www", "create service web on hv01"]
    amending.amend(makers(text), seen=None, by="ada", why="a test")
    assert Alias.objects.get(name="www").service.label == "web"


def test_a_service_goes_with_its_alias_when_both_are_said(lab):
    assert "delete the alias first" in lines("hosts:\n  hv01:\n    services:\n")[0]
    assert lines("hosts:\n  hv01:\n    services:\naliases:\n  files:\n") == [
        "remove alias files",
        "remove service artifacts on hv01",
    ]


def test_an_alias_that_points_nowhere_is_told_with_its_line(lab):
    (told,) = lines("aliases:\n  files: web\n")
    assert told.startswith("part.yml:2: alias files points at the service web, which no host carries")


def test_the_pool_of_a_hypervisor_is_a_word(lab):
    assert lines("hosts:\n  hv01:\n    proxmox: {pool: mgmt}\n") == ["create hypervisor hv01"]


def test_a_part_changes_what_it_names_of_a_specification(lab):
    with change(lab, by="fixture"):
        Host(site=lab, name="vm01", form="vm").save()
    text = "hosts:\n  vm01:\n    machine: {memory: 4096, ciuser: ops}\n"
    assert lines(text) == ["create machine specification vm01"]
    amending.amend(makers(text), seen=None, by="ada", why="a test")
    assert lines("hosts:\n  vm01:\n    machine: {cores: 4, ciuser: }\n") == [
        "change machine specification vm01: cores 2 → 4, ciuser ops → nothing"
    ]
    assert lines("hosts:\n  vm01:\n    machine:\n") == ["remove machine specification vm01"]
    (told,) = lines("hosts:\n  hv01:\n    machine: {cores: 4}\n")[:1]
    assert "hv01 is no virtual machine; set its form to vm first" in told
