"""The tests' kinds, and real workers over a folder of their own."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Site
from tests.provisioning import kinds as test_kinds
from tests.provisioning.support import LEASE, Workers, broker_in

test_kinds.register_all()


@pytest.fixture(autouse=True)
def _the_world():
    test_kinds.WORLD["things"] = ["one", "two"]


@pytest.fixture
def site(db) -> Site:
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(site, by="fixture", why="a small site"):
        pass
    return site


@pytest.fixture
def workers(transactional_db, settings, tmp_path):
    """Start workers by ``workers.start(name)``; messages of this process reach them."""
    data_dir = tmp_path / "data"
    settings.JOB_LEASE_SECONDS = LEASE
    data_dir.mkdir(exist_ok=True)
    found = Workers(data_dir, tmp_path / "log")
    with broker_in(settings, data_dir):
        yield found
        found.stop_all()
