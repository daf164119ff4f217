"""``manage.py ensure_admin``: the first administrator, once."""

import io
import re

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.test import RequestFactory

User = get_user_model()
pytestmark = pytest.mark.django_db


def signed_in(name: str, password: str):
    """Who comes in with these; attempts are counted, and so belong to a request."""
    return authenticate(RequestFactory().post("/admin/login/"), username=name, password=password)


def ensure_admin() -> str:
    output = io.StringIO()
    call_command("ensure_admin", stdout=output)
    return output.getvalue()


def test_a_password_is_generated_and_printed_once():
    password = re.search(r"Password \(shown only now\): (\S{20,})", ensure_admin()).group(1)
    assert signed_in("admin", password).is_superuser
    assert ensure_admin() == ""


def test_a_given_password_is_used_and_not_printed(settings):
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "ops", "correct horse battery"
    assert ensure_admin() == "Created the administrator 'ops'.\n"
    assert signed_in("ops", "correct horse battery").is_superuser


def test_a_changed_setting_resets_nobodys_password(settings):
    User.objects.create_superuser("somebody", password="theirs")
    settings.ADMIN_PASSWORD = "another"
    assert ensure_admin() == ""
    assert User.objects.count() == 1


def test_an_ordinary_user_of_that_name_is_not_promoted():
    User.objects.create_user("admin", password="x")
    with pytest.raises(CommandError, match="set ADMIN_USERNAME to another name"):
        ensure_admin()
