"""The list of consumers, and their line on the first page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from inventory.models import Consumer, Site
from inventory.serving import renderings
from inventory.serving.consumers import Taking, note_fetched, report
from tests.serving.conftest import AddHost
from tests.serving.conftest import add_host as add_host
from tests.serving.conftest import formats as formats
from tests.serving.conftest import renderings_dir as renderings_dir
from tests.serving.conftest import site as site

pytestmark = pytest.mark.django_db

LIST = "/admin/inventory/consumer/"


@pytest.fixture
def browser(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def four(site: Site, add_host: AddHost) -> Site:
    """One in each state: kea-01 is behind, rt01 current, dns-01 failed, old silent."""

    def taking(name: str) -> Taking:
        return Taking(site.pk, "list", "", name)

    first = renderings.described("lab", "list").etag
    note_fetched(taking("kea-01"), first)
    add_host("gamma")
    second = renderings.described("lab", "list").etag
    for name in ("rt01", "dns-01", "old"):
        note_fetched(taking(name), second)
        report(taking(name), etag=second, ok=name != "dns-01", message="unknown keyword")
    long_ago = timezone.now() - timedelta(days=2)
    Consumer.objects.filter(name="old").update(first_seen=long_ago, fetched_at=long_ago, applied_at=long_ago)
    return site


def shown(response: Any) -> dict[str, str]:
    return {row.name: row.state for row in response.context["cl"].result_list}


def test_the_list_tells_who_is_behind_and_what_failed_in_its_words(browser: Client, four: Site) -> None:
    page = browser.get(LIST)
    states = {"kea-01": "behind", "rt01": "current", "dns-01": "failed", "old": "silent"}
    assert shown(page) == states
    assert "unknown keyword" in page.content.decode()
    for state in states.values():
        only = {name: its for name, its in states.items() if its == state}
        assert shown(browser.get(LIST, {"in_state": state})) == only
    assert shown(browser.get(LIST, {"on_site": "lab", "of_format": "list", "q": "rt0"})) == {
        "rt01": "current"
    }
    for column in range(1, 10):
        assert browser.get(LIST, {"o": str(column)}).status_code == 200


def test_a_long_name_or_message_leaves_the_table_its_shape(browser: Client, four: Site) -> None:
    long = "a" * 200
    Consumer.objects.filter(name="rt01").update(name=long, message=long)
    page = browser.get(LIST).content.decode()
    assert f"{'a' * 29}…" in page and f"{'a' * 59}…" in page and "a" * 60 not in page
    its = Consumer.objects.get(name=long)
    assert long in browser.get(f"{LIST}{its.pk}/change/").content.decode()


def test_consumers_are_read_and_only_those_gone_are_deleted(browser: Client, four: Site) -> None:
    old = Consumer.objects.get(name="old")
    page = browser.get(f"{LIST}{old.pk}/change/")
    assert page.status_code == 200
    assert old.applied_etag.strip('"') in page.content.decode()
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(f"{LIST}{old.pk}/change/", {"name": "new"}).status_code == 403
    assert browser.post(f"{LIST}{old.pk}/delete/", {"post": "yes"}).status_code == 302
    chosen = [Consumer.objects.get(name="dns-01").pk]
    browser.post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert sorted(Consumer.objects.values_list("name", flat=True)) == ["kea-01", "rt01"]


def test_the_first_page_counts_them(browser: Client, four: Site) -> None:
    page = browser.get("/admin/")
    card = page.context["whole"]  # there is one site
    assert [(c.label, c.number) for c in card.consumers] == [
        ("consumers", 4),
        ("behind", 1),
        ("failed", 1),
        ("silent", 1),
    ]
    for counted in card.consumers:
        assert len(shown(browser.get(counted.page))) == counted.number
    Consumer.objects.all().delete()
    assert browser.get("/admin/").context["whole"].consumers == []


def test_who_may_not_see_consumers_sees_none(four: Site) -> None:
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_site"))
    client = Client()
    client.force_login(user)
    assert client.get("/admin/").context["whole"].consumers == []
    assert client.get(LIST).status_code == 403
