"""How much of the slow lane runs: all of it where a person asks, a tenth in CI, which runs for every change."""

from __future__ import annotations

import os

#: Set by ``.ci/run``.
SAMPLED = os.environ.get("MGMTPLANE_SLOW_SAMPLE") == "1"


def share(full: int) -> int:
    """*full* repetitions, or a tenth of them; never none."""
    return max(1, full // 10) if SAMPLED else full
