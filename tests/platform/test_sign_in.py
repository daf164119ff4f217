"""Signing in: throttled by name and address, and uniform about what was wrong."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from mgmtplane.sign_in import address_of

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def ada(settings):
    settings.AXES_FAILURE_LIMIT = 3
    return User.objects.create_superuser("ada", password="a long password")


def try_in(name="ada", password="wrong", address=HERE, **headers):
    return Client(headers=headers).post(
        "/admin/login/", {"username": name, "password": password, "next": "/admin/"}, REMOTE_ADDR=address
    )


def test_a_few_wrong_passwords_lock_that_name_from_that_address():
    assert [try_in().status_code for _ in range(3)] == [200, 200, 429]
    locked = try_in(password="a long password")
    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"
    said = locked.content.decode()
    assert "For 15 minutes after the last of them" in said and "manage.py axes_reset" in said
    assert try_in(password="a long password", address=ELSEWHERE).status_code == 302
    assert try_in("bob").status_code == 200


def test_a_success_forgets_the_failures_before_it():
    for _ in range(3):
        try_in(), try_in()
        assert try_in(password="a long password").status_code == 302


def test_axes_reset_unlocks():
    from django.core.management import call_command

    [try_in() for _ in range(3)]
    call_command("axes_reset", stdout=StringIO())
    assert try_in(password="a long password").status_code == 302


def test_the_lock_ends_by_itself(settings):
    from datetime import timedelta

    [try_in() for _ in range(3)]
    settings.AXES_COOLOFF_TIME = timedelta(0)
    assert try_in(password="a long password").status_code == 302


def test_an_unknown_name_a_wrong_password_and_no_staff_are_told_alike():
    User.objects.create_user("guest", password="a long password")
    said = []
    for name, password in (("ada", "wrong"), ("nobody", "wrong"), ("guest", "a long password")):
        page = try_in(name, password)
        said.append(list(page.context["form"].non_field_errors()))
        assert page.status_code == 200
    assert said[0] == said[1] == said[2] != []


def test_no_password_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    [try_in(password="hunter-two-and-three", name="typed-here-by-mistake") for _ in range(4)]
    assert "hunter-two-and-three" not in caplog.text and "typed-here-by-mistake" not in caplog.text
    assert HERE in caplog.text


def test_a_forwarded_address_counts_only_where_the_proxy_is_trusted(settings):
    [try_in(**{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(3)]
    assert try_in(password="a long password").status_code == 429
    settings.TRUST_PROXY = True
    assert try_in(password="a long password", **{"X-Forwarded-For": "198.51.100.9"}).status_code == 302


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.1, 198.51.100.7", "198.51.100.7"),  # the first is what the client made up
        ("2001:db8::7", "2001:db8::7"),
        ("", "192.0.2.1"),
        ("unknown", "192.0.2.1"),
        ("198.51.100.7, nonsense", "192.0.2.1"),
    ],
)
def test_the_proxys_own_word_is_the_last(settings, forwarded, address):
    settings.TRUST_PROXY = True
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=HERE)
    assert address_of(request) == address
    settings.TRUST_PROXY = False
    assert address_of(request) == HERE


def test_what_axes_keeps_has_no_page():
    from django.contrib import admin

    assert not [model for model in admin.site._registry if model._meta.app_label == "axes"]
