"""Every column that a table may have stands in the docs, with what it means there and in the admin."""

from __future__ import annotations

import re

import pytest

from inventory.importers.csv.columns import TABLES
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.docs
PAGE = (REPOSITORY / "docs" / "many.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"(?ms)^### Columns of (\w+)\n(.*?)(?=^##|\Z)", PAGE))


@pytest.mark.parametrize("noun", list(TABLES))
def test_the_page_lists_the_columns_as_they_are(noun):
    found = dict(re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", SECTIONS[noun]))
    assert found == {name: column.about for name, column in TABLES[noun].items()}
