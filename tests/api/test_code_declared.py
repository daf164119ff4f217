"""Variables that run code where playbooks run are for those who may declare job templates, over the API too."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Host
from tests.api.conftest import bearer, wrong

CODE = {"ansible_host": "{{ lookup('pipe', 'id') }}"}


@pytest.mark.parametrize("scope", ["write", "provision"])
def test_no_token_declares_a_variable_that_runs_code(site, host, scope):
    caller = bearer(scope)
    told = wrong(caller.patch(f"hosts/{host.pk}", {"variables": CODE}))["variables"]
    assert "ansible_host has a lookup" in told and "Ask an administrator" in told
    assert "variables" in wrong(caller.post("groups", {"site": "lab", "name": "new", "variables": CODE}))
    assert "ansible_host" not in Host.objects.get(pk=host.pk).variables
    assert caller.patch(f"hosts/{host.pk}", {"variables": {"ansible_host": "192.0.2.9"}}).status_code == 200


def test_an_operator_is_refused_and_an_administrator_of_the_site_is_not(site, host, person):
    assert "variables" in wrong(person("operator", site).patch(f"hosts/{host.pk}", {"variables": CODE}))
    assert person("administrator", site).patch(f"hosts/{host.pk}", {"variables": CODE}).status_code == 200


def test_what_was_declared_by_somebody_who_may_stays_when_others_edit_beside_it(site, host):
    with change(site, by="fixture"):
        host.variables = CODE
        host.save()
    caller = bearer("write")
    done = caller.patch(f"hosts/{host.pk}", {"variables": {**CODE, "led": True}, "notes": "loud"})
    assert done.status_code == 200, done.content
    assert "variables" in wrong(
        caller.patch(f"hosts/{host.pk}", {"variables": {"ansible_host": "{{ query('pipe', 'id') }}"}})
    )


def test_a_lookup_in_other_text_is_refused_beside_its_field(site, host):
    told = wrong(bearer("write").patch(f"hosts/{host.pk}", {"notes": "{{ lookup('pipe', 'id') }}"}))
    assert "lookup" in told["notes"]
