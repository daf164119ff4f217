"""Severities are lowered for a while, with a reason, and never raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from inventory.findings import Finding
from inventory.rules import judge
from inventory.rules.lowering import lowered
from inventory.snapshot import OverrideFacts
from tests.rules.cases.making import TODAY, card, host, of, with_card

UNKNOWN = "reservation-unknown-mac"
INFO = OverrideFacts(UNKNOWN, "info", "the card is in the post", "2030-06-15")
TWO = of(host("a", card("a", mac=None)), host("b", card("b", "192.0.2.11", mac=None)))


def severities(snapshot, *overrides, today=TODAY):
    judged = judge(replace(snapshot, overrides=overrides), today)
    return {f.subject: f.severity for f in judged if f.id == UNKNOWN}


def test_a_lowered_finding_says_what_it_was_why_and_until_when():
    snapshot = replace(with_card(mac=None), overrides=(INFO,))
    (finding,) = [f for f in judge(snapshot, TODAY) if f.id == UNKNOWN]
    assert (finding.severity, finding.lowered_from) == ("info", "warning")
    assert (finding.lowered_because, finding.lowered_until) == ("the card is in the post", "2030-06-15")
    assert Finding(**finding.as_dict()) == finding


def test_what_nobody_lowered_is_told_as_ever():
    (finding,) = [f for f in judge(with_card(mac=None), TODAY) if f.id == UNKNOWN]
    assert set(finding.as_dict()) == {"id", "severity", "subject", "message", "hint"}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (INFO, {"interface a/eth0": "info", "interface b/eth0": "info"}),
        (
            replace(INFO, subject="interface a/eth0"),
            {"interface a/eth0": "info", "interface b/eth0": "warning"},
        ),
        (replace(INFO, severity="warning"), {"interface a/eth0": "warning", "interface b/eth0": "warning"}),
        (replace(INFO, expires="2030-06-14"), {"interface a/eth0": "warning", "interface b/eth0": "warning"}),
        (
            replace(INFO, finding="pool-missing"),
            {"interface a/eth0": "warning", "interface b/eth0": "warning"},
        ),
    ],
)
def test_one_subject_or_all_until_the_last_day(override, expected):
    assert severities(TWO, override) == expected


def test_nothing_is_ever_raised():
    info = Finding("group-empty", "info", "group web", "m.", "h.")
    override = OverrideFacts("group-empty", "warning", "why", "2031-01-01")
    shown = lowered([info], [override], TODAY)
    assert shown[0] == info
    assert [finding.id for finding in shown] == ["group-empty", "override-idle"]


def test_who_names_the_subject_is_more_precise():
    error = Finding("x", "error", "host a", "m.", "h.")
    general = OverrideFacts("x", "info", "general", "2031-01-01")
    precise = OverrideFacts("x", "warning", "precise", "2031-01-01", "host a")
    shown = lowered([error], [general, precise], TODAY)
    assert (shown[0].severity, shown[0].lowered_because) == ("warning", "precise")
    assert [(f.id, f.subject) for f in shown[1:]] == [("override-idle", "override x")]


def test_without_a_day_nothing_is_lowered():
    """Exports and --strict see a site so: what is left out is left out, whoever lives with it."""
    assert severities(TWO, INFO, today=None) == {"interface a/eth0": "warning", "interface b/eth0": "warning"}


def test_the_last_day_counts_and_the_next_one_tells():
    snapshot = replace(with_card(mac=None), overrides=(INFO,))
    assert not [f for f in judge(snapshot, date(2030, 6, 15)) if f.id.startswith("override-")]
    (told,) = [f for f in judge(snapshot, date(2030, 6, 16)) if f.id == "override-expired"]
    assert (told.severity, told.subject) == ("warning", f"override {UNKNOWN}")
    assert told.message == (
        "was lowered to info until 2030-06-15 (“the card is in the post”); what it lowered (1) is as severe as before."
    )
    (told,) = judge(replace(with_card(), overrides=(INFO,)), date(2030, 6, 16))
    assert (told.id, told.severity) == ("override-expired", "info")
