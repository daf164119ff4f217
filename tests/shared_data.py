"""Where the sample of a living lab lies: in ``../shared`` or ``MGMTPLANE_SHARED``, else in ``tests/data``."""

from __future__ import annotations

import os
from pathlib import Path

from tests.components import unavailable

REPOSITORY = Path(__file__).resolve().parent.parent


def _find_sample() -> Path | None:
    shared = Path(os.environ.get("MGMTPLANE_SHARED") or REPOSITORY.parent / "shared")
    for sample in (shared / "data" / "dvntm", REPOSITORY / "tests" / "data" / "dvntm"):
        if (sample / "hosts.yml").is_file():
            return sample
    return None


SAMPLE: Path | None = _find_sample()


def require_sample() -> Path:
    """The sample inventory's directory; skip (or fail) where it is absent."""
    if SAMPLE is None:
        unavailable("needs the sample in ../shared/data/dvntm: set MGMTPLANE_SHARED to the shared directory")
    return SAMPLE
