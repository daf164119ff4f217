"""401, 403 and 404: who may read what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from inventory.changes import change
from inventory.models import Host, Site, Token
from tests.serving.conftest import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(site: Site) -> Site:
    elsewhere = Site(slug="other")
    with change(elsewhere, why="made for a test"):
        Host(site=elsewhere, name="omega").save()
    return elsewhere


def _says(response: Any, status: int, words: str) -> None:
    assert response.status_code == status, response.content
    assert words in response.json()["error"]
    assert response["Cache-Control"] == "private, no-cache"
    assert not response.cookies


@pytest.mark.parametrize("path", ["/inventory/lab/", "/export/lab/list", "/export/nowhere/nothing"])
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer a b c"])
def test_nobody_reads_without_a_good_token(site: Site, path: str, header: str) -> None:
    response = Client().get(path, headers={"Authorization": header} if header else {})
    _says(response, 401, "manage.py token create")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_is_none(site: Site) -> None:
    bearer = client_of(Token(name="old", expires=timezone.now() - timedelta(seconds=1)))
    _says(bearer.get("/export/lab/list"), 401, "expired on")
    bearer = client_of(Token(name="new", expires=timezone.now() + timedelta(hours=1)))
    assert bearer.get("/export/lab/list").status_code == 200


def test_a_token_of_one_site_reads_no_other(site: Site, other: Site) -> None:
    bearer = client_of(Token(name="lab only", site=site))
    assert bearer.get("/export/lab/list").status_code == 200
    _says(bearer.get("/export/other/list"), 403, "reads site lab alone")
    _says(bearer.get("/export/nowhere/list"), 403, "reads site lab alone")
    _says(bearer.get("/inventory/other/?host=omega"), 403, "reads site lab alone")


def test_a_token_of_one_format_reads_no_other(site: Site) -> None:
    bearer = client_of(Token(name="pages only"), formats=["pages"])
    assert bearer.get("/export/lab/pages").status_code == 200
    for path in ("/export/lab/list", "/inventory/lab/", "/inventory/lab/?host=alpha", "/export/lab/nonsense"):
        _says(bearer.get(path), 403, "reads pages, not")


@pytest.mark.parametrize("scope", Token.SCOPES)
def test_every_scope_includes_reading(site: Site, scope: str) -> None:
    assert client_of(Token(name=scope, scope=scope)).get("/export/lab/list").status_code == 200


def test_what_is_unknown_is_404_and_says_what_there_is(client: Client, site: Site) -> None:
    _says(client.get("/export/nowhere/list"), 404, "Sites: lab")
    _says(client.get("/export/lab/nonsense"), 404, "There is no format “nonsense”")
    _says(client.get("/inventory/nowhere/"), 404, "Sites: lab")
    _says(client.get("/inventory/nowhere/?host=alpha"), 404, "Sites: lab")
    for address in ("/export/l%00ab/list", "/inventory/%00/", "/inventory/%00/?group=all"):
        _says(client.get(address), 404, "Sites: lab")
        assert Client().get(address).status_code == 401


def test_staff_who_may_see_hosts_read_with_their_session(site: Site) -> None:
    user = User.objects.create_user("ada", password="x", is_staff=True)
    browser = Client()
    browser.force_login(user)
    _says(browser.get("/export/lab/list"), 403, "view host")
    user.user_permissions.add(Permission.objects.get(codename="view_host"))
    response = browser.get("/export/lab/list")
    assert response.status_code == 200
    assert not response.cookies
    user.is_staff = False
    user.save()
    _says(browser.get("/export/lab/list"), 403, "staff")
    user.is_active = False
    user.save()
    _says(browser.get("/export/lab/list"), 401, "sign in")


def test_a_wrong_token_is_not_saved_by_a_good_session(site: Site) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    assert browser.get("/inventory/lab/").status_code == 200
    _says(browser.get("/inventory/lab/", headers={"Authorization": "Bearer wrong"}), 401, "not known")
