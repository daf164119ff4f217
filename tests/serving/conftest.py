"""A small site, the test's own formats, and clients with a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from inventory.changes import change
from inventory.exports import registry
from inventory.models import Host, Site, Token
from tests.serving import fakes


@pytest.fixture(autouse=True)
def formats(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        fakes.install(patch)
        yield
    registry.get_export.cache_clear()


@pytest.fixture(autouse=True)
def renderings_dir(settings: Any, tmp_path: Path) -> Path:
    settings.RENDERINGS_DIR = tmp_path / "renderings"
    return tmp_path / "renderings"


@pytest.fixture
def site() -> Site:
    """Site lab with hosts alpha and beta."""
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, why="made for a test"):
        for name in ("alpha", "beta"):
            Host(site=lab, name=name).save()
    return lab


AddHost = Callable[..., Host]


@pytest.fixture
def add_host(site: Site) -> AddHost:
    def add(name: str, **fields: Any) -> Host:
        host = Host(site=site, name=name, **fields)
        with change(site, why=f"add {name}", source="import"):
            host.save()
        return host

    return add


def client_of(token: Token, *, formats: Any = ()) -> Client:
    """A client that bears *token*, for all formats or for *formats*."""
    token.formats = list(formats)  # type: ignore[assignment]
    plain = token.issue()
    token.save()
    return Client(headers={"Authorization": f"Bearer {plain}"})


@pytest.fixture
def client(db: None) -> Client:
    """Bears a token for everything."""
    return client_of(Token(name="everything"))
