"""docs/ansible.md is true."""

from __future__ import annotations

import re

import pytest

from inventory.ansible.nouns import TABLE
from inventory.rules import KNOWN
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGE = (REPOSITORY / "docs" / "ansible.md").read_text(encoding="utf-8")


def test_the_table_of_nouns_is_the_one_that_is_used():
    rows = re.findall(r"(?m)^\| `([a-z0-9_.]+)` \| `([^`]+)` \| (.+) \|$", PAGE)
    assert {noun: (name, meaning) for noun, name, meaning in rows} == TABLE
    assert [noun for noun, *_ in rows] == list(TABLE)


def test_the_findings_it_names_exist():
    named = set(re.findall(r"findings? `([a-z-]+)`", PAGE)) | set(
        re.findall(r"finding ([a-z]+-[a-z-]+)", PAGE)
    )
    assert named
    assert named <= set(KNOWN)
