"""opnsense and vyos: read back strictly, they say what every other DHCP and DNS format says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from inventory.exports import get_export
from inventory.snapshot import Snapshot
from tests.exports import readers
from tests.exports.example_site import SITE, host, interface
from tests.exports.router_readers import read_opnsense, read_vyos
from tests.exports.sites import examples, snapshots

pytestmark = pytest.mark.timeout(1800)


def text_of(format: str, site: Snapshot, name: str) -> str:
    return get_export(format).render(site, None).files[name].decode("ascii")


def kea(site: Snapshot) -> dict[str, readers.Served]:
    return readers.read_kea(text_of("kea", site, "kea-dhcp4.conf"))


def limits(format: str, site: Snapshot) -> set[str]:
    return {f.subject for f in get_export(format).render(site, None).findings if f.id == "format-limit"}


# --- OPNsense ---


@examples()
@given(site=snapshots())
def test_opnsense_has_every_reservation_that_kea_has(site):
    text = text_of("opnsense", site, "reservations.csv")
    rows = read_opnsense(text)
    assert rows == read_opnsense(text, ","), "older and newer versions read the same"
    wanted = {key: row for served in kea(site).values() for key, row in served.reservations.items()}
    assert {key: row["hostname"] or None for key, row in rows.items()} == {
        key: row.hostname for key, row in wanted.items()
    }
    said = limits("opnsense", site)
    for (mac, address), row in wanted.items():
        if row.file or row.server_name:
            cards = {i.subject for i in site.live_interfaces if (i.mac, i.ipv4) == (mac, address)}
            assert cards & said


def test_a_description_says_whose_row_it_is_and_holds_no_free_text():
    rows = read_opnsense(text_of("opnsense", SITE, "reservations.csv"))
    assert rows["02:de:10:03:00:02", "198.51.100.150"]["description"] == "mgmtplane:lab/pi02/eth0"
    assert rows["02:de:10:05:00:01", "192.0.2.61"]["description"] == "mgmtplane:lab/b_cher-vm01/eth0"


def test_a_description_holds_255_bytes():
    long = interface("a" * 60, "e" * 300, "02:de:10:00:00:01", "iot", "198.51.100.9")
    site = replace(SITE, hosts=(host("a" * 60, long),))
    (row,) = read_opnsense(text_of("opnsense", site, "reservations.csv")).values()
    assert len(row["description"]) == 255


def test_what_the_csv_cannot_say_is_said():
    assert limits("opnsense", SITE) == {
        "site lab",
        "interface provisioner-ph01/eth0",
        "interface provisioner-vm05/eth0",
        "interface vlans-ph01/eth0.99",
    }


# --- VyOS ---


@pytest.mark.parametrize("version", ["1.4", "1.5"])
def test_vyos_serves_what_kea_serves(version):
    @examples()
    @given(snapshots())
    def same(site):
        served, _ = read_vyos(text_of("vyos", site, f"vyos-{version}.txt"), version)
        wanted = {
            network: subnet for network, subnet in kea(site).items() if subnet.pools or subnet.reservations
        }
        assert set(served) == set(wanted)
        said = limits("vyos", site)
        for network, subnet in served.items():
            other = wanted[network]
            for name in ("gateway", "dns_servers", "domain", "search", "pools", "next_server"):
                assert getattr(subnet, name) == getattr(other, name), name
            assert set(subnet.reservations) == set(other.reservations)
            for key, row in subnet.reservations.items():
                _is_the_same(site, said, key, row, other.reservations[key])

    same()


def _is_the_same(site, said, key, row, wanted):
    assert row.hostname in (None, wanted.hostname)
    cards = {i.subject for i in site.live_interfaces if (i.mac, i.ipv4) == key}
    if (row.file, row.server_name, row.next_server) != (
        wanted.file,
        wanted.server_name,
        wanted.next_server,
    ):
        assert cards & said


@examples()
@given(site=snapshots())
def test_vyos_answers_what_bind_answers(site):
    bind = readers.read_bind({k: v.decode() for k, v in get_export("bind").render(site, None).files.items()})
    wanted = {record for records in bind.values() for record in records}
    for version in ("1.4", "1.5"):
        _, records = read_vyos(text_of("vyos", site, f"vyos-{version}.txt"), version)
        assert records <= wanted
        said = limits("vyos", site)
        for name, _, value in wanted - records:
            zones = {f"name {zone}" for zone in bind if name == zone or name.endswith(f".{zone}")}
            assert {f"name {name}"} & said or zones & said, (name, value)


def test_a_host_called_any_does_not_become_every_name():
    site = replace(SITE, hosts=(host("any", interface("any", "eth0", None, "iot", "198.51.100.9")),))
    text = text_of("vyos", site, "vyos-1.5.txt")
    assert "records a any" not in text
    assert "name any.lab.example.net" in limits("vyos", site)


def test_a_boot_file_that_cannot_be_quoted_is_left_out():
    card = interface(
        "a01", "eth0", "02:de:10:00:00:01", "iot", "198.51.100.9", pxe_file="it's", pxe_server="192.0.2.95"
    )
    site = replace(SITE, hosts=(host("a01", card),))
    text = text_of("vyos", site, "vyos-1.5.txt")
    assert "bootfile-name" not in text
    assert "static-mapping a01 option bootfile-server 192.0.2.95" in text
    assert "interface a01/eth0" in limits("vyos", site)


def test_a_subnets_id_does_not_move_when_a_segment_is_added():
    ids = [line for line in text_of("vyos", SITE, "vyos-1.5.txt").splitlines() if "subnet-id" in line]
    fewer = replace(SITE, segments=SITE.segments[1:])
    again = [line for line in text_of("vyos", fewer, "vyos-1.5.txt").splitlines() if "subnet-id" in line]
    assert set(again) <= set(ids)


def test_nothing_is_deleted():
    for content in get_export("vyos").render(SITE, None).files.values():
        assert b"\ndelete " not in content
