"""Every rule fires on a site that is wrong in one thing, and is silent about its repaired twin."""

from __future__ import annotations

import pytest

from inventory.rules.catalogue import CATALOGUE
from tests.rules.cases import CASES


def test_every_finding_has_a_pair():
    assert sorted(CASES) == sorted(CATALOGUE), "add the id to a module of tests/rules/cases"


@pytest.mark.parametrize("finding", sorted(CASES))
def test_it_fires_on_the_wrong_and_not_on_the_repaired(finding):
    pair = CASES[finding]
    fired = [found for found in pair.said_by(pair.wrong) if found.id == finding]
    assert fired
    assert [found for found in pair.said_by(pair.repaired) if found.id == finding] == []
    for found in fired:
        assert found.severity in CATALOGUE[finding].severity
        assert found.subject and found.message.endswith(".") and found.hint.endswith(".")


@pytest.mark.parametrize("finding", sorted(CASES))
def test_repairing_one_thing_breaks_no_other(finding):
    pair = CASES[finding]
    before = {found.id for found in pair.said_by(pair.wrong)}
    errors = {found.id for found in pair.said_by(pair.repaired) if found.severity == "error"}
    assert errors <= before - {finding}
