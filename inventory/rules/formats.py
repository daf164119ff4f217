"""What of the facts for single formats cannot be used. The reasons are the formats' own: an export cannot disagree."""

from __future__ import annotations

from collections.abc import Iterable

from inventory.exports import prometheus, pxe, ssh_plan
from inventory.findings import Finding
from inventory.snapshot import Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    yield from pxe.findings(snapshot)
    yield from ssh_plan.findings(snapshot)
    yield from prometheus.findings(snapshot)
