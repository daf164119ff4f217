"""A clone with three versions, and the desk of upgrades over a data directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgmtplane.upgrading.journal import Desk, Source
from tests.upgrading.application import git


@pytest.fixture
def clone(tmp_path) -> Path:
    """With three versions, of a file each."""
    place = tmp_path / "clone"
    place.mkdir()
    git(place, "init", "--quiet")
    for name in ("a", "b", "c"):
        (place / name).write_text(name)
        git(place, "add", "--all")
        git(place, "commit", "--quiet", "-m", name)
        git(place, "tag", name)
    return place


@pytest.fixture
def desk(tmp_path) -> Desk:
    (tmp_path / "data").mkdir()
    return Desk(tmp_path / "data")


def source(clone: Path, name: str) -> Source:
    return Source(git(clone, "rev-parse", name), "main")
