"""Zone files: the serial is honest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.exports import bind
from inventory.snapshot import AuthorityFacts, Snapshot, ZoneSerial
from tests.exports.example_site import SITE, host, interface

ZONE = "lab.example.net"


def published(site: Snapshot, serial: int) -> Snapshot:
    hashes = bind.content_hashes(site)
    return replace(site, serials={zone: ZoneSerial(serial, content) for zone, content in hashes.items()})


def serial_in(site: Snapshot, zone: str = ZONE) -> int:
    return int(bind.render(site).files[f"db.{zone}"].decode().split("\n")[1].split()[6])


def with_another_host(site: Snapshot) -> Snapshot:
    more = host("zz01", interface("zz01", "eth0", None, "management", "192.0.2.200"))
    return replace(site, hosts=(*site.hosts, more))


def test_what_was_never_published_has_the_first_serial():
    assert serial_in(replace(SITE, serials={})) == 1


def test_what_was_published_keeps_its_serial():
    assert serial_in(published(SITE, 1767323045)) == 1767323045


@pytest.mark.parametrize(("old", "new"), [(7, 8), (2**32 - 1, 1)])
def test_what_changed_since_has_the_next_serial(old, new):
    site = with_another_host(published(SITE, old))
    assert serial_in(site) == new
    assert serial_in(site, "2.0.192.in-addr.arpa") == new
    assert serial_in(site, "100.51.198.in-addr.arpa") == old, "nothing changed in there"


def test_a_new_comment_is_no_new_content():
    site = replace(SITE, authority=None)
    assert bind.content_hashes(site) == bind.content_hashes(SITE)
    assert bind.render(site).files != bind.render(SITE).files


def test_every_zone_of_the_directory_has_a_hash():
    files = set(bind.render(SITE).files)
    assert files == {"named.conf", *(f"db.{zone}" for zone in bind.content_hashes(SITE))}


GATEWAY = AuthorityFacts("gateway", "ada", "2026-01-02T03:04:05Z", "the first")
BOOTSTRAP = AuthorityFacts("bootstrap", "ada", "2026-01-03T03:04:05Z", "gone", "provisioner-ph01")


def declared(*authorities: AuthorityFacts, site: Snapshot = SITE) -> Snapshot:
    return replace(site, authorities=authorities, authority=authorities[-1])


def test_each_mode_has_serials_of_its_own():
    site = declared(BOOTSTRAP, GATEWAY)
    here, there = bind.content_hashes(site, "gateway"), bind.content_hashes(site, "bootstrap")
    assert not set(here) & set(there)
    assert {bind.zone_of_key(key) for key in there} == set(here)


def test_a_preview_of_the_other_mode_moves_nothing_and_is_newer_than_what_is_served():
    site = published(declared(BOOTSTRAP, GATEWAY), 41)
    assert serial_in(site) == 41
    assert int(bind.render(site, "bootstrap").files[f"db.{ZONE}"].decode().split()[8]) == 42


def test_a_switch_of_the_authority_moves_the_zones_of_who_serves_now():
    first = bind.content_hashes(declared(GATEWAY), "gateway")
    away = declared(GATEWAY, BOOTSTRAP)
    assert bind.content_hashes(away, "gateway") == first, "nobody is asked for these"
    back = declared(GATEWAY, BOOTSTRAP, GATEWAY)
    assert not set(bind.content_hashes(back, "gateway").items()) & set(first.items())
    assert bind.content_hashes(back, "bootstrap") == bind.content_hashes(away, "bootstrap")


def test_declaring_the_same_authority_again_is_no_switch():
    once, twice = declared(BOOTSTRAP), declared(BOOTSTRAP, BOOTSTRAP)
    assert bind.content_hashes(once) == bind.content_hashes(twice)
