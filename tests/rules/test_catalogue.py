"""Every finding has an id that is known and explained."""

from __future__ import annotations

import re

import pytest

from inventory.exports import get_export
from inventory.findings import SEVERITIES
from inventory.rules import documentation, judge
from inventory.rules.catalogue import CATALOGUE, KNOWN, SUBJECTS
from tests.exports.example_site import SITE
from tests.shared_data import REPOSITORY

DOCS = REPOSITORY / "docs"


@pytest.mark.docs
def test_every_finding_has_its_page_in_the_docs():
    written = {page.stem: page.read_text(encoding="utf-8") for page in (DOCS / "findings").glob("*.md")}
    assert written == {
        finding: documentation.page_of(finding, page) for finding, page in CATALOGUE.items()
    }, "run `make docs`"


@pytest.mark.docs
def test_the_index_names_every_finding():
    page = (DOCS / "findings.md").read_text(encoding="utf-8")
    assert page == documentation.with_index(page), "run `make docs`"
    assert sorted(re.findall(r"(?m)^\| \[([a-z0-9-]+)\]", page)) == sorted(CATALOGUE)


@pytest.mark.parametrize("finding", sorted(CATALOGUE))
def test_a_page_says_what_why_and_what_to_do(finding):
    page = CATALOGUE[finding]
    assert re.match(rf"({'|'.join(SEVERITIES)})(; .+)?$", page.severity)
    assert page.title.endswith(".")
    assert all(re.match(r"[^a-z].+\.$", text) for text in (page.what, page.why, page.todo))


def test_no_id_is_in_two_subjects():
    assert sum(map(len, SUBJECTS.values())) == len(CATALOGUE) == len(KNOWN)


def test_the_rules_speak_known_ids_only():
    findings = judge(SITE)
    assert {finding.id for finding in findings} <= set(KNOWN)
    assert all(finding.subject and finding.message and finding.hint for finding in findings)


@pytest.mark.parametrize("format", ["kea", "dnsmasq", "isc-dhcp", "bind", "unbound"])
def test_an_export_finds_nothing_that_the_rules_do_not(format):
    assert set(get_export(format).render(SITE, None).findings) <= set(judge(SITE))
