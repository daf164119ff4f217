"""Local ports of web pages, as the door hands them out: each its own, kept, whichever way the page came."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from inventory.changes import change
from inventory.local_ports import FIRST, LAST
from inventory.models import Host, Service, Site
from inventory.undoing.undo import undo
from tests.document import support

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, by="ada"):
        Host(site=lab, name="alpha").save()
        Host(site=lab, name="beta").save()
    return lab


def add(site: Site, name: str, host: str = "alpha", **facts) -> Service:
    with change(site, by="ada"):
        row = Service(host=Host.objects.get(site=site, name=host), name=name, web_scheme="https", **facts)
        row.save()
    return row


def port(name: str) -> int | None:
    return Service.objects.get(name=name).local_port


def test_a_page_gets_the_next_port_and_keeps_it_wherever_it_goes(site):
    assert add(site, "wiki").local_port == port("wiki") == FIRST
    add(site, "art")  # sorts before, and moves nobody
    assert (port("wiki"), port("art")) == (FIRST, FIRST + 1)
    with change(site, by="ada"):
        row = Service.objects.get(name="wiki")
        row.host, row.web_scheme = Host.objects.get(name="beta"), "http"
        row.save()
    assert port("wiki") == FIRST
    with change(site, by="ada"):
        Service.objects.get(name="wiki").delete()
    add(site, "new")
    assert port("new") == FIRST + 2, "a bookmark of wiki does not open another page"


def test_the_highest_port_is_not_the_next_ones_either_and_undo_brings_it_back(site):
    add(site, "wiki")
    with change(site, by="ada", why="gone") as the_change:
        Service.objects.get(name="wiki").delete()
    gone = the_change.records[site.pk]
    assert add(site, "new").local_port == FIRST + 1
    undo([gone], by="ada", why="needed after all")
    assert (port("wiki"), port("new")) == (FIRST, FIRST + 1)


def test_undo_gives_another_port_where_the_old_one_is_taken(site):
    add(site, "wiki")
    with change(site, by="ada", why="gone") as the_change:
        Service.objects.get(name="wiki").delete()
    gone = the_change.records[site.pk]
    add(site, "new", local_port=FIRST)
    undo([gone], by="ada", why="needed after all")
    assert (port("wiki"), port("new")) == (FIRST + 1, FIRST)


def test_a_service_without_a_page_has_none(site):
    with change(site, by="ada"):
        Service(host=Host.objects.get(name="alpha"), name="files").save()
    assert port("files") is None


def test_over_two_hundred_pages_in_one_change_have_a_port_each(site):
    with change(site, by="ada") as the_change:
        hosts = list(Host.objects.all())
        rows = [
            Service(site=site, host=hosts[at % 2], name=f"ui{at:03}", web_scheme="https") for at in range(210)
        ]
        the_change.create(rows)
    ports = list(Service.objects.order_by("name").values_list("local_port", flat=True))
    assert ports == list(range(FIRST, FIRST + 210))
    before = support.export("lab")
    with change(site, by="ada"):
        Site.objects.get(slug="lab").delete()
    support.apply(before)
    assert list(Service.objects.order_by("name").values_list("local_port", flat=True)) == ports
    add(Site.objects.get(), "next", "alpha")
    assert port("next") == FIRST + 210


def test_sites_do_not_share_ports(site):
    add(site, "wiki")
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="ada"):
        Host(site=other, name="gamma").save()
    assert add(other, "shop", "gamma").local_port == FIRST + 1


def test_a_port_that_one_site_frees_goes_to_no_other_site(site):
    add(site, "wiki")
    with change(site, by="ada"):
        Service.objects.get(name="wiki").delete()
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="ada"):
        Host(site=other, name="gamma").save()
    assert add(other, "shop", "gamma").local_port == FIRST + 1, "a bookmark of wiki does not open shop"
    with change(other, by="ada"):
        Site.objects.get(slug="other").delete()
    assert add(site, "files").local_port == FIRST + 2


def test_a_port_of_another_page_is_refused_in_words(site):
    add(site, "wiki")
    with pytest.raises(ValidationError, match="Another web page of the site has this local port"):
        add(site, "shop", local_port=FIRST)
    with pytest.raises(ValidationError, match=f"Local ports are from {FIRST} to {LAST}"):
        add(site, "shop", local_port=80)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_sites_that_ask_at_once_get_a_port_each(site):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite has one writer")
    other = Site(slug="other", root_domain="example.org")
    with change(other, by="ada"):
        Host(site=other, name="alpha").save()

    def meanwhile() -> None:
        add(other, "art")
        connection.close()

    thread = threading.Thread(target=meanwhile)
    with transaction.atomic():
        add(site, "wiki")
        thread.start()
        thread.join(1.0)
        assert thread.is_alive(), "it waits for its turn"
    thread.join()
    assert {port("wiki"), port("art")} == {FIRST, FIRST + 1}
