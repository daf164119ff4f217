"""For every id that a finding may have: a site that has it, and the repaired twin that does not."""

from __future__ import annotations

from tests.rules.cases import (
    addresses,
    ansible,
    automation,
    dns,
    formats,
    identities,
    lowering,
    machines,
    needs,
    secrets,
    ways_in,
)
from tests.rules.cases.making import Pair

CASES: dict[str, Pair] = {
    **addresses.CASES,
    **ansible.CASES,
    **automation.CASES,
    **dns.CASES,
    **formats.CASES,
    **identities.CASES,
    **lowering.CASES,
    **machines.CASES,
    **needs.CASES,
    **secrets.CASES,
    **ways_in.CASES,
}
