"""The lab in which acts are done."""

from __future__ import annotations

from typing import Any

import pytest

from inventory import reading
from inventory.models import Site
from tests.acts.lab import make_lab
from tests.allocation.conftest import make_site


@pytest.fixture(autouse=True)
def _fresh_snapshots():
    reading.forget()
    yield
    reading.forget()


@pytest.fixture
def site(db: Any) -> Site:
    return make_site()


@pytest.fixture
def lab(site: Site) -> Site:
    return make_lab(site)
