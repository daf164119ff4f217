"""Secrets that the extra variables of a job template refer to."""

from __future__ import annotations

from inventory.rules.automation import findings
from provisioning.unlocks.wanted import OTHER, wanted
from tests.rules.cases.automation import templated


def test_an_extra_variable_asks_for_its_name_on_the_page_unlocked():
    found = {one.name: one for one in wanted(templated(extra_vars={"api": "unlock:api", "key": "vault:KEY"}))}
    assert (found["api"].what, found["api"].places) == (OTHER, ("job template base",))
    assert found["vault"].places == ("job template base",), "what opens the vaulted one"


def test_an_extra_variable_at_a_stored_secret_is_a_finding():
    said = [
        one.message for one in findings(templated(extra_vars={"api": "env:API"})) if one.id == "secret-stored"
    ]
    assert len(said) == 1 and "extra variable api at env:API" in said[0]
