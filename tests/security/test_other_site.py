"""Somebody of one site hears nothing of the other: whatever page is walked, whatever is asked of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse

from inventory.admin.register import entries
from inventory.api.v1.pages import document
from tests.access.test_permission_matrix import World
from tests.admin import every_page
from tests.security.planted import found_in, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

#: near enough to what the other site has, without its mark
NEAR = ("heirs", "heirs-host", "their", "bc241100", "10.2.", "10.2.99", "hidden")
LEVELS = ("viewer", "operator")


def addresses(ours: Any) -> list[str]:
    world = World(ours)
    found = [address for _, address in every_page.every_page(world)]
    for entry in entries():
        if entry.kind == "download" and entry.noun.startswith("inventory."):
            found.append(reverse(f"admin:{entry.noun.replace('.', '_')}_csv"))
    return found


def asked_of(theirs: Any) -> list[str]:
    """Queries that name rows of the other site, by every word that a page may listen to."""
    words = "&".join(f"{noun}={row.pk}" for noun, row in rows_of(theirs).items())
    revisions = f"since=0&revision={theirs.site.revision}&whole=1"
    return [f"q={NEAR[0]}", f"q={NEAR[3]}&bom=1", words, revisions]


@pytest.mark.parametrize("level", LEVELS)
def test_no_page_says_anything_of_the_other_site(ours, theirs, planted, grant_of, level):
    browser = grant_of(level)
    told = {}
    for address in addresses(ours):
        for htmx in ({}, {"HX-Request": "true"}):
            answer = browser.get(address, headers=htmx, follow=False)
            assert answer.status_code < 500, address
            if said := found_in(answer):
                told[address] = said[:2]
    assert told == {}


def test_no_query_makes_a_page_say_it(ours, theirs, planted, grant_of):
    browser = grant_of("administrator")
    told = {}
    for address, query in itertools.product(addresses(ours), asked_of(theirs)):
        at = f"{address}{'&' if '?' in address else '?'}{query}"
        answer = browser.get(at)
        assert answer.status_code < 500, at
        if said := found_in(answer):
            told[at] = said[:2]
    assert told == {}


# --- the API ---


def _operations() -> list[tuple[str, list[dict[str, Any]]]]:
    import orjson

    told = orjson.loads(document()[0])
    return [(path, way["get"].get("parameters", [])) for path, way in told["paths"].items() if "get" in way]


@pytest.mark.parametrize("level", LEVELS)
def test_no_list_filter_order_or_search_of_the_api_says_anything(ours, theirs, planted, grant_of, level):
    browser = grant_of(level)
    told = {}
    for path, parameters in _operations():
        queries = [""]
        for one in parameters:
            if one["in"] != "query":
                continue
            name = one["name"]
            if name == "ordering":
                names = one["schema"]["pattern"].split("(?:")[1].split(")")[0].split("|")
                queries += [f"ordering={sign}{each}" for each in names for sign in ("", "-")]
            else:
                queries += [
                    f"{name}={text}" for text in (*NEAR, str(theirs["host"].pk), "2000-01-01T00:00:00Z")
                ]
        for query in queries:
            for pk in (
                {theirs.site.pk, *(row.pk for row in rows_of(theirs).values())} if "{id}" in path else [0]
            ):
                at = path.replace("{id}", str(pk)) + (f"?{query}" if query else "")
                answer = browser.get(at)
                assert answer.status_code < 500, at
                if said := found_in(answer):
                    told[at] = said[:2]
    assert told == {}


# --- choices ---


def test_no_form_offers_a_row_of_the_other_site(ours, theirs, planted, grant_of):
    browser = grant_of("administrator")
    offered = []
    for noun, row in rows_of(ours).items():
        for page, args in (("add", ()), ("change", (row.pk,))):
            try:
                at = reverse(f"admin:inventory_{noun}_{page}", args=args)
            except NoReverseMatch:
                continue
            answer = browser.get(at)
            form = answer.context and answer.context.get("adminform")
            if not form:
                continue
            forms = [form.form]
            for inline in answer.context.get("inline_admin_formsets", []):
                forms += [*inline.formset.forms, inline.formset.empty_form]
            for one in forms:
                for name, field in one.fields.items():
                    if name == "id":  # hidden, and compared with the rows of the page when it comes back
                        continue
                    rows = getattr(field, "queryset", None)
                    if rows is None or not hasattr(rows.model, "owner_site_id"):
                        if rows is not None and rows.model.__name__ == "Site":
                            offered += [f"{noun} {name}"] if theirs.site in rows else []
                        continue
                    offered += [
                        f"{page} {noun}: {type(one).__name__}.{name} offers {other}"
                        for other in rows
                        if other.owner_site_id == theirs.site.pk
                    ]
    assert offered == []
