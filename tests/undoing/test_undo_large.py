"""An import of twenty thousand rows is undone, and done again, in bulk."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.changes import change
from inventory.models import Group, Host, Interface, Membership, Segment, Service, Site
from inventory.undoing.undo import preview, undo
from tests.undoing.conftest import latest
from tests.undoing.test_undo import document

HOSTS = 5_000


def filled(site: Site, hosts: int) -> None:
    with change(site, by="import", source="import") as the_change:
        segment = Segment.objects.get()
        group = Group.objects.get(name="pis")
        variables: list[Any] = [{"number": n, "list": [n]} for n in range(hosts)]
        rows = the_change.create(
            [Host(site=site, name=f"many{n}", variables=own) for n, own in enumerate(variables)]
        )
        the_change.create(
            [
                Interface(
                    host=row, name="eth0", mac=f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}", segment=segment,
                    addressing="static", ipv4=f"10.0.{n >> 8}.{n & 255}", reservation=True,
                )
                for n, row in enumerate(rows)
            ]
        )  # fmt: skip
        the_change.create([Service(host=row, site=site, name=f"s{n}") for n, row in enumerate(rows)])
        the_change.create([Membership(host=row, group=group) for row in rows])


def test_the_queries_of_an_undo_grow_with_batches_not_with_rows(site):
    def queries(hosts: int) -> int:
        filled(site, hosts)
        with CaptureQueriesContext(connection) as seen:
            undo([latest()], by="ada", why="back")
        return len(seen)

    few = queries(10)
    assert queries(200) - few < 30


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.timeout(900)
def test_twenty_thousand_rows_are_undone_and_done_again(site):
    before = document()
    filled(site, HOSTS)
    record, after = latest(), document()
    told = []
    for what in ("undo", "redo"):
        started = time.monotonic()
        found = preview(site, [record])
        shown = time.monotonic()
        assert found.is_possible and found.plan.size == 4 * HOSTS
        with CaptureQueriesContext(connection) as seen:
            (record,) = undo([record], by="ada", why=what)
        told.append(
            f"{what}: preview {shown - started:.1f} s, done in {time.monotonic() - shown:.1f} s, {len(seen)} queries"
        )
        assert document() == (before if what == "undo" else after)
        assert len(seen) < 1_500
    print("\n" + "\n".join(told))
