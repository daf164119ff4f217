"""The site and the stand-in of the jobs' tests, and a kind on it, prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from provisioning.kinds import resize
from provisioning.observed import hypervisors
from provisioning.steps import watching
from tests.provisioning.faults.ground import Ground
from tests.provisioning.faults.table import KINDS
from tests.provisioning.jobs.conftest import _impatient as _impatient
from tests.provisioning.jobs.conftest import lab as lab
from tests.provisioning.pve.fixtures import _newest as _newest
from tests.provisioning.pve.fixtures import pve as pve
from tests.provisioning.pve.standin import PATIENCE

#: an answer that comes is never taken for one that does not
SURE = {"answer": 20.0, "connect": 20}


@pytest.fixture(autouse=True)
def _sure(monkeypatch, _impatient):
    monkeypatch.setattr(hypervisors, "PATIENCE", replace(PATIENCE, **SURE))
    monkeypatch.setattr(watching, "CLONE_LIMIT", 5.0)
    monkeypatch.setattr(resize, "TIMEOUT", 1)


@pytest.fixture
def on(lab, pve, settings) -> Callable[[str], Ground]:
    """``on("power stop")``: that kind, with the world that it begins in."""
    settings.MACHINE_PARK_HOURS = 0

    def prepared(title: str) -> Ground:
        kind = next(one for one in KINDS if one.title == title)
        ground = Ground(lab, pve, kind)
        ground.prepare()
        return ground

    return prepared
