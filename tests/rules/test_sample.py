"""What the rules say about the sample is what the docs answer: no finding more, none fewer."""

from __future__ import annotations

import re
from datetime import date

import pytest

from inventory.rules import judge
from tests.importers.site_support import PASSWORD, imported
from tests.shared_data import REPOSITORY, require_sample

pytestmark = pytest.mark.django_db

PAGE = (REPOSITORY / "docs" / "findings-of-the-sample.md").read_text(encoding="utf-8")
ANSWERED = re.findall(
    r"(?m)^\| (error|warning|info) \| \[([a-z-]+)\]\(findings/\2\.md\) \| (.+?) \| .+ \|$", PAGE
)


def found_in(**options) -> list[tuple[str, str, str]]:
    findings = judge(imported(require_sample(), **options), date(2030, 1, 1))
    return [(finding.severity, finding.id, finding.subject) for finding in findings]


def test_each_finding_of_the_sample_has_its_answer():
    assert found_in(password=PASSWORD) == ANSWERED


def test_without_the_password_six_files_are_sealed_besides():
    more = set(found_in()) - set(ANSWERED)
    assert {finding for _, finding, _ in more} == {"vault-sealed"}
    assert len(more) == 6
