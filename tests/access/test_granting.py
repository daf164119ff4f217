"""Levels are given by who has them, in the browser and in a shell; nobody raises himself or others above himself."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from inventory.models import Grant
from tests.access.two_sites import person, signed_in
from tests.admin.pages import errors_of, url

pytestmark = pytest.mark.django_db


def give(browser, name, level, site=None):
    return browser.post(
        url("grant", "add"), {"person": name, "level": level, "site": site.pk if site else ""}, follow=True
    )


def said(response):
    return " ".join(map(str, response.context["messages"]))


@pytest.fixture
def kim(ours):
    """Administrator of one site."""
    return signed_in(person("kim", (ours.site, "administrator")))


def test_an_administrator_lets_somebody_into_the_own_site(kim, ours):
    lee = person("lee", is_staff=False)
    answer = give(kim, "lee", "operator", ours.site)
    assert "lee could not sign in here until now, and can from now on" in said(answer)
    lee.refresh_from_db()
    assert lee.is_staff and lee.grants.get().level == "operator"
    assert signed_in(lee).get(url("host")).status_code == 200


def test_and_nowhere_else(kim, ours, theirs):
    person("lee")
    for site in (theirs.site, None):
        answer = give(kim, "lee", "viewer", site)
        assert errors_of(answer)["site"]
        assert "theirs" not in answer.content.decode()
    assert not Grant.objects.filter(user__username="lee").exists()


def test_nobody_gives_a_level_above_the_own(ours):
    helper = person("helper", (ours.site, "operator"))
    helper.user_permissions.set(
        Permission.objects.filter(codename__in=["view_grant", "add_grant", "change_grant"])
    )
    person("lee", (ours.site, "administrator"))
    browser = signed_in(helper)
    for name in ("helper", "lee"):
        errors = errors_of(give(browser, name, "administrator", ours.site))
        assert errors["level"] == [
            "You are no administrator of site ours yourself; give a level up to your own."
        ]
    theirs_above = Grant.objects.get(user__username="lee")
    assert browser.post(url("grant", "change", theirs_above.pk), {"level": "viewer"}).status_code == 403
    own = Grant.objects.get(user=helper)
    raised = browser.post(url("grant", "change", own.pk), {"level": "administrator"})
    assert "give a level up to your own" in errors_of(raised)["level"][0]


def test_a_level_is_changed_and_not_given_twice(kim, ours):
    lee = person("lee", (ours.site, "viewer"))
    assert "change that one" in errors_of(give(kim, "lee", "operator", ours.site))["person"][0]
    kim.post(url("grant", "change", lee.grants.get().pk), {"level": "operator"})
    assert lee.grants.get().level == "operator"
    assert errors_of(give(kim, "nobody", "viewer", ours.site))["person"] == [
        "There is no user “nobody”; who may add users makes one first."
    ]


def test_users_and_user_groups_are_for_who_may_see_them(kim):
    for noun in ("user", "group"):
        assert kim.get(f"/admin/auth/{noun}/").status_code == 403
        assert kim.get(f"/admin/auth/{noun}/add/").status_code == 403


def test_who_may_change_users_becomes_no_more_by_it(ours):
    clerk = person("clerk", (ours.site, "administrator"))
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    root, wide, peer = (
        person("root", is_superuser=True), person("wide", (None, "viewer")), person("peer", (ours.site, "viewer")),
    )  # fmt: skip
    browser = signed_in(clerk)
    for above in (root, wide):
        assert browser.get(f"/admin/auth/user/{above.pk}/password/").status_code == 403
        assert browser.post(f"/admin/auth/user/{above.pk}/change/", {"username": "x"}).status_code == 403
        assert browser.post(f"/admin/auth/user/{above.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"/admin/auth/user/{peer.pk}/password/").status_code == 200
    page = browser.get(f"/admin/auth/user/{clerk.pk}/change/")
    assert not {"is_superuser", "groups", "user_permissions"} & set(page.context["adminform"].form.fields)
    group = clerk.groups.model.objects.get(name="viewer")
    assert browser.post(f"/admin/auth/group/{group.pk}/change/", {"name": "viewer"}).status_code == 403


def test_deleting_many_users_spares_those_above(ours):
    clerk = person("clerk", (ours.site, "administrator"))
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    root = person("root", is_superuser=True)
    signed_in(clerk).post(
        "/admin/auth/user/", {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    )
    assert User.objects.filter(pk=root.pk).exists()


def test_levels_stand_on_the_page_of_a_person(ours, theirs):
    lee = person("lee", (ours.site, "viewer"), is_staff=False)
    browser = signed_in(person("root", is_superuser=True))
    page = browser.get(f"/admin/auth/user/{lee.pk}/change/")
    (inline,) = page.context["inline_admin_formsets"]
    assert [form.instance.level for form in inline.formset.initial_forms] == ["viewer"]


def test_the_command_gives_and_takes(ours):
    lee = person("lee", is_staff=False)
    out = StringIO()
    call_command("grant", "lee", "operator", site="ours", stdout=out)
    assert out.getvalue().startswith("lee is operator of site ours. lee could not sign in here until now")
    call_command("grant", "lee", "viewer", stdout=StringIO())
    assert {row.level for row in lee.grants.all()} == {"operator", "viewer"}
    out = StringIO()
    call_command("grant", "lee", revoke=True, site="ours", stdout=out)
    assert out.getvalue() == "lee has no level at site ours any more.\n"
    with pytest.raises(CommandError, match="no level at site ours; what there is: viewer of every site"):
        call_command("grant", "lee", revoke=True, site="ours")
    with pytest.raises(CommandError, match="There is no user “nobody”"):
        call_command("grant", "nobody", "viewer")
    with pytest.raises(CommandError, match="Sites: ours"):
        call_command("grant", "lee", "viewer", site="nowhere")
    with pytest.raises(CommandError, match="or --revoke"):
        call_command("grant", "lee")
