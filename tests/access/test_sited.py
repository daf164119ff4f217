"""A person of one site meets that site alone: in lists, filters, choices, searches, counts and messages."""

from __future__ import annotations

import contextlib

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from inventory.models import Grant, Host, Identity, Rendering, Token
from inventory.permissions import within
from tests.access.two_sites import person, signed_in
from tests.admin.pages import url

NOUNS = [
    "site", "segment", "host", "interface", "service", "alias", "role", "authority", "severityoverride", "group",
    "workloadprofile", "identity", "change", "rendering", "consumer", "token", "grant",
    "schedule",
    "emergencyuse",
    "project",
    "jobtemplate",
    "kitplace",
]  # fmt: skip


@pytest.fixture
def kim(ours):
    return person("kim", (ours.site, "administrator"))


@pytest.fixture
def browser(kim):
    return signed_in(kim)


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("noun", NOUNS)
def test_a_list_shows_and_counts_the_rows_of_the_own_site(browser, ours, theirs, noun):
    page = browser.get(url(noun))
    listed = page.context["cl"]
    assert ours[noun] in listed.queryset and theirs[noun] not in listed.queryset
    assert "theirs" not in text(page)
    assert "ours" in text(page)


@pytest.mark.parametrize("noun", NOUNS)
def test_filters_and_search_reach_no_further(browser, ours, theirs, noun):
    page = browser.get(url(noun), {"on_site": "theirs"})
    assert page.status_code == 302 or not page.context["cl"].queryset.exists()
    page = browser.get(url(noun), {"q": "theirs"}, follow=True)
    assert not page.context["cl"].queryset.exists()


def _pages() -> list[tuple[str, str]]:
    """(noun, page) of what each noun has; what is neither kept nor edited has no page that deletes."""
    found = []
    for noun in NOUNS:
        for page in ("change", "history", "delete"):
            with contextlib.suppress(NoReverseMatch):
                url(noun, page, 1)
                found.append((noun, page))
    return found


@pytest.mark.parametrize(("noun", "page"), _pages())
def test_pages_of_the_other_site_are_not_there(browser, ours, theirs, noun, page):
    response = browser.get(url(noun, page, theirs[noun].pk), follow=True)
    assert response.status_code in (403, 404) or response.redirect_chain[-1][0] == reverse("admin:index")
    assert "theirs" not in text(response)


@pytest.mark.parametrize("noun", NOUNS)
def test_the_own_pages_say_nothing_of_the_other_site(browser, ours, theirs, noun):
    for page in ("change", "history"):
        response = browser.get(url(noun, page, ours[noun].pk))
        assert response.status_code in (200, 302), (noun, page)
        assert "theirs" not in text(response)


def test_the_first_page_and_explanations_say_nothing_of_it(browser, ours, theirs):
    for address in ("/admin/", reverse("admin:finding", args=("address-in-pool",))):
        page = text(browser.get(address))
        assert "ours" in page and "theirs" not in page
    assert browser.get(reverse("admin:findings", args=("ours",))).status_code == 200
    assert browser.get(reverse("admin:findings", args=("theirs",))).status_code == 404


@pytest.mark.parametrize("noun", ["host", "role", "group", "service"])
def test_completion_offers_rows_of_the_own_site(browser, ours, theirs, noun):
    asked = {
        "host": ("interface", "host"),
        "role": ("host", "role"),
        "group": ("membership", "group"),
        "service": ("alias", "service"),
    }
    model, field = asked[noun]
    query = {"app_label": "inventory", "model_name": model, "field_name": field, "term": ""}
    for more in ({}, {"site": theirs.site.pk}, {"site": "9" * 40}):
        page = browser.get("/admin/autocomplete/", {**query, **more})
        assert page.status_code == 200
        assert "theirs" not in text(page)
    assert "ours" in text(browser.get("/admin/autocomplete/", query))


@pytest.mark.parametrize(
    "noun", ["segment", "host", "service", "alias", "role", "group", "severityoverride", "token"]
)
def test_what_is_added_belongs_to_the_own_site(browser, ours, theirs, noun):
    page = browser.get(url(noun, "add"))
    assert page.status_code == 200 and "adminform" in page.context
    assert "theirs" not in text(page)
    if noun != "token":
        assert browser.get(url(noun, "add"), {"site": theirs.site.pk}).status_code == 403
        assert browser.post(url(noun, "add"), {"site": theirs.site.pk}).status_code == 403
        assert browser.get(url(noun, "add"), {"site": 9999}).status_code == 403


def test_where_several_sites_may_be_meant_they_are_offered_and_no_others(ours, theirs, db):
    from tests.access.two_sites import furnish

    third = furnish("third", 3)
    kim = person("kim", (ours.site, "operator"), (third.site, "operator"), (theirs.site, "viewer"))
    page = text(signed_in(kim).get(url("host", "add")))
    assert f"?site={ours.site.pk}" in page and f"?site={third.site.pk}" in page
    assert f"?site={theirs.site.pk}" not in page


def test_an_action_refuses_rows_of_sites_where_the_person_only_looks(ours, theirs):
    kim = person("kim", (ours.site, "administrator"), (theirs.site, "viewer"))
    chosen = [ours["host"].pk, theirs["host"].pk]
    for action in ("retire", "delete_selected"):
        page = signed_in(kim).post(
            url("host"),
            {"action": action, "_selected_action": chosen, "confirmed": 1, "post": "yes", "why": "x"},
            follow=True,
        )
        said = " ".join(map(str, page.context["messages"]))
        assert "Nothing was done: at theirs" in said and "Leave out theirs-host." in said
    assert Host.objects.filter(pk__in=chosen).exclude(status="retired").count() == 2
    freed = signed_in(kim).post(
        url("identity"), {"action": "free", "_selected_action": [theirs["identity"].pk]}, follow=True
    )
    assert "Nothing was done" in " ".join(map(str, freed.context["messages"]))


def test_a_viewer_may_look_at_a_page_whose_neighbour_he_may_edit(ours, theirs):
    kim = person("kim", (ours.site, "operator"), (theirs.site, "viewer"))
    browser = signed_in(kim)
    own, other = (browser.get(url("host", "change", furnished["host"].pk)) for furnished in (ours, theirs))
    assert own.context["has_change_permission"] and not other.context["has_change_permission"]
    assert 'name="interfaces-0-name"' in text(own) and 'name="interfaces-0-name"' not in text(other)
    refused = browser.post(url("host", "change", theirs["host"].pk), {"name": "theirs-other"})
    assert refused.status_code == 403
    for act in ("retire_this", "allocate_for_this"):
        address = reverse(f"admin:inventory_host_{act}", args=(theirs["host"].pk,))
        assert browser.get(address).status_code == 403
        assert address not in text(other)
        assert browser.get(reverse(f"admin:inventory_host_{act}", args=(ours["host"].pk,))).status_code == 200


@pytest.mark.parametrize("bad", ["x", "9" * 30, "%00", "-1"])
@pytest.mark.parametrize("act", ["retire_this", "allocate_for_this", "change", "delete", "history"])
def test_no_address_makes_a_traceback(ours, act, bad):
    browser = signed_in(person("root", is_superuser=True))
    address = reverse(f"admin:inventory_host_{act}", args=(1,)).replace("/1/", f"/{bad}/")
    assert browser.get(address).status_code in (302, 403, 404)


def test_renderings_are_compared_where_hosts_may_be_seen(browser, ours, theirs):
    compare = reverse("admin:inventory_rendering_compare")
    other = Rendering.objects.get(pk=theirs["rendering"].pk)
    assert browser.get(compare, {"old": other.pk, "new": other.pk}).status_code == 403
    own = ours["rendering"].pk
    assert browser.get(compare, {"old": own, "new": own}).status_code == 200
    assert browser.get(compare, {"old": own, "new": other.pk}).status_code == 403


def test_a_token_for_every_site_needs_an_administrator_of_every_site(browser, ours, theirs):
    Token(name="all-sites", digest="x").save()
    assert "all-sites" not in text(browser.get(url("token")))
    asked = {"name": "mine", "site": "", "scope": "read"}
    assert "required" in text(browser.post(url("token", "add"), asked))
    assert "valid choice" in text(browser.post(url("token", "add"), {**asked, "site": theirs.site.pk}))
    assert browser.post(url("token", "add"), {**asked, "site": ours.site.pk}).status_code == 200
    assert Token.objects.get(name="mine").site == ours.site
    everywhere = signed_in(person("lee", (None, "administrator")))
    everywhere.post(url("token", "add"), {**asked, "name": "wide"})
    assert Token.objects.get(name="wide").site is None


def test_who_may_everywhere_sees_what_belongs_to_no_site_any_more(ours, theirs):
    from inventory.models import Change

    Change.objects.filter(site=theirs.site).update(site=None)
    gone = Change.objects.filter(site=None).latest("id")
    one, all_of_them = person("kim", (ours.site, "viewer")), person("lee", (None, "viewer"))
    assert signed_in(all_of_them).get(url("change", "change", gone.pk)).status_code == 200
    assert signed_in(one).get(url("change", "change", gone.pk)).status_code == 302
    assert within(Identity.objects.all(), one, "inventory.view_identity").exclude(site=ours.site).count() == 0


def test_every_list_of_a_sites_rows_is_sited():
    from inventory.admin.sited import Sited

    for model, page in admin.site._registry.items():
        if model._meta.app_label == "inventory":
            assert isinstance(page, Sited), f"{type(page).__name__} shows rows of every site"
            for inline in page.inlines:
                assert issubclass(inline, Sited), inline


def test_a_lost_grant_counts_at_once(browser, ours, kim):
    assert browser.get(url("host")).status_code == 200
    Grant.objects.all().delete()
    assert browser.get(url("host")).status_code == 403
