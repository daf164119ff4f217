"""The door: each way of writing raises the revision once and is remembered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from inventory.changes import SiteChange, change
from inventory.door import open_change
from inventory.models import (
    Change,
    Group,
    Host,
    Interface,
    Membership,
    Site,
    WorkloadProfile,
)
from tests.changes.declared import DECLARED, history_of, host

pytestmark = pytest.mark.django_db


def save_a_new_row(the_change: SiteChange, site: Site) -> None:
    Host(site=site, name="gamma").save()


def save_a_row(the_change: SiteChange, site: Site) -> None:
    alpha = host("alpha")
    alpha.location = "rack 2"
    alpha.save()


def save_some_fields(the_change: SiteChange, site: Site) -> None:
    alpha = host("alpha")
    alpha.location = "rack 2"
    alpha.save(update_fields=["location"])


def save_the_site(the_change: SiteChange, site: Site) -> None:
    site.name = "mobile lab"
    site.save()


def delete_a_row(the_change: SiteChange, site: Site) -> None:
    Interface.objects.get().delete()


def delete_with_what_hangs_on_it(the_change: SiteChange, site: Site) -> None:
    host("alpha").delete()


def delete_a_group(the_change: SiteChange, site: Site) -> None:
    Group.objects.get(name="web").delete()


def delete_a_queryset(the_change: SiteChange, site: Site) -> None:
    Host.objects.filter(site=site).delete()


def delete_through_the_change(the_change: SiteChange, site: Site) -> None:
    assert the_change.delete(Host.objects.filter(site=site)) == 2


def create_in_bulk(the_change: SiteChange, site: Site) -> None:
    the_change.create([Host(site=site, name="gamma"), Host(site=site, name="delta")])


def update_in_bulk(the_change: SiteChange, site: Site) -> None:
    hosts = list(Host.objects.filter(site=site))
    for row in hosts:
        row.location = "rack 2"
    assert the_change.update(hosts, ["location"]) == 2


def link(the_change: SiteChange, site: Site) -> None:
    web = Group.objects.get(name="web")
    assert the_change.set_links(Membership, {"group": web}, "host", [host("beta")])


def declare_a_profile(the_change: SiteChange, site: Site) -> None:
    WorkloadProfile(site=site, name="ci").save()


def several_at_once(the_change: SiteChange, site: Site) -> None:
    save_a_row(the_change, site)
    create_in_bulk(the_change, site)
    link(the_change, site)


WAYS: dict[Callable[[SiteChange, Site], None], list[tuple[str, str, str]]] = {
    save_a_new_row: [("+", "host", "gamma")],
    save_a_row: [("~", "host", "alpha")],
    save_some_fields: [("~", "host", "alpha")],
    save_the_site: [("~", "site", "lab")],
    delete_a_row: [("-", "interface", "alpha/eth0")],
    create_in_bulk: [("+", "host", "delta"), ("+", "host", "gamma")],
    update_in_bulk: [("~", "host", "alpha"), ("~", "host", "beta")],
}
PARTS = {"interface": 1, "hostneed": 1, "service": 1, "alias": 1, "membership": 1}
NOUNS_GONE: dict[Callable[[SiteChange, Site], None], dict[str, int]] = {
    delete_with_what_hangs_on_it: {"host": 1, "hypervisor": 1, **PARTS},
    delete_a_group: {"group": 1, "membership": 1, "nesting": 1},
    delete_a_queryset: {"host": 2, "hypervisor": 1, "virtualmachine": 1, **PARTS},
    delete_through_the_change: {"host": 2, "hypervisor": 1, "virtualmachine": 1, **PARTS},
}
OTHERS = [link, declare_a_profile, several_at_once]


@pytest.mark.parametrize("way", [*WAYS, *NOUNS_GONE, *OTHERS], ids=lambda way: way.__name__)
def test_each_way_raises_the_revision_once_and_says_who_and_why(
    site: Site, ada: User, way: Callable[[SiteChange, Site], None]
) -> None:
    before = Site.objects.get().revision
    with change(site, by=ada, why="because", source="admin") as the_change:
        way(the_change, site)
    assert Site.objects.get().revision == before + 1 == site.revision
    record = Change.objects.get(revision=before + 1)
    assert (record.by, record.by_name, record.why, record.source) == (ada, "ada", "because", "admin")
    assert (record.site, record.site_slug) == (site, "lab")
    for model in DECLARED:
        for row in model.history.filter(change=record):
            assert (row.history_user, row.history_change_reason) == (ada, "because")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_row_written_is_in_history(site: Site, way: Callable[[SiteChange, Site], None]) -> None:
    with change(site, why="because") as the_change:
        way(the_change, site)
    assert history_of(Change.objects.first()) == WAYS[way]


@pytest.mark.parametrize("way", NOUNS_GONE, ids=lambda way: way.__name__)
def test_each_row_that_went_is_in_history(site: Site, way: Callable[[SiteChange, Site], None]) -> None:
    with change(site, why="because") as the_change:
        way(the_change, site)
    record = Change.objects.first()
    gone = {
        model._meta.model_name: model.history.filter(change=record, history_type="-").count()
        for model in DECLARED
    }
    assert {noun: count for noun, count in gone.items() if count} == NOUNS_GONE[way]


def test_links_that_stand_already_change_nothing(site: Site) -> None:
    web = Group.objects.get(name="web")
    with change(site, why="no news") as the_change:
        assert not the_change.set_links(Membership, {"group": web}, "host", [host("alpha")])
        assert the_change.create([]) == []
        assert the_change.update([], ["name"]) == 0
    assert Site.objects.get().revision == 1
    assert Change.objects.count() == 1


def test_a_new_site_is_the_first_write_of_its_first_revision(site: Site, ada: User) -> None:
    assert (site.revision, Change.objects.get().revision) == (1, 1)
    bare = Site(slug="bare")
    with change(bare, by=ada, why="founded"):
        pass
    record = Change.objects.get(site=bare)
    assert (Site.objects.get(slug="bare").revision, record.why) == (1, "founded")
    assert history_of(record) == [("+", "site", "bare")]


def test_a_site_can_go_and_its_change_remains(site: Site) -> None:
    with change(site, why="dissolved"):
        site.delete()
    record = Change.objects.get(why="dissolved")
    assert (record.site, record.site_slug, record.revision) == (None, "lab", 2)
    assert not Host.objects.exists()
    assert Site.history.get(change=record, history_type="-").slug == "lab"


def test_an_exception_undoes_everything(site: Site) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), change(site, why="half") as the_change:
        save_a_row(the_change, site)
        fail()
    assert Site.objects.get().revision == 1
    assert host("alpha").location == ""
    assert Change.objects.count() == 1
    assert open_change() is None


def test_a_change_inside_a_change_is_part_of_it(site: Site) -> None:
    with change(site, why="outer") as outer:
        save_a_row(outer, site)
        with change(site, why="inner") as inner:
            assert inner is outer
            save_a_new_row(inner, site)
    assert Site.objects.get().revision == 2
    assert Change.objects.get(revision=2).why == "outer"


def test_two_sites_at_once_move_each_by_one(site: Site) -> None:
    other = Site(slug="other")
    with change(other, why="made"):
        pass
    with change(site, other, why="both"):
        Host(site=site, name="gamma").save()
        Host(site=other, name="gamma").save()
    assert dict(Site.objects.values_list("slug", "revision")) == {"lab": 2, "other": 2}
    assert Change.objects.filter(why="both").count() == 2
