"""In the browser: every page says that the copy is read-only, and one makes it the live one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory.copying import copies
from inventory.models import Change, Grant, Host, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(db: Any) -> Client:
    User.objects.create_superuser("ada", password="correct horse battery")
    client = Client()
    answer = client.post(
        reverse("admin:login"), {"username": "ada", "password": "correct horse battery", "next": "/admin/"}
    )
    assert answer.status_code == 302, "signing in works in a copy that is read-only"
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_live_copy_says_nothing(site, administrator):
    assert "Read-only." not in text_of(administrator, "/admin/")


@pytest.mark.parametrize(
    "name", ["admin:index", "admin:inventory_host_changelist", "admin:provisioning_job_changelist"]
)
def test_every_page_says_that_the_copy_is_read_only(restored, administrator, name):
    said = text_of(administrator, reverse(name))
    assert (
        "Read-only.</strong> Site lab is read-only in this copy: it was restored from mgmtplane-2026" in said
    )
    assert reverse("admin:promote", args=("lab",)) in said


def test_a_form_that_is_saved_comes_back_with_the_reason(restored, administrator):
    host = Host.objects.get()
    at = reverse("admin:inventory_host_change", args=(host.pk,))
    page = administrator.get(at)
    form = page.context["adminform"].form
    given = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    for inline in page.context["inline_admin_formsets"]:
        given |= {f"{inline.formset.prefix}-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answer = administrator.post(at, {**given, "location": "shelf 2", "why": "moved"})
    assert answer.status_code == 200 and "manage.py promote lab" in answer.content.decode()
    host.refresh_from_db()
    assert host.location == ""


def test_an_administrator_promotes_by_typing_the_name(restored, administrator):
    at = reverse("admin:promote", args=("lab",))
    assert "It begins epoch 2." in text_of(administrator, at)
    wrong = administrator.post(at, {"typed": "lba", "why": "lost", "epoch": "2"})
    assert wrong.status_code == 200 and "Type lab to promote it" in wrong.content.decode()
    late = administrator.post(at, {"typed": "lab", "why": "lost", "epoch": "1"})
    assert "would be 2 and not 1" in late.content.decode()
    assert not copies.is_live(restored)
    right = administrator.post(at, {"typed": "lab", "why": "the other is off", "epoch": "2"}, follow=True)
    assert "This copy is live for lab now, in epoch 2." in right.content.decode()
    assert "Read-only." not in right.content.decode()
    assert (Site.objects.get().epoch, Change.objects.first().by_name) == (2, "ada")


def test_who_may_not_promote_is_told_and_given_no_link(restored):
    user = User.objects.create_user("otto", is_staff=True)
    Grant.objects.create(user=user, site=restored, level="operator")
    client = Client()
    client.force_login(user)
    said = text_of(client, "/admin/")
    assert "Site lab is read-only" in said and reverse("admin:promote", args=("lab",)) not in said
    assert client.get(reverse("admin:promote", args=("lab",))).status_code == 403


def test_nobody_is_told_of_a_site_that_he_may_not_see(restored):
    client = Client()
    client.force_login(User.objects.create_user("otto", is_staff=True))
    assert "Read-only." not in text_of(client, "/admin/")


def test_the_page_begins_above_an_epoch_that_nobody_proved(site, administrator):
    at = reverse("admin:promote", args=("lab",))
    assert "enter 5 as" not in text_of(administrator, at)
    copies.note_met(site.pk, epoch=5, other="00112233445566aa", proven=False, told_by="router-1")
    assert "enter 5 as “Above epoch”" in text_of(administrator, at)
    given = {"typed": "lab", "why": "the other was real", "epoch": "2", "above": "5"}
    said = administrator.post(at, given, follow=True).content.decode()
    assert "in epoch 6" in said and Site.objects.get().epoch == 6


def test_where_a_use_of_the_emergency_access_is_written_down_meanwhile(site, administrator):
    pages = [reverse(f"admin:inventory_emergencyuse_{name}") for name in ("add", "changelist")]
    for at in pages:
        assert "on the printed kit" not in text_of(administrator, at)
    copies.renew("an archive")
    for at in pages:
        assert "on the printed kit, at “Emergency access”" in text_of(administrator, at)
