"""Schedules that cannot be are refused beside their field; forms ask whoever carries them out."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from inventory.changes import change
from inventory.models import Schedule
from provisioning.clockwork import schedules
from tests.provisioning.test_clock import kim as kim

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("facts", "field", "message"),
    [
        ({"cron": "30 2 * *", "every_hours": None}, "cron", "has 4 fields"),
        ({"cron": "30 2 * * *"}, "cron", "one of the two"),
        ({"cron": "30 2 * * *", "every_hours": None, "time_zone": "Mars"}, "time_zone", "no time zone"),
        ({"name": "No Name"}, "name", "cannot name a schedule"),
        ({"parameters": {"password": "hunter22"}}, "parameters", "looks like a secret"),
        (
            {"parameters": {"a": "PVEAPIToken=root@pam!x=0b1c2d3e-aaaa-bbbb-cccc-0123456789ab"}},
            "parameters",
            "secret",
        ),
        ({"why": " "}, "why", "Say what it is for"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(site, facts, field, message):
    with pytest.raises(ValidationError) as refusal, change(site, by="fixture"):
        Schedule(site=site, **{"name": "a", "kind": "survey", "every_hours": 1, "why": "x", **facts}).save()
    assert message in " ".join(refusal.value.message_dict[field])


def test_forms_ask_whoever_carries_it_out(site, kim):
    def judged(**facts) -> dict:
        return Schedule(
            site=site, **{"name": "a", "kind": "survey", "every_hours": 1, "owner": "kim", **facts}
        ).judged()

    assert judged() == {}
    assert "no jobs of the kind" in judged(kind="nonsense")["kind"][0]
    assert judged(parameters={"host": "hv9"}) == {"parameters": ["host: lab has no host hv9."]}
    assert "typed by a person" in judged(kind="destroy_vm")["kind"][0]
    assert (
        "may not start switch_authority"
        in judged(kind="switch_authority", parameters={"to": "gateway"})["kind"][0]
    )
    assert [
        kind.name for kind in schedules.schedulable() if kind.name in ("destroy_vm", "housekeeping")
    ] == []
