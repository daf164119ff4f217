"""Levels: what each may, where, and that migrate keeps the groups."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from inventory.changes import change
from inventory.levels import LEVELS, permissions_of
from inventory.models import Grant, Host, Site
from inventory.permissions import may, sites_where, visible_sites, within


@pytest.fixture
def sites(db):
    made = [Site(slug=slug, root_domain="example.net") for slug in ("lab", "home")]
    for site in made:
        with change(site, by="fixture"):
            Host(site=site, name="pi01").save()
    return made


@pytest.fixture
def user(db):
    return User.objects.create_user("kim", is_staff=True)


def again(user):
    """As the next request has it: what a user object remembers is over."""
    return User.objects.get(pk=user.pk)


def test_each_level_may_what_the_one_below_may():
    viewer, operator, administrator = map(permissions_of, LEVELS)
    assert viewer < operator < administrator
    assert permissions_of("emperor") == frozenset()


def test_migrate_makes_the_three_groups(db):
    found = {
        group.name: {
            f"{app}.{name}"
            for app, name in group.permissions.values_list("content_type__app_label", "codename")
        }
        for group in Group.objects.all()
    }
    assert found == {level: set(permissions_of(level)) for level in LEVELS}


def test_a_grant_holds_at_its_site_alone(sites, user):
    lab, home = sites
    Grant.objects.create(user=user, site=lab, level="operator")
    assert may(user, "inventory.change_host", lab)
    assert may(user, "inventory.change_host", lab.pk)
    assert may(user, "inventory.change_host", Host.objects.get(site=lab))
    assert may(user, "inventory.change_host")  # somewhere
    assert not may(user, "inventory.change_host", home)
    assert not may(user, "inventory.delete_host", lab)
    assert list(visible_sites(user)) == [lab]
    assert within(Host.objects.all(), user, "inventory.view_host").get().site == lab
    assert user.has_module_perms("inventory") and not user.has_module_perms("auth")


def test_a_grant_for_every_site_holds_at_those_to_come(sites, user):
    Grant.objects.create(user=user, level="viewer")
    assert may(user, "inventory.view_host", sites[1])
    assert not may(user, "inventory.change_host", sites[1])
    assert sites_where(user, "inventory.view_host") is None


def test_djangos_own_permissions_hold_everywhere(sites, user):
    user.groups.add(Group.objects.get(name="operator"))
    user = again(user)
    assert may(user, "inventory.change_host", sites[0])
    assert sites_where(user, "inventory.change_host") is None
    assert sites_where(user, "inventory.delete_host") == frozenset()


def test_who_administers_one_site_makes_no_other(sites, user):
    Grant.objects.create(user=user, site=sites[0], level="administrator")
    assert not may(user, "inventory.add_site")
    Grant.objects.create(user=user, level="administrator")
    assert may(again(user), "inventory.add_site")


def test_who_was_signed_off_may_nothing(sites, user):
    Grant.objects.create(user=user, level="administrator")
    User.objects.filter(pk=user.pk).update(is_active=False)
    user = again(user)
    assert not may(user, "inventory.view_host", sites[0])
    assert sites_where(user, "inventory.view_host") == frozenset()
    assert user.get_all_permissions() == set()


def test_one_query_whatever_is_asked(sites, user, django_assert_num_queries):
    Grant.objects.create(user=user, site=sites[0], level="viewer")
    user = again(user)
    may(user, "inventory.view_host")  # Django's own permissions: two queries, then cached
    with django_assert_num_queries(0):
        for permission in permissions_of("administrator"):
            may(user, permission, sites[0])
