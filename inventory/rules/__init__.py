"""What is wrong with a site, or worth knowing: rules are functions from a Snapshot to Findings. Pure.

Adding a rule is adding a function here, its ids and pages to the catalogue, and a pair of cases to ``tests/rules``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from inventory.findings import Finding, in_reading_order
from inventory.rules import (
    addresses,
    ansible,
    automation,
    dhcp,
    dns,
    formats,
    groups,
    machines,
    macs,
    names,
    needs,
    records,
    secrets,
    segments,
    services,
    site,
    ways_in,
)
from inventory.rules.catalogue import CATALOGUE, KNOWN
from inventory.rules.lowering import lowered
from inventory.snapshot import Snapshot

__all__ = ["CATALOGUE", "DATED", "KNOWN", "RULES", "judge"]

Rule = Callable[[Snapshot], Iterable[Finding]]
DatedRule = Callable[[Snapshot, date], Iterable[Finding]]

RULES: list[Rule] = [
    addresses.findings,
    ansible.findings,
    automation.findings,
    dhcp.findings,
    dns.findings,
    formats.findings,
    groups.findings,
    machines.findings,
    macs.findings,
    names.findings,
    needs.findings,
    records.findings,
    secrets.findings,
    segments.findings,
    services.findings,
    site.findings,
    ways_in.findings,
]

#: What only a calendar can tell.
DATED: list[DatedRule] = [site.long_in_quarantine]


def judge(snapshot: Snapshot, today: date | None = None) -> tuple[Finding, ...]:
    """Everything the rules say about *snapshot*, worst first.

    With *today* also what depends on the day, and with severities as the site's people lowered them. Without it
    nothing is lowered: that is how exports see a site.
    """
    found = [finding for rule in RULES for finding in rule(snapshot)]
    if today is not None:
        found += [finding for rule in DATED for finding in rule(snapshot, today)]
        found = lowered(found, snapshot.overrides, today)
    return in_reading_order(found)
