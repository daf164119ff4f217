"""One small site, written through the door, and people who may or may not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Role, Segment, Site
from tests.small_site import with_pi01


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
    return with_pi01(site, segment)


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
