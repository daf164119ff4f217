"""One small site, written through the door, and people who may or may not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inventory import reading
from inventory.changes import change
from inventory.models import Group, Host, Interface, Membership, Role, Segment, Service, Site


@pytest.fixture(autouse=True)
def _fresh_snapshots():
    reading.forget()
    yield
    reading.forget()


@pytest.fixture
def site(db) -> Site:
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(site, by="fixture", why="a small site"):
        pass
    return site


@pytest.fixture
def segment(site) -> Segment:
    row = Segment(site=site, name="management", vlan=99, network4="192.0.2.0/25", gateway4="192.0.2.1")
    with change(site, by="fixture"):
        row.save()
    return row


@pytest.fixture
def host(site, segment) -> Host:
    """pi01 with one static interface, a service and a group."""
    host = Host(site=site, name="pi01", form="pi", notes="behind the red door")
    with change(site, by="fixture"):
        host.save()
        Interface(
            host=host,
            name="eth0",
            mac="bc:24:11:ce:51:ec",
            segment=segment,
            addressing="static",
            ipv4="192.0.2.10",
            a_record=True,
            reservation=True,
        ).save()
        Service(host=host, name="artifacts").save()
        group = Group(site=site, name="pis")
        group.save()
        Membership(group=group, host=host).save()
    return host


@pytest.fixture
def role(site) -> Role:
    row = Role(site=site, slug="netctrl")
    with change(site, by="fixture"):
        row.save()
    return row


@pytest.fixture
def person(db) -> User:
    return User.objects.create_superuser("ada", password="a long password")


@pytest.fixture
def browser(person) -> Client:
    client = Client()
    client.force_login(person)
    return client
