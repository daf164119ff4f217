"""As many queries for many rows as for few, on every page of the admin."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.every_page import World, every_page
from tests.shared_data import REPOSITORY

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

LISTED = REPOSITORY / "artifacts" / "queries.txt"

#: A page that asks more than this asks too much, however constant.
MOST = 60
#: These look at the history of each of fifteen nouns: a handful of queries a noun, whatever it wrote.
MOST_OF_EVERY_NOUN = 130
OF_EVERY_NOUN = frozenset({"change-change", "what_changed", "undo_page"})


def counted(browser, pages: list[tuple[str, str]]) -> dict[str, tuple[int, list[str]]]:
    found = {}
    for name, address in pages:
        answer = browser.get(address)  # what a process keeps is there afterwards
        assert answer.status_code in (200, 302), (name, address, answer.status_code)
        with CaptureQueriesContext(connection) as seen:
            browser.get(address)
        found[name] = (len(seen), [query["sql"] for query in seen.captured_queries])
    return found


def told(few: list[str], many: list[str]) -> str:
    """The statements that came on top, cut to a readable length."""
    shapes = [sql[:160] for sql in few]
    extra = []
    for sql in (sql[:160] for sql in many):
        if sql in shapes:
            shapes.remove(sql)
        else:
            extra.append(sql)
    return "\n    ".join(extra[:6])


def test_no_page_asks_more_where_there_is_more(browser, db):
    world = World.made()
    world.grow(8, "few")  # every kind of thing that a page may speak of is there
    pages = every_page(world)
    few = counted(browser, pages)
    world.grow(60, "many")
    many = counted(browser, pages)
    # These show the first rows of each noun. Until there are more, every row that others refer to is known already.
    first_rows = [one for one in pages if one[0] in OF_EVERY_NOUN]
    few |= {name: many[name] for name, _ in first_rows}
    world.grow(60, "more")
    many |= counted(browser, first_rows)
    LISTED.parent.mkdir(exist_ok=True)
    lines = [f"{name:36} {few[name][0]:4} {many[name][0]:4}  {address}" for name, address in pages]
    Path(LISTED).write_text("page                                 few many\n" + "\n".join(lines) + "\n")
    grown = [
        f"{name} ({address}): {few[name][0]} → {many[name][0]}\n    {told(few[name][1], many[name][1])}"
        for name, address in pages
        if many[name][0] > few[name][0]
    ]
    assert not grown, "\n".join(grown)
    heavy = [
        f"{name}: {number}"
        for name, (number, _) in many.items()
        if number > (MOST_OF_EVERY_NOUN if name in OF_EVERY_NOUN else MOST)
    ]
    assert not heavy, heavy
