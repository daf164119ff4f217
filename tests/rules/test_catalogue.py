"""Every finding has an id that is known and explained."""

from __future__ import annotations

import re

import pytest

from inventory.exports import get_export
from inventory.findings import SEVERITIES
from inventory.rules import KNOWN, judge
from tests.exports.example_site import SITE
from tests.shared_data import REPOSITORY

PAGE = REPOSITORY / "docs" / "findings.md"


@pytest.mark.docs
def test_every_finding_is_explained_on_its_page():
    explained = re.findall(r"(?m)^### ([a-z0-9-]+)$", PAGE.read_text(encoding="utf-8"))
    assert sorted(explained) == sorted(KNOWN)
    assert len(set(explained)) == len(explained)


@pytest.mark.docs
def test_every_explanation_says_how_bad_it_is():
    for paragraph in re.split(r"(?m)^### ", PAGE.read_text(encoding="utf-8"))[1:]:
        assert re.match(rf"[a-z0-9-]+\n\*({'|'.join(SEVERITIES)})\b", paragraph), paragraph[:80]


def test_the_rules_speak_known_ids_only():
    findings = judge(SITE)
    assert {finding.id for finding in findings} <= set(KNOWN)
    assert all(finding.subject and finding.message and finding.hint for finding in findings)


@pytest.mark.parametrize("format", ["kea", "dnsmasq", "isc-dhcp", "bind", "unbound"])
def test_an_export_finds_nothing_that_the_rules_do_not(format):
    assert set(get_export(format).render(SITE, None).findings) <= set(judge(SITE))
