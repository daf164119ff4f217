"""Zone serials: honest, and never back."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from inventory import reading
from inventory.changes import change
from inventory.models import Authority, Host, Site
from inventory.serving import publication, renderings
from inventory.snapshot import ZoneSerial
from tests.serving.conftest import AddHost

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self, now: int) -> None:
        self.now = now

    def time(self) -> float:
        return self.now + 0.9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_800_000_000)
    monkeypatch.setattr(publication, "time", clock)
    return clock


def _serials(site: Site) -> dict[str, int]:
    site.refresh_from_db()
    entries: Any = site.zone_serials
    return {zone: serial for zone, (serial, _) in entries.items()}


def _publish() -> None:
    publication.published(reading.load("lab"), "zones")


def test_the_first_serial_is_the_time(site: Site, clock: Clock) -> None:
    snapshot = publication.published(reading.load("lab"), "zones")
    assert {zone: entry.serial for zone, entry in snapshot.serials.items()} == {
        "a.example": clock.now,
        "b.example": clock.now,
    }
    assert _serials(site) == {"a.example": clock.now, "b.example": clock.now}
    assert site.revision == 1, "publishing declares nothing"
    assert not site.changes.filter(revision__gt=1).exists()


def test_only_a_zone_whose_content_moved_gets_a_new_serial(
    site: Site, clock: Clock, add_host: AddHost
) -> None:
    _publish()
    clock.now += 100
    _publish()
    assert set(_serials(site).values()) == {clock.now - 100}
    add_host("another")
    _publish()
    assert _serials(site) == {"a.example": clock.now, "b.example": clock.now - 100}


def test_a_serial_never_goes_back_though_the_clock_does(site: Site, clock: Clock, add_host: AddHost) -> None:
    _publish()
    first = clock.now
    clock.now = 1_000_000_000
    add_host("another")
    _publish()
    assert _serials(site)["a.example"] == first + 1
    clock.now = first
    add_host("anew")
    _publish()
    assert _serials(site)["a.example"] == first + 2


def test_a_zone_that_vanished_goes_on_where_it_was(site: Site, clock: Clock, add_host: AddHost) -> None:
    gamma = add_host("gamma")
    _publish()
    with change(site, why="gone"):
        gamma.delete()
    _publish()
    assert "g.example" in _serials(site)
    clock.now = 1_000_000_000
    add_host("grand")
    _publish()
    assert _serials(site)["g.example"] == 1_800_000_001


def test_an_older_state_is_not_published_after_a_newer(site: Site, clock: Clock, add_host: AddHost) -> None:
    older = reading.load("lab")
    add_host("another")
    _publish()
    before = _serials(site)
    snapshot = publication.published(older, "zones")
    assert snapshot.revision == 2
    assert "another" in snapshot.host_by_name
    assert _serials(site) == before


def test_what_another_process_published_is_taken(site: Site, clock: Clock) -> None:
    snapshot = reading.load("lab")
    _publish()
    clock.now += 5
    entries = publication.published(snapshot, "zones").serials
    assert entries["a.example"] == ZoneSerial(clock.now - 5, entries["a.example"].content_hash)


def test_saving_a_site_keeps_its_serials(site: Site, clock: Clock) -> None:
    stale = Site.objects.get(slug="lab")
    _publish()
    with change(stale, why="a form that was open meanwhile"):
        stale.name = "mobile lab"
        stale.save()
    assert _serials(site)["a.example"] == clock.now


def test_formats_without_zones_publish_nothing(site: Site) -> None:
    publication.published(reading.load("lab"), "list")
    assert _serials(site) == {}


def test_bind_is_a_format_with_zones(site: Site) -> None:
    renderings.rendering("lab", "bind")
    assert "lab.example.net" in _serials(site)


@pytest.mark.django_db(transaction=True)
def test_many_publish_and_change_at_once_and_serials_only_rise(site: Site) -> None:
    """Of all renderings that anybody got, a later revision never has a lower serial, and one revision has one."""
    got: list[tuple[int, bytes]] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    def publish() -> None:
        while not stop.is_set():
            served = renderings.rendering("lab", "zones")
            got.append((served.revision, served.body))

    def write() -> None:
        try:
            for number in range(15):
                with change(site, why="one more"):
                    Host(site=site, name=f"a{number}").save()
                time.sleep(0.01)
        finally:
            stop.set()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (publish, publish, publish, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    serials: dict[int, set[int]] = {}
    for revision, body in got:
        serials.setdefault(revision, set()).add(int(body.split()[1]))
    assert all(len(seen) == 1 for seen in serials.values()), serials
    ordered = [serials[revision].pop() for revision in sorted(serials)]
    assert ordered == sorted(set(ordered)), "rises with each revision that was published"


def _serial_of_the_zone(authority: Any) -> int:
    import io
    import tarfile

    body = renderings.rendering("lab", "bind", authority=authority).body
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        member = archive.extractfile("db.lab.example.net")
        assert member is not None
        return int(member.read().decode().split()[8])


def test_two_modes_fetched_in_turns_move_no_serial(site: Site, clock: Clock) -> None:
    first = [_serial_of_the_zone(mode) for mode in ("gateway", "bootstrap")]
    clock.now += 100
    assert [_serial_of_the_zone(mode) for mode in ("gateway", "bootstrap", None)] == [*first, first[0]]
    assert first == [clock.now - 100, clock.now - 99]


def test_a_secondary_that_follows_the_authority_sees_serials_rise(site: Site, clock: Clock) -> None:
    clock.now = 1_000_000_000  # a clock that is behind does not help
    seen = [_serial_of_the_zone(None)]
    for mode in ("bootstrap", "gateway", "bootstrap", "gateway"):
        with change(site, why="a switch"):
            Authority(site=site, mode=mode, why="a switch").save()
        for previewed in ("gateway", "bootstrap"):
            _serial_of_the_zone(previewed)
        seen.append(_serial_of_the_zone(None))
        assert _serial_of_the_zone(None) == seen[-1]
    assert seen == sorted(set(seen))
