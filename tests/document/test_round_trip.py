"""export → declare on an empty database → export: the same bytes, of every format."""

from __future__ import annotations

import pytest

from tests.document.support import apply, delete, export, exports, lines
from tests.importers.site_support import PASSWORD, imported
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db


def assert_comes_back(slug: str) -> None:
    before = exports(slug)
    assert lines(before["site"]["site.yml"]) == []
    delete(slug)
    apply(before["site"]["site.yml"])
    after = exports(slug)
    assert after["site"]["site.yml"].decode() == before["site"]["site.yml"].decode()
    assert after == before
    assert lines(export(slug)) == []


@pytest.mark.parametrize("password", [PASSWORD, None], ids=["opened", "sealed"])
def test_the_sample_comes_back(password):
    imported(require_sample(), password=password)
    assert_comes_back("dvntm")
