"""Where the sample of a living lab lies: in ``../shared`` or ``MGMTPLANE_SHARED``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.components import unavailable

REPOSITORY = Path(__file__).resolve().parent.parent


def _find_sample() -> Path | None:
    shared = Path(os.environ.get("MGMTPLANE_SHARED") or REPOSITORY.parent / "shared")
    sample = shared / "data" / "dvntm"
    return sample if (sample / "hosts.yml").is_file() else None


SAMPLE: Path | None = _find_sample()


def require_sample() -> Path:
    """The sample inventory's directory; skip where it is absent, fail where ``MGMTPLANE_SHARED`` promised it.

    It is no part of the project and cannot be installed, so that its absence alone is no failure.
    """
    if SAMPLE is None:
        reason = "needs the sample in ../shared/data/dvntm: set MGMTPLANE_SHARED to the shared directory"
        if os.environ.get("MGMTPLANE_SHARED"):
            unavailable(reason)
        pytest.skip(reason)
    return SAMPLE
