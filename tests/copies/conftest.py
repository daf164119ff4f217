"""A small site that is live, and what it takes to make it a restored copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from inventory.changes import change
from inventory.copying import copies
from inventory.models import Host, Site, Token

ARCHIVE = "mgmtplane-20261126T020000Z-0123456789abcdef.tar"


@pytest.fixture
def site() -> Site:
    lab = Site(slug="lab", root_domain="example.net", naming={"standard": "role-form"})  # type: ignore[misc]
    with change(lab, why="made for a test"):
        Host(site=lab, name="alpha").save()
    return lab


@pytest.fixture
def restored(site: Site) -> Site:
    """As after `backup restore`: the rows as they were, and another copy."""
    copies.renew(ARCHIVE)
    return site


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Any) -> None:
    settings.RENDERINGS_DIR = tmp_path / "renderings"


@pytest.fixture
def bearer() -> Callable[..., Client]:
    def make(scope: str = "read", name: str = "router-1") -> Client:
        token = Token(name=name, scope=scope)
        plain = token.issue()
        token.save()
        return Client(headers={"Authorization": f"Bearer {plain}", "Mgmtplane-Consumer": name})

    return make
