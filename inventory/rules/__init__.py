"""What is wrong with a site, or worth knowing: rules are functions from a Snapshot to Findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inventory.findings import Finding, in_reading_order
from inventory.rules import addresses, ansible, dhcp, dns
from inventory.rules.catalogue import CATALOGUE, KNOWN
from inventory.snapshot import Snapshot

__all__ = ["CATALOGUE", "KNOWN", "RULES", "judge"]

Rule = Callable[[Snapshot], Iterable[Finding]]

#: Adding a rule is adding a function here, and its ids to the catalogue.
RULES: list[Rule] = [addresses.findings, ansible.findings, dhcp.findings, dns.findings]


def judge(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Everything the rules say about *snapshot*, worst first."""
    return in_reading_order([finding for rule in RULES for finding in rule(snapshot)])
