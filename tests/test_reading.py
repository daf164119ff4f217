"""Snapshots: kept while they are true, and never torn."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory import reading
from inventory.changes import change
from inventory.models import Group, Host, Interface, Membership, Segment, Site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site() -> Site:
    """Two hosts in group even; each has an interface."""
    lab = Site(slug="lab", root_domain="example.net")
    with change(lab, why="made for a test"):
        Segment(site=lab, name="management", network4="192.0.2.0/24").save()
        even = Group(site=lab, name="even")
        even.save()
        for number in (0, 1):
            host = Host(site=lab, name=f"h{number}", location="0")
            host.save()
            Interface(host=host, name="eth0", addressing="static", ipv4=f"192.0.2.1{number}").save()
            Membership(group=even, host=host).save()
    return lab


def test_what_has_not_changed_is_not_read_again(site: Site) -> None:
    first = reading.load("lab")
    with CaptureQueriesContext(connection) as queries:
        assert reading.load("lab") is first
    assert len(queries) == 1
    with change(site, why="news"):
        Host(site=site, name="h2").save()
    assert reading.load("lab").revision == 2


def test_the_number_of_queries_does_not_grow(site: Site) -> None:
    def count() -> int:
        reading.forget()
        with CaptureQueriesContext(connection) as queries:
            reading.load("lab")
        return len(queries)

    few = count()
    with change(site, why="many") as the_change:
        hosts = the_change.create([Host(site=site, name=f"x{number}") for number in range(50)])
        the_change.create([Interface(host=host, name="eth0") for host in hosts])
        the_change.create([Membership(group=Group.objects.get(), host=host) for host in hosts])
    assert count() == few <= 12


def test_a_site_of_the_same_name_is_another_site(site: Site) -> None:
    assert reading.load("lab").hosts
    with change(site, why="dissolved"):
        site.delete()
    with change(Site(slug="lab"), why="founded anew"):
        pass
    assert reading.load("lab").hosts == ()


def test_an_unknown_site_says_which_there_are(site: Site) -> None:
    with pytest.raises(reading.UnknownSite, match=r"There is no site “nowhere”\. Sites: lab\."):
        reading.load("nowhere")


def test_what_is_not_committed_is_kept_by_nobody(site: Site) -> None:
    with transaction.atomic():
        with change(site, why="never happened"):
            Host(site=site, name="ghost").save()
        assert "ghost" in reading.load("lab").host_by_name
        transaction.set_rollback(True)
    assert "ghost" not in reading.load("lab").host_by_name
    site.refresh_from_db()
    with change(site, why="this did"):
        Host(site=site, name="h2").save()
    assert "ghost" not in reading.load("lab").host_by_name


def _move(number: int) -> None:
    """One change of several tables at once: both hosts' places, both addresses, the membership."""
    site = Site.objects.get(slug="lab")
    with change(site, why="both together") as the_change:
        hosts = list(Host.objects.filter(site=site))
        interfaces = list(Interface.objects.filter(host__site=site))
        base = 20 + 2 * (number % 100)
        for offset, (host, interface) in enumerate(zip(hosts, interfaces, strict=True)):
            host.location = str(number)
            interface.ipv4 = f"192.0.2.{base + offset}"
        the_change.update(hosts, ["location"])
        time.sleep(0.002)  # readers come in between
        the_change.update(interfaces, ["ipv4"])
        members = hosts if number % 2 == 0 else hosts[:1]
        the_change.set_links(Membership, {"group": Group.objects.get()}, "host", members)


def _torn(snapshot: Any) -> str:
    """Why *snapshot* shows two states at once; empty when it does not."""
    places = {host.location for host in snapshot.hosts}
    if len(places) != 1:
        return f"places {places} at revision {snapshot.revision}"
    number = int(places.pop())
    if number == 0:
        return ""
    if snapshot.revision != number + 1:
        return f"rows of change {number} at revision {snapshot.revision}"
    base = 20 + 2 * (number % 100)
    addresses = [interface.ipv4 for host in snapshot.hosts for interface in host.interfaces]
    if addresses != [f"192.0.2.{base}", f"192.0.2.{base + 1}"]:
        return f"addresses {addresses} in change {number}"
    members = len(snapshot.group_by_name["even"].hosts)
    return "" if members == (2 if number % 2 == 0 else 1) else f"{members} members in change {number}"


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "inside a transaction"])
def test_a_reader_under_concurrent_writers_never_sees_a_torn_site(site: Site, inside: bool) -> None:
    moves, failures, torn = 40, [], []  # type: ignore[var-annotated]
    loads = seen = 0
    lock, stop = threading.Lock(), threading.Event()
    numbers, give_up = itertools.count(1), time.monotonic() + 60

    def write() -> None:
        while True:
            with lock:  # which number is next; the site's own lock orders the rest
                number = next(numbers)
                if number > moves and (loads > 5 or time.monotonic() > give_up):
                    return
                _move(number)
            time.sleep(0.002)  # SQLite has no queue: without a pause a busy machine starves the readers

    def read() -> None:
        nonlocal loads, seen
        revisions = set()
        while not stop.is_set():
            reading.forget()
            if inside:
                with transaction.atomic():
                    snapshot = reading.load("lab")
                time.sleep(0.001)  # SQLite: lets a writer in
            else:
                snapshot = reading.load("lab")
            torn.extend(filter(None, [_torn(snapshot)]))
            revisions.add(snapshot.revision)
            loads += 1
        seen += len(revisions)

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        return run

    readers = [threading.Thread(target=guarded(read)) for _ in range(3)]
    writers = [threading.Thread(target=guarded(write)) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(90)
    stop.set()
    for thread in readers:
        thread.join(30)
    assert not failures
    assert not torn, torn[:3]
    assert Site.objects.get().revision > moves
    assert loads > 5
    assert seen > 3, "the readers did see the site move"
