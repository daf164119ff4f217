"""Lists stay light however much JSON the rows behind them hold."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory import reading
from inventory.changes import change
from inventory.models import Group
from tests.admin.pages import url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("noun", ["host", "interface", "service", "segment", "identity", "change"])
def test_a_list_leaves_the_long_columns_in_the_database(browser, host, noun):
    with CaptureQueriesContext(connection) as snapshot:
        reading.load(host.site.slug)  # read once a revision outside of a test; lists may count from it
    read = {query["sql"] for query in snapshot}
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url(noun, "changelist")).status_code == 200
    for query in queries:
        if query["sql"] in read:
            continue
        assert '"variables"' not in query["sql"] and '"written"' not in query["sql"]


def test_the_list_of_groups_counts_variables_without_a_query_for_each(browser, site):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(url("group", "changelist")).status_code == 200
        return len(captured)

    with change(site, why="few"):
        Group(site=site, name="a", variables={"x": 1}).save()
    few = queries()
    with change(site, why="many"):
        for number in range(20):
            Group(site=site, name=f"g{number}", variables={"x": 1}).save()
    assert queries() == few
