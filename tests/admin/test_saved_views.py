"""A person's own views of lists, and addresses by name."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inventory.models import Grant, SavedFilter
from tests.admin.pages import url

pytestmark = pytest.mark.django_db


def save(client, **data):
    return client.post(
        "/admin/views/save/", {"noun": "inventory.host", "name": "pis", "query": "q=pi", **data}
    )


def test_a_view_is_saved_and_stands_above_its_list(browser, host):
    answer = save(browser, query="q=pi&p=3&e=1&status__exact=active")
    assert answer.url == f"{url('host')}?q=pi&status__exact=active"
    page = browser.get(answer.url)
    (chip,) = page.context["views"]["chips"]
    assert (chip.name, chip.chosen) == ("pis", True)
    assert [one.chosen for one in browser.get(url("host")).context["views"]["chips"]] == [False]
    assert browser.get(url("segment")).context["views"]["chips"] == []


def test_the_same_name_is_replaced(browser, host):
    save(browser)
    save(browser, query="q=vm")
    assert SavedFilter.objects.get().query == "q=vm"


def test_what_cannot_be_saved_says_why(browser, host):
    for data in (
        {"name": ""},
        {"name": "x" * 200},
        {"noun": "inventory.nothing"},
        {"noun": "x"},
        {"query": "q=" + "x" * 3000},
    ):
        answer = browser.post(
            "/admin/views/save/", {"noun": "inventory.host", "name": "a", "query": "q=1", **data}, follow=True
        )
        assert answer.status_code == 200 and b"othing was saved" in answer.content, data
    assert not SavedFilter.objects.exists()


def test_views_are_each_persons_own(browser, site, host):
    save(browser)
    kim = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=kim, site=site, level="viewer")
    other = Client()
    other.force_login(kim)
    assert other.get(url("host")).context["views"]["chips"] == []
    other.post(f"/admin/views/{SavedFilter.objects.get().pk}/delete/")
    assert SavedFilter.objects.count() == 1
    browser.post(f"/admin/views/{SavedFilter.objects.get().pk}/delete/")
    assert not SavedFilter.objects.exists()


def test_names_lead_to_pages(browser, host, segment):
    assert browser.get("/admin/go/lab/host/pi01").url == url("host", "change", host.pk)
    assert browser.get("/admin/go/lab/interface/pi01/eth0").url == url(
        "interface", "change", host.interfaces.get().pk
    )
    assert browser.get("/admin/go/lab/segment/management").url == url("segment", "change", segment.pk)
    fate = browser.get("/admin/go/lab/fate/pi01").url
    assert fate.endswith(f"/{host.pk}/") and browser.get(fate).status_code == 200


@pytest.mark.parametrize("path", ["lab/host/pi1", "lab/nothing/x", "nowhere/host/pi01", "lab/interface/eth0"])
def test_a_name_that_nobody_has_is_not_found(browser, host, path):
    assert browser.get(f"/admin/go/{path}").status_code == 404


def test_a_view_is_renamed_by_its_owner_and_not_to_a_name_that_is_taken(browser, host):
    save(browser)
    save(browser, name="vms", query="q=vm")
    row = SavedFilter.objects.get(name="pis")
    address = f"/admin/views/{row.pk}/rename/"
    assert b"is called" in browser.post(address, {"name": "all pis"}, follow=True).content
    for name in ("vms", "", "x" * 200):
        assert b"keeps its name" in browser.post(address, {"name": name}, follow=True).content
    stranger = Client()
    stranger.force_login(User.objects.create_superuser("bob"))
    stranger.post(address, {"name": "mine"})
    row.refresh_from_db()
    assert row.name == "all pis"


def test_a_name_that_nobody_has_shows_what_looks_alike(browser, host):
    page = browser.get("/admin/go/lab/host/pi1")
    assert page.status_code == 404 and b'href="/admin/go/lab/host/pi01"' in page.content


def test_an_address_that_leads_nowhere_says_why(browser, host):
    page = browser.get("/admin/go/lab/nothing/x")
    assert page.status_code == 404
    assert "nouns are host, interface" in page.content.decode() and "First page" in page.content.decode()
    assert (
        "There is no site “nowhere”, or you may not see it."
        in browser.get("/admin/variables/nowhere/").content.decode()
    )
