"""The page about access says what the register says."""

from __future__ import annotations

import pytest

from inventory.admin import register
from tests.shared_data import REPOSITORY


@pytest.mark.docs
def test_the_table_of_permissions_is_up_to_date():
    page = (REPOSITORY / "docs" / "access.md").read_text(encoding="utf-8")
    assert page == register.with_table(page), "run `make docs`"
