"""Who loses a race looks again, a few times and not for ever."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError

from inventory.allocation import Refused, Wanted, allocate, patience
from inventory.allocation.patience import patiently
from inventory.changes import change
from inventory.door import OutsideChange
from inventory.models import Host


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(patience, "PAUSE", 0)


def failing(times: int, error: Exception, cause: Exception | None = None):
    """An act that is refused so many times, and then succeeds."""
    calls = []

    def act() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error from cause
        return len(calls)

    return act


LOST = (ValidationError("Another host holds this value."), IntegrityError("UNIQUE"))


@pytest.mark.parametrize(
    "error", [LOST, (OperationalError("database is locked"), None)], ids=["constraint", "locked"]
)
def test_a_lost_race_is_run_again(error):
    assert patiently(failing(3, *error)) == 4


def test_a_race_that_is_always_lost_ends_with_the_sentence_of_the_constraint():
    with pytest.raises(ValidationError, match="Another host holds this value"):
        patiently(failing(99, *LOST))


def test_a_lock_that_never_comes_ends_with_a_sentence():
    with pytest.raises(Refused, match="again and again; nothing was handed out"):
        patiently(failing(99, OperationalError("database is locked")))


@pytest.mark.parametrize(
    "error", [OperationalError("database or disk is full"), ValidationError("no"), Refused("exhausted")]
)
def test_what_would_fail_again_is_told_at_once(error):
    with pytest.raises(type(error)):
        patiently(failing(1, error))


@pytest.mark.django_db
def test_inside_a_change_it_is_part_of_that_change(site):
    with pytest.raises(ZeroDivisionError), change(site, by="test"):
        assert allocate(site, Wanted(role="dns", form="vm"), by="test").host == "dns-vm01"
        1 / 0  # noqa: B018
    assert not Host.objects.exists()


@pytest.mark.django_db
def test_a_dry_run_inside_a_change_is_refused(site):
    with pytest.raises(OutsideChange, match="outside of a change"), change(site, by="test"):
        allocate(site, Wanted(role="dns", form="vm"), by="test", dry_run=True)
