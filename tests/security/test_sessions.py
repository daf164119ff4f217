"""Sessions, forms of elsewhere, methods and host names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.admin.pages import PAGES
from inventory.admin.register import entries
from inventory.models import Change, Host, SavedFilter, Site
from tests.access.test_permission_matrix import World
from tests.access.two_sites import person, signed_in
from tests.admin import every_page

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

PASSWORD = "a long password"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


def try_in(client: Client, name: str, password: str, **more: Any) -> Any:
    sent = {"username": name, "password": password, "next": more.pop("next", "/admin/")}
    return client.post("/admin/login/", sent, **more)


# --- sessions ---


def test_the_key_of_a_session_is_another_after_signing_in_and_the_old_one_is_nothing(ada):
    client = Client()
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    before = session.session_key
    client.cookies["mgmtplane_session"] = before
    csrf_before = client.get("/admin/login/").wsgi_request.META["CSRF_COOKIE"]
    assert try_in(client, "ada", PASSWORD).status_code == 302
    after = client.cookies["mgmtplane_session"].value
    assert after != before and not Session.objects.filter(session_key=before).exists()
    assert client.cookies["mgmtplane_csrf"].value != csrf_before
    thief = Client()
    thief.cookies["mgmtplane_session"] = before
    assert thief.get("/admin/").status_code == 302


def test_a_key_that_somebody_made_up_is_not_taken_over(ada):
    client = Client()
    client.cookies["mgmtplane_session"] = "0123456789abcdef0123456789abcdef"
    try_in(client, "ada", PASSWORD)
    assert client.cookies["mgmtplane_session"].value != "0123456789abcdef0123456789abcdef"


def test_who_signs_out_leaves_a_session_that_opens_nothing(ada):
    client = Client()
    try_in(client, "ada", PASSWORD)
    kept = client.cookies["mgmtplane_session"].value
    assert client.get("/admin/logout/").status_code == 405
    client.post("/admin/logout/")
    thief = Client()
    thief.cookies["mgmtplane_session"] = kept
    assert thief.get("/admin/").status_code == 302 and thief.get("/api/v1/hosts").status_code == 401


@pytest.mark.parametrize("what", ["password", "inactive", "no staff", "deleted"])
def test_a_session_ends_with_what_it_stood_on(ours, what):
    kim = person("kim", (ours.site, "administrator"))
    client = signed_in(kim)
    asked = ("/admin/inventory/host/", "/api/v1/hosts", "/export/ours/csv")
    assert [client.get(address).status_code for address in asked] == [200, 200, 200]
    if what == "password":
        kim.set_password("another long password")
    kim.is_active, kim.is_staff = what != "inactive", what != "no staff"
    kim.delete() if what == "deleted" else kim.save()
    assert [client.get(address).status_code for address in asked] in (
        [302, 401, 401],
        [302, 403, 403],
        [302, 401, 403],
    )


def test_changing_ones_own_password_ends_ones_other_sessions_alone(ada):
    here, there = signed_in(ada), signed_in(ada)
    sent = {
        "old_password": PASSWORD,
        "new_password1": "wholly other words 9",
        "new_password2": "wholly other words 9",
    }
    assert here.post("/admin/password_change/", sent).status_code == 302
    assert (here.get("/admin/").status_code, there.get("/admin/").status_code) == (200, 302)


def test_a_password_of_somebody_else_set_by_an_administrator_signs_that_one_out(ada):
    kim = person("kim")
    theirs = signed_in(kim)
    assert theirs.get("/admin/").status_code == 200
    sent = {
        "password1": "wholly other words 9",
        "password2": "wholly other words 9",
        "usable_password": "true",
    }
    signed_in(ada).post(f"/admin/auth/user/{kim.pk}/password/", sent)
    assert theirs.get("/admin/").status_code == 302


# --- who there is ---


def test_nobody_learns_by_signing_in_which_names_there_are(ada):
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    User.objects.create_user("guest", password=PASSWORD)
    pages = []
    for name, password in (
        ("ada", "wrong"),
        ("nobody", "wrong"),
        ("gone", PASSWORD),
        ("gone", "wrong"),
        ("guest", PASSWORD),
    ):
        answer = try_in(Client(), name, password)
        pages.append(
            (
                answer.status_code,
                re.sub(rf'csrfmiddlewaretoken" value="\w+"|value="{name}"', "", answer.content.decode()),
            )
        )
    assert all(one == pages[0] for one in pages) and pages[0][0] == 200


def test_an_unknown_name_costs_a_hash_as_a_known_one_does(ada, settings, monkeypatch):
    """Else the clock would tell."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hashers

    get_hashers.cache_clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    counted: list[int] = []
    plain = PBKDF2PasswordHasher.encode

    def encode(self: Any, password: str, salt: str, iterations: int | None = None) -> str:
        counted.append(1)
        return plain(self, password, salt, iterations)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    ada.set_password(PASSWORD)
    ada.save()
    costs = {}
    for name in ("ada", "nobody"):
        counted.clear()
        try_in(Client(), name, "wrong")
        costs[name] = len(counted)
    get_hashers.cache_clear()
    assert costs["nobody"] == costs["ada"] > 0


def test_who_fails_from_afar_locks_nobody_out_but_himself(ada, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for name in ("ada", "ADA", "ada", "ada"):
        last = try_in(Client(), name, "wrong", REMOTE_ADDR=ELSEWHERE)
    assert last.status_code == 429
    assert try_in(Client(), "ada", PASSWORD, REMOTE_ADDR=ELSEWHERE).status_code == 429
    assert try_in(Client(), "ada", PASSWORD, REMOTE_ADDR=HERE).status_code == 302
    assert signed_in(ada).get("/admin/", REMOTE_ADDR=ELSEWHERE).status_code == 200  # who is in, stays in


def test_a_made_up_way_of_proxies_neither_evades_the_lock_nor_locks_others(ada, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for n in range(4):
        last = try_in(
            Client(),
            "ada",
            "wrong",
            REMOTE_ADDR=ELSEWHERE,
            HTTP_X_FORWARDED_FOR=f"{HERE}, 192.0.2.{n}",
            HTTP_X_REAL_IP=HERE,
            HTTP_FORWARDED=f"for={HERE}",
        )
    assert last.status_code == 429
    assert try_in(Client(), "ada", PASSWORD, REMOTE_ADDR=HERE).status_code == 302


# --- where one is led ---

STRANGE = [
    "//evil.example/", "https://evil.example/", "http:evil.example", "http:///evil.example", "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example", "javascript:alert(1)", "data:text/html,x", " //evil.example", "\t//evil.example", "/\t/evil.example",
    "https://testserver@evil.example/", "https://testserver.evil.example/", "///evil.example",
    "http://[::1", "\x00//evil.example",
]  # fmt: skip


@pytest.mark.parametrize("to", STRANGE, ids=range(len(STRANGE)))
def test_signing_in_leads_to_no_other_place(ada, to):
    answer = try_in(Client(), "ada", PASSWORD, next=to)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    already = signed_in(ada).get("/admin/login/", {"next": to})
    assert already.status_code == 302 and already["Location"] == "/admin/"


def leads_away(answer: Any) -> bool:
    to = answer.headers.get("Location", "")
    return bool(to) and not re.match(r"(?:http://testserver)?/(?![/\\])|\?|\.\.?/", to)


def test_no_page_leads_or_links_back_to_another_place(ours, ada):
    to = "//evil.example/"
    client = signed_in(ada)
    names = (
        "next",
        "back",
        "return",
        "redirect",
        "url",
        "to",
        "from",
        "here",
        "query",
        "referer",
        "_changelist_filters",
    )
    wrong = []
    for _, address in every_page.every_page(World(ours)):
        if "/history/" in address:
            continue
        asked = f"{address.partition('?')[0]}?" + "&".join(f"{name}={to}" for name in names)
        told = {"Referer": to, "HX-Current-URL": to}
        for answer in (
            client.get(asked, headers=told),
            client.post(asked, dict.fromkeys(names, to), headers=told),
        ):
            if leads_away(answer) or any(
                to in answer.headers.get(name, "") for name in ("HX-Redirect", "HX-Location", "Refresh")
            ):
                wrong.append((asked, answer.headers.get("Location")))
            elif not answer.streaming and re.search(
                rf'(?:href|action)="{re.escape(to)}', answer.content.decode(errors="replace")
            ):
                wrong.append((asked, "a link"))
    assert wrong == []


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "//evil.example/admin",
        "/admin//evil.example",
        "/\\evil.example/admin",
        "/api/v1//evil.example/",
    ],
)
def test_a_slash_that_is_put_behind_an_address_leads_to_no_other_place(ada, path):
    assert not leads_away(signed_in(ada).get(path))


def test_a_saved_view_leads_to_its_own_list(ours, ada):
    client = signed_in(ada)
    for query in (
        "//evil.example",
        "next=//evil.example",
        "\r\nLocation: //evil.example",
        "#\n//evil.example",
    ):
        answer = client.post("/admin/views/save/", {"noun": "inventory.host", "name": "x", "query": query})
        assert answer["Location"].startswith("/admin/inventory/host/?") and "\n" not in answer["Location"]
    row = SavedFilter.objects.get()
    assert client.post(f"/admin/views/{row.pk}/delete/")["Location"].startswith("/admin/inventory/host/")
    for noun in ("//evil.example", "inventory.nothing", "auth.user/../..", ""):
        assert client.post("/admin/views/save/", {"noun": noun, "name": "x"})["Location"] == "/admin/"


def test_a_host_name_of_somebody_else_is_in_no_answer(ours, ada):
    client = signed_in(ada)
    for headers in (
        {"Host": "evil.example"},
        {"Host": "localhost@evil.example"},
        {"Host": "localhost:80:80"},
        {"Host": "localhost\\.evil.example"},
    ):
        for address in ("/admin/", "/api/v1/", "/api/v1/hosts", "/export/ours/csv", "/admin/login/"):
            answer = client.get(address, headers=headers)
            assert answer.status_code == 400 and b"evil.example" not in answer.content
    for address in ("/admin/", "/api/v1/", "/api/v1/hosts?limit=1"):
        answer = client.get(address, headers={"X-Forwarded-Host": "evil.example", "X-Host": "evil.example"})
        assert b"evil.example" not in answer.content


# --- methods ---


def everything(ours: Any) -> list[str]:
    world = World(ours)
    found = [address for _, address in every_page.every_page(world)]
    for known in PAGES:  # those that take nothing but POST as well
        parts = [match["name"] for match in every_page._PART.finditer(known.route)]
        found.append(
            reverse(f"admin:{known.name}", kwargs={name: world.sample(name, known.name) for name in parts})
        )
    for entry in entries():
        if entry.noun.startswith("inventory.") and entry.kind == "delete":
            row = ours.rows.get(entry.noun.partition(".")[2])
            if row is not None:
                found.append(reverse(f"admin:{entry.noun.replace('.', '_')}_delete", args=(row.pk,)))
    return sorted(set(found))


ANSWERS = "confirmed=1&why=x&post=yes&_method=DELETE&action=delete_selected&_selected_action=1"


def test_looking_writes_nothing(ours, ada):
    """Every page is asked with words that would be an answer to what it asks."""
    client = signed_in(ada)
    addresses = everything(ours)
    counted = (Change.objects.count(), Site.objects.count(), Host.objects.count(), User.objects.count())
    wrong = []
    for address in addresses:
        at = f"{address}{'&' if '?' in address else '?'}{ANSWERS}"
        for method in ("get", "options") if address.endswith("/delete/") else ("get",):
            with CaptureQueriesContext(connection) as seen:
                answer = getattr(client, method)(at)
            assert answer.status_code < 500, (method, at)
            for query in seen.captured_queries:
                if re.match(r"(?:INSERT|UPDATE|DELETE)", query["sql"]) and not re.search(
                    r'"(?:django_session|inventory_rendering|auth_user)"', query["sql"][:60]
                ):
                    wrong.append((method, address, query["sql"][:100]))
    assert wrong == []
    assert counted == (
        Change.objects.count(),
        Site.objects.count(),
        Host.objects.count(),
        User.objects.count(),
    )


def test_no_header_or_field_makes_another_method_of_a_request(ours, ada):
    client = signed_in(ada)
    at = f"/api/v1/hosts/{ours['host'].pk}"
    for headers in (
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-HTTP-Method": "DELETE"},
        {"X-Method-Override": "DELETE"},
    ):
        assert client.get(at, headers=headers).status_code == 200
        assert (
            client.post(
                at, {"_method": "DELETE", "why": "x"}, content_type="application/json", headers=headers
            ).status_code
            == 405
        )
    assert Host.objects.filter(pk=ours["host"].pk).exists()


def test_every_page_refuses_a_form_without_its_token_in_plain_words(ours, ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    before = Change.objects.count()
    wrong = []
    for address in [*everything(ours), "/admin/logout/", "/admin/login/", "/admin/password_change/"]:
        answer = client.post(address, {"why": "x", "post": "yes", "csrfmiddlewaretoken": "x" * 64})
        if answer.status_code != 403 or b"Nothing was changed" not in answer.content:
            wrong.append((address, answer.status_code))
    assert wrong == []
    assert Change.objects.count() == before
