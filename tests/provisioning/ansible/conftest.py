from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from provisioning.adapters.ansible import end_strays
from tests.provisioning.ansible.stage import Stage


@pytest.fixture
def stage(tmp_path: Path):
    """A stage whose processes and folder in memory are gone afterwards, whatever the test did."""
    marker = f"test/{uuid.uuid4()}"
    yield Stage(tmp_path, marker)
    end_strays(marker)
