"""Zone files: the serial is honest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.exports import bind
from inventory.snapshot import Snapshot, ZoneSerial
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
