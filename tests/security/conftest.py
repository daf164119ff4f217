"""Two furnished sites; every text of “theirs” begins with its name, so that a test sees at once whose it is."""

from __future__ import annotations

import pytest

from tests.access.conftest import _fresh_snapshots as _fresh_snapshots
from tests.access.conftest import ours as ours
from tests.access.conftest import theirs as theirs
from tests.access.two_sites import person, signed_in
from tests.security.planted import plant


@pytest.fixture
def planted(ours, theirs):
    """The other site with a mark in every text that it has; returns the marks."""
    return plant(theirs)


@pytest.fixture
def grant_of(ours):
    """grant_of("operator") is the browser of somebody of that level at ours, and nowhere else."""

    def made(level: str):
        return signed_in(person(f"kim-{level}", (ours.site, level)))

    return made
