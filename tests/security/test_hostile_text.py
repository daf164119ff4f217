"""Markup, script addresses and templates in every text: pages show them as text, and do nothing else with them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.urls import reverse

from inventory.admin.register import entries
from inventory.exports.csv import FORMULA
from inventory.exports.registry import MODULES
from inventory.models import Change
from tests.access.test_permission_matrix import World
from tests.access.two_sites import person, signed_in
from tests.admin import every_page
from tests.security import hostile
from tests.security.hostile import MARKUP
from tests.security.test_other_site import _operations

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

#: where bad names would keep the rest from being shown
RENDERED = ("preview", "export", "undo", "changed", "rendering", "inventory/host/")


@pytest.fixture
def root():
    return person("root", is_superuser=True)


@pytest.fixture
def browser(root):
    return signed_in(root)


@pytest.fixture
def plant(ours, root):
    """plant(names=…) puts MARKUP everywhere, and returns which columns have it."""

    def made(*, names: bool) -> set[str]:
        found = hostile.plant(ours, MARKUP, names=names)
        hostile.people(ours, root, MARKUP)
        return found

    return made


def addresses(ours: Any) -> list[str]:
    """Every page, with what is told of changes, and each version of each row."""
    slug = ours.site.slug
    found = [address for _, address in every_page.every_page(World(ours))]
    found += [f"/admin/changed/{slug}/?since=0", f"/admin/undo/{slug}/?since=1&exports=1"]
    found += [f"/admin/undo/{slug}/?revision={one.revision}&exports=1" for one in Change.objects.all()]
    for noun, row in ours.rows.items():
        if hasattr(type(row), "history") and noun not in ("hypervisor", "virtualmachine"):
            found += [
                reverse(f"admin:inventory_{noun}_simple_history", args=(row.pk, one.history_id))
                for one in row.history.all()[:2]
            ]
            found.append(reverse(f"admin:inventory_{noun}_delete", args=(row.pk,)))
    return found


def told(browser: Any, address: str, **how: Any) -> tuple[list[str], bool]:
    answer = browser.get(address, follow=True, **how)
    assert answer.status_code < 500, address
    if not answer["Content-Type"].startswith("text/html"):
        assert answer["X-Content-Type-Options"] == "nosniff", address
        return [], False
    page = hostile.read(answer)
    return page.faults, page.shows


@pytest.mark.parametrize("names", [False, True], ids=["texts", "names"])
def test_no_page_makes_anything_of_it_but_text(ours, plant, browser, names):
    columns = plant(names=names)
    assert len(columns) > 20
    wrong, showing = {}, 0
    for address in addresses(ours):
        if names or any(word in address for word in RENDERED):
            faults, shows = told(browser, address)
            showing += shows
            if faults:
                wrong[address] = faults[:3]
    assert wrong == {}
    assert showing > (60 if names else 10)  # else the texts were not there at all


def test_no_question_and_no_fragment_is_answered_with_anything_else(ours, plant, browser):
    plant(names=True)
    words = ("q", "name", "value", "site", "noun", "key", "kind", "since", "tab", MARKUP)
    query = hostile.urlencode(dict.fromkeys(words, MARKUP))
    wrong = {}
    for address in (one for _, one in every_page.every_page(World(ours))):
        if "/history/" in address:
            continue
        faults, _ = told(browser, f"{address.partition('?')[0]}?{query}", headers={"HX-Request": "true"})
        if faults:
            wrong[address] = faults[:3]
    assert wrong == {}


def test_no_form_that_comes_back_makes_anything_of_what_was_typed(ours, plant, browser):
    plant(names=True)
    wrong, returned = {}, 0
    for address in (one for _, one in every_page.every_page(World(ours))):
        if "/history/" in address:
            continue
        page = browser.get(address, follow=True)
        if not page["Content-Type"].startswith("text/html"):
            continue
        for form in hostile.read(page).forms:
            if form["method"] != "post" or "logout" in form["action"] or "/views/" in form["action"]:
                continue
            at = form["action"] if form["action"].startswith("/") else page.wsgi_request.get_full_path()
            answer = browser.post(at, filled(form["fields"]), follow=True)
            assert answer.status_code < 500, at
            if answer["Content-Type"].startswith("text/html"):
                read = hostile.read(answer)
                returned += read.shows
                if read.faults:
                    wrong[at] = read.faults[:3]
    assert wrong == {}
    assert returned > 20


def filled(fields: dict[str, tuple[str, str]]) -> dict[str, str]:
    """MARKUP in whatever a person types, and what was chosen for him as it was; selects say it as well."""
    typed = ("text", "textarea", "search", "email", "select", "number")
    left_out = ("file", "submit", "checkbox", "radio")
    return {
        name: MARKUP if kind in typed else value
        for name, (kind, value) in fields.items()
        if kind not in left_out
    }


def test_no_answer_of_the_api_or_export_can_be_taken_for_a_page(ours, plant, browser):
    plant(names=True)
    slug, text = ours.site.slug, MARKUP
    asked = [path for path, _ in _operations() if "{" not in path]
    asked += [f"{path}?{hostile.urlencode({'search': text, text: text, 'ordering': text})}" for path in asked]
    asked += [f"/export/{slug}/{name}" for name in MODULES]
    asked += [f"/inventory/{slug}/", f"/export/{slug}/nothing", f"/api/v1/{text}", f"/export/{text}/kea"]
    for address in asked:
        answer = browser.get(address)
        assert answer.status_code < 500, address
        kind = answer["Content-Type"].partition(";")[0]
        assert not kind.startswith("text/html") or address.endswith(("/docs", text)), address
        assert answer["X-Content-Type-Options"] == "nosniff", address
        if kind.endswith("json"):
            json.loads(answer.content)


# --- spreadsheets ---

FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", " =1+1", "\uff1d1+1", "'=1+1"]


@pytest.mark.parametrize("formula", FORMULAS, ids=[f"{n}" for n in range(len(FORMULAS))])
def test_no_cell_of_any_csv_begins_as_a_formula(ours, browser, formula):
    hostile.plant(ours, formula, names=True)
    found = 0
    asked = [f"/export/{ours.site.slug}/csv"]
    asked += [
        reverse(f"admin:{entry.noun.replace('.', '_')}_csv")
        for entry in entries()
        if entry.kind == "download"
    ]
    for address in asked:
        answer = browser.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        for row in csv.reader(io.StringIO(body.decode("utf-8"), newline="")):
            for cell in row:
                found += cell.lstrip("'").strip() == formula.lstrip("'").strip()
                assert not FORMULA.match(cell) or cell.startswith("'"), (address, cell)
    assert found > 5
