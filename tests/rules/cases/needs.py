"""Needs of hosts that cannot be kept."""

from __future__ import annotations

from inventory.snapshot import Snapshot
from tests.rules.cases.making import Pair, card, host, of


def needing(*back: str, status: str = "active") -> Snapshot:
    """web needs db, db needs nas, and nas needs *back*."""
    return of(
        host("db", card("db", "192.0.2.11"), needs=("nas",)),
        host("nas", card("nas", "192.0.2.12"), needs=back, status=status),
        host("web", needs=("db",)),
    )


def carrying(*needs: str) -> Snapshot:
    """nas runs on hv, which needs *needs*."""
    return of(
        host("hv", card("hv", "192.0.2.21"), form="hv", needs=needs),
        host("nas", card("nas", "192.0.2.22"), form="vm", hypervisor="hv", vmid=200),
    )


CASES = {
    "need-carried": Pair(carrying("nas"), carrying()),
    "need-circle": Pair(needing("web"), needing()),
    "need-retired": Pair(needing(status="retired"), needing()),
}
