"""Lists stay light however much JSON the rows behind them hold."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.pages import url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("noun", ["host", "interface", "service", "group", "segment", "identity", "change"])
def test_a_list_leaves_the_long_columns_in_the_database(browser, host, noun):
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url(noun, "changelist")).status_code == 200
    for query in queries:
        assert '"variables"' not in query["sql"] and '"written"' not in query["sql"]
