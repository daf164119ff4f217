"""Drift in a shell and as numbers: the same rows, with the age of what they rest on."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from inventory import reading
from inventory.changes import change
from inventory.models import Site, Token
from provisioning import drift
from provisioning.observed import surveys
from tests.provisioning.drift.conftest import PIHOLE, only_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(capsys):
    def run(*arguments: str) -> tuple[int, str]:
        """(exit status, what it printed)."""
        status = 0
        try:
            call_command("drift", "--site", "lab", *arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        return status, capsys.readouterr().out

    return run


# --- manage.py drift ---


def test_before_the_first_survey_it_says_that_nothing_is_known(lab, said):
    assert said() == (
        0,
        "hv01 was never surveyed\nhv02 was never surveyed\ndrift: 0 open, 0 unknown, 0 lost, 0 ignored, 0 accepted\n",
    )


def test_what_is_open_is_told_with_its_age_and_ends_with_1(lab, said):
    lab.survey(lab.machine(memory="512"), PIHOLE)
    drift.accept([only_of("undeclared")], by="ada", why="DNS")
    status, text = said()
    assert status == 1
    assert "open size hv01 netctrl-vm01: size (memory): 512 instead of 2048" in text
    assert (
        "accepted undeclared hv01 VMID 101: undeclared: pihole (lxc) with bc:24:11:0a:0b:0c instead of nothing"
        in text
    )
    assert "seen 2026-01-02 03:05 UTC" in text and "accepted by ada: DNS" in text
    assert "hv01 was surveyed 2026-01-02T03:05:05+00:00" in text
    assert text.endswith("drift: 1 open, 0 unknown, 0 lost, 0 ignored, 1 accepted\n")


def test_what_somebody_decided_about_and_what_is_unknown_ends_with_0(lab, said):
    lab.survey(lab.machine(memory="512"))
    lab.failed()
    status, text = said()
    assert status == 0 and "unknown size hv01" in text
    assert "hv01: surveys fail since" in text and "no answer" in text


def test_as_json_it_is_the_same_for_programs(lab, said):
    lab.survey(lab.machine(memory="512"))
    snapshot = reading.load("lab")
    surveys.declare_lost(snapshot, lab.site, "hv02", typed="hv02", by="ada", why="it burnt")
    status, text = said("--json")
    told = json.loads(text)
    assert status == 1
    assert [(row["kind"], row["field"], row["state"], row["host"]) for row in told["drift"]] == [
        ("size", "memory", "open", "netctrl-vm01")
    ]
    assert told["drift"][0]["last_seen"] == "2026-01-02T03:05:05+00:00"
    assert [(one["hypervisor"], bool(one["lost"])) for one in told["hypervisors"]] == [
        ("hv01", False),
        ("hv02", True),
    ]


def test_an_unknown_site_is_said_with_those_that_there_are(lab):
    with pytest.raises(CommandError, match="There is no site “nowhere”; there are: lab"):
        call_command("drift", "--site", "nowhere")


# --- /metrics ---


def test_metrics_count_what_is_open_by_site_and_kind(lab):
    other = Site(slug="other", root_domain="example.org")
    with change(other, by="fixture", why="another site"):
        pass
    assert "mgmtplane_drift{" not in Client().get("/metrics").content.decode()
    lab.survey(lab.machine(memory="512", cores="9"), PIHOLE)
    drift.accept([only_of("undeclared")], by="ada", why="DNS")
    text = Client().get("/metrics").content.decode()
    assert 'mgmtplane_drift{kind="size",site="lab"} 2.0' in text
    assert 'mgmtplane_drift{kind="undeclared",site="lab"} 0.0' in text
    assert 'mgmtplane_drift{kind="missing",site="lab"} 0.0' in text
    assert 'mgmtplane_survey_timestamp_seconds{hypervisor="hv01",site="lab"}' in text
    token = Token(name="scraper", site=other)
    secret = token.issue()
    token.save()
    scraped = Client().get("/metrics", headers={"Authorization": f"Bearer {secret}"}).content.decode()
    assert "mgmtplane_site_revision" in scraped and 'site="lab"' not in scraped
