"""Who administers one site reads nothing of another: on no page, in no list, file or answer."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from inventory.admin.pages import PAGES
from inventory.changes import change
from inventory.models import Token
from inventory.serving import renderings
from tests.access.test_permission_matrix import World
from tests.access.two_sites import Furnished, person, signed_in
from tests.admin.every_page import every_page

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

#: Stands in every text of the other site.
MARKER = "theirs"
WORDS = (
    "theirs",
    "theirs-host",
    "10.2.99.10",
    "10.2.0.0/16",
    "bc:24:11:00:00:02",
    "their",
    "address-in-pool",
    "eth0",
    "reason",
)


@pytest.fixture
def both(ours, theirs) -> Furnished:
    for made in (ours, theirs):
        slug = made.site.slug
        with change(made.site, by=f"{slug}-hand", why=f"{slug}-second"):
            host = made["host"]
            host.notes = host.location = host.platform = f"{slug}-note"
            host.variables = {f"{slug}_key": f"{slug}-value"}
            host.save()
        renderings.rendering(slug, "kea")
    return ours


@pytest.fixture
def kim(both) -> Client:
    return signed_in(person("kim", (both.site, "administrator")))


def told_of_others(answer) -> list[str]:
    if not hasattr(answer, "streaming_content") or not answer.streaming:
        text = answer.content.decode(errors="replace")
    else:
        text = b"".join(answer.streaming_content).decode(errors="replace")
    text = re.sub(
        r'(?:value|q|href|action)="[^"]*"|q=[^"&]*|Everything about [^|<]*', "", text
    )  # what was asked may be said again
    return [text[max(0, found.start() - 80) : found.end() + 60] for found in re.finditer(MARKER, text)]


def test_no_page_tells_of_another_site(kim, both):
    wrong = []
    for name, address in every_page(World(both)):
        answer = kim.get(address)
        if answer.status_code == 200 and (said := told_of_others(answer)):
            wrong.append(f"{name} {address}: {said[:2]}")
    assert wrong == []


@pytest.mark.parametrize("page", ["find/", "find/live/", "resolve/"])
def test_nothing_is_found_of_another_site(kim, page):
    for word in WORDS:
        said = [
            one
            for one in told_of_others(kim.get(f"/admin/{page}", {"q": word}))
            if f"“{word}”" not in one and f"{word}<" not in one
        ]
        assert said == [], (word, said[:2])


def test_no_list_of_the_api_tells_of_another_site(both, kim):
    plain = (token := Token(name="t", site=both.site, scope="write")).issue()
    token.save()
    lists = kim.get("/api/v1/").json()
    addresses = lists.values() if all(str(one).startswith("http") for one in lists.values()) else []
    from inventory.api.v1.urls import urlpatterns

    routes = sorted(
        {
            str(one.pattern)
            for one in urlpatterns
            if "<" not in str(one.pattern) and "(" not in str(one.pattern)
        }
    )
    asked = 0
    for address in [
        *addresses,
        *(f"/api/v1/{route}" for route in routes if "schema" not in route and "docs" not in route),
    ]:
        for client, headers in ((kim, {}), (Client(), {"Authorization": f"Bearer {plain}"})):
            answer = client.get(address, headers=headers)
            if answer.status_code == 200:
                asked += 1
                assert told_of_others(answer) == [], address
    assert asked > 20


def test_numbers_of_another_site_are_not_found_below_ones_own(kim, both, theirs):
    """The site in the address is mine, the number is another's."""
    parts = {"host", "interface", "segment", "service", "group", "role", "rendering", "identity", "change"}
    asked = 0
    for page in PAGES:
        names = re.findall(r"<\w+:(\w+)>", page.route)
        if not page.of_site or not parts & set(names):
            continue
        world = World(both)
        kwargs = {name: world.sample(name, page.name) for name in names}
        kwargs |= {
            name: theirs.rows[name].pk
            for name in names
            if name in theirs.rows and name != "site" and f"<int:{name}>" in page.route
        }
        if not any(f"<int:{name}>" in page.route for name in parts):
            continue
        address = reverse(f"admin:{page.name}", kwargs=kwargs)
        asked += 1
        for method in page.methods:
            answer = (
                kim.get(address)
                if method == "GET"
                else kim.post(address, {"confirmed": "1", "why": "x"})
                if method == "POST"
                else None
            )
            if answer is not None:
                assert answer.status_code in (302, 403, 404) and told_of_others(answer) == [], (
                    page.name,
                    method,
                    answer.status_code,
                )
    assert asked > 8


def test_rows_of_another_site_are_not_opened_by_number(kim, theirs):
    for model in admin.site._registry:
        row = theirs.rows.get(model._meta.model_name)
        if row is None:
            continue
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for page in ("change", "delete", "history"):
            answer = kim.get(reverse(f"{base}_{page}", args=(row.pk,)))
            assert answer.status_code in (302, 403, 404) and told_of_others(answer) == [], (base, page)
