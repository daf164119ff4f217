"""A quarantine whose time has passed: it comes back as the document has it, and keeps nobody from the value."""

from __future__ import annotations

import pytest

from inventory import quarantine
from inventory.models import Identity
from tests.document.support import apply, delete, export, lines

pytestmark = pytest.mark.django_db

SITE = (
    "mgmtplane: 1\nsite: lab\nfacts: {root_domain: example.net}\nsegments:\n  lan: {network4: 192.0.2.0/24}\n"
)
RETIRED = SITE + "hosts:\n  w1: {form: vm, status: retired, plane: management}\n"
LEDGER = (
    "identities:\n  quarantined:\n    ip:\n"
    "      192.0.2.11: [w1, '2026-01-01T00:00:00+00:00', '2026-02-01T00:00:00+00:00']\n"
)
W2 = "  w2: {form: vm, interfaces: {eth0: {segment: lan, ipv4: 192.0.2.11}}}\n"


def states() -> list[tuple[str, str]]:
    rows = Identity.objects.active().filter(value="192.0.2.11")
    return sorted(rows.values_list("state", "host_name"))


def test_it_comes_back_and_housekeeping_ends_it():
    apply(RETIRED + LEDGER)
    assert states() == [("quarantined", "w1")]
    before = export("lab")
    delete("lab")
    apply(before)
    assert export("lab") == before
    assert quarantine.release_expired() == 1
    assert states() == []


def test_who_waits_for_it_waits_on():
    waiting = "  disputed: {ip: {192.0.2.11: {w2: '2026-01-05T00:00:00+00:00'}}}\n"
    apply(RETIRED + W2 + LEDGER + waiting)
    assert states() == [("disputed", "w2"), ("quarantined", "w1")]
    quarantine.release_expired()
    assert states() == [("held", "w2")]


def test_a_host_of_the_document_takes_the_value():
    apply(RETIRED + W2 + LEDGER)
    assert states() == [("held", "w2")]
    assert lines(RETIRED + W2 + LEDGER) == []


def test_a_host_declared_later_takes_the_value():
    apply(RETIRED + LEDGER)
    apply(RETIRED + W2)
    assert states() == [("held", "w2")]
