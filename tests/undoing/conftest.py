"""A site with one row of every noun, and ways to undo."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User

from inventory.changes import change
from inventory.models import (
    Alias,
    Change,
    EmergencyUse,
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Interface,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Role,
    Schedule,
    Segment,
    Service,
    SeverityOverride,
    Site,
    VirtualMachine,
)
from inventory.undoing.undo import undo


@pytest.fixture
def ada(db) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def site(db) -> Site:
    lab = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(lab, by="fixture", why="founded"):
        pass
    with change(lab, by="fixture", why="a row of every noun"):
        segment = Segment(site=lab, name="management", vlan=99, network4="192.0.2.0/25", gateway4="192.0.2.1")
        segment.save()
        playbooks = Project(site=lab, name="playbooks", location="/srv/playbooks")
        playbooks.save()
        base = JobTemplate(site=lab, name="base", project=playbooks, playbook="base.yml")
        base.save()
        idle = Project(site=lab, name="idle", location="/srv/idle")
        idle.save()
        JobTemplate(site=lab, name="lonely", project=idle, playbook="lonely.yml").save()
        role = Role(site=lab, slug="web", code="01", configure_template=base)
        role.save()
        variables: Any = {"b": 1, "a": {"x": [1, 2]}}
        hv01 = Host(site=lab, name="hv01", form="hv", variables=variables)
        hv01.save()
        pi01 = Host(site=lab, name="pi01", form="pi", role=role)
        pi01.save()
        Interface(
            host=pi01, name="eth0", mac="bc:24:11:00:00:01", segment=segment, addressing="static",
            ipv4="192.0.2.10", a_record=True, reservation=True, primary=True,
        ).save()  # fmt: skip
        Hypervisor(host=hv01, node="hv01").save()
        vm09 = Host(site=lab, name="vm09", form="vm", hypervisor=hv01)
        vm09.save()
        VirtualMachine(host=vm09, template="debian-13-").save()
        vm10 = Host(site=lab, name="vm10", form="vm")
        vm10.save()
        HostNeed(host=pi01, needed=hv01).save()
        HostNeed(host=pi01, needed=vm10, position=1).save()
        service = Service(host=pi01, name="artifacts")
        service.save()
        Alias(service=service, name="files").save()
        pis, everything = Group(site=lab, name="pis"), Group(site=lab, name="everything")
        pis.save()
        everything.save()
        Membership(group=pis, host=pi01).save()
        Nesting(parent=everything, child=pis).save()
        SeverityOverride(
            site=lab, finding="address-in-pool", severity="info", why="for now", expires=date(2999, 1, 1)
        ).save()
        EmergencyUse(site=lab, who="grace", why="The router was gone.").save()
        segment.jump_host = pi01
        segment.save()
        KitPlace(site=lab, name="stick", kind="mount", location="/media/stick").save()
        Schedule(site=lab, name="hourly", kind="survey", every_hours=1, why="VMIDs").save()
    return Site.objects.get(slug="lab")


def latest() -> Change:
    return Change.objects.latest("id")


def undone(*changes: Change, why: str = "a mistake") -> Change:
    """Undo *changes*, or the latest, and return the new change."""
    return undo(list(changes) or [latest()], by="ada", why=why)[0]
