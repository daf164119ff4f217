"""Two small sites, and callers of each kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inventory.changes import change
from inventory.models import Grant, Host, Role, Segment, Site, Token
from tests.small_site import with_pi01


class Api:
    """A caller of ``/api/v1/``: addresses without the prefix, bodies as values."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(headers=headers, raise_request_exception=False)

    def __getattr__(self, method: str) -> Any:
        def call(address: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
            content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            if method == "get":
                return self.client.get(f"/api/v1/{address}", headers=named)
            send = getattr(self.client, method)
            return send(f"/api/v1/{address}", content, content_type="application/json", headers=named)

        return call


def bearer(scope: str, site: Site | None = None, **more: Any) -> Api:
    token = Token(name=f"{scope} {site or 'all'}", scope=scope, site=site, **more)
    plain = token.issue()
    token.save()
    return Api(authorization=f"Bearer {plain}")


def signed_in(user: User) -> Api:
    """A session that sends its CSRF token as it should: Django's test client is let through."""
    api = Api()
    api.client.force_login(user)
    return api


def problem(response: Any, status: int) -> dict[str, Any]:
    """The body of a problem, with its shape looked at."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status and told["detail"]
    return told


def wrong(response: Any, status: int = 400) -> dict[str, str]:
    """field → message of what is wrong."""
    return {one["field"]: one["message"] for one in problem(response, status).get("errors", ())}


@pytest.fixture
def site(db) -> Site:
    naming: Any = {
        "fields": [{"field": "role", "after": "-"}, {"field": "form"}, {"field": "number", "digits": 2}],
        "ordinal": "number",
    }
    site = Site(
        slug="lab",
        root_domain="example.net",
        block="192.0.2.0/24",
        organisation="de",
        environment="20",
        vmid_first=200,
        vmid_last=203,
        naming=naming,
    )
    with change(site, by="fixture", why="a small site"):
        pass
    return site


@pytest.fixture
def elsewhere(db) -> Site:
    site = Site(slug="home", root_domain="example.net")
    with change(site, by="fixture"):
        Segment(site=site, name="attic").save()
        Host(site=site, name="hidden", status="standby", plane="tenant").save()
    return site


@pytest.fixture
def segment(site) -> Segment:
    row = Segment(
        site=site,
        name="management",
        vlan=99,
        network4="192.0.2.0/25",
        gateway4="192.0.2.1",
        static_first="192.0.2.2",
        static_last="192.0.2.12",
    )
    with change(site, by="fixture"):
        row.save()
    return row


@pytest.fixture
def role(site) -> Role:
    row = Role(site=site, slug="dns", code="01")
    with change(site, by="fixture"):
        row.save()
    return row


@pytest.fixture
def host(site, segment) -> Host:
    return with_pi01(site, segment)


@pytest.fixture
def reader(db) -> Api:
    return bearer("read")


@pytest.fixture
def writer(db) -> Api:
    return bearer("write")


@pytest.fixture
def administrator(db) -> Api:
    return signed_in(User.objects.create_superuser("ada", password="a long password"))


@pytest.fixture
def person(db) -> Any:
    """person("operator", site) is signed in with that level there, or everywhere."""

    def made(level: str, site: Site | None = None, **more: Any) -> Api:
        user = User.objects.create_user(f"kim-{level}", is_staff=True, **more)
        Grant.objects.create(user=user, site=site, level=level)
        return signed_in(user)

    return made
