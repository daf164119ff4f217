"""What no DHCP server can do as declared. The reasons are the plan's own: an export cannot disagree."""

from __future__ import annotations

from collections.abc import Iterable

from inventory import dhcp
from inventory.findings import Finding
from inventory.snapshot import Snapshot


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    return dhcp.plan(snapshot).findings
