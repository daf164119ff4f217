"""ISC dhcpd: what it cannot hold."""

from __future__ import annotations

from dataclasses import replace

from inventory.addressing import Range
from inventory.exports import get_export
from inventory.exports.isc_dhcp import MOST_POOL_ADDRESSES
from inventory.serving import checkers
from inventory.snapshot import SegmentFacts
from tests.components import require
from tests.exports import readers
from tests.exports.example_site import SITE

WIDE = SegmentFacts(
    "wide", network4="10.0.0.0/8", gateway4="10.0.0.1", pool=Range("10.0.0.2", "10.255.255.254")
)
IOT = next(segment for segment in SITE.segments if segment.name == "iot")


def test_a_pool_of_sixteen_million_is_cut_to_what_dhcpd_can_hold_and_it_is_said(tmp_path):
    site = replace(SITE, segments=(WIDE, IOT))
    document = get_export("isc-dhcp").render(site)
    served = readers.read_isc(document.files["dhcpd.conf"].decode())
    ((first, last),) = served["10.0.0.0/8"].pools
    assert first == "10.0.0.2"
    assert last == "10.16.0.1"
    said = {(f.severity, f.subject) for f in document.findings if f.id == "format-limit"}
    assert said == {("warning", "segment wide"), ("warning", "segment iot")}
    assert str(MOST_POOL_ADDRESSES) in next(f for f in document.findings if f.id == "format-limit").message
    require("dhcpd", package="isc-dhcp-server")
    (tmp_path / "dhcpd.conf").write_bytes(document.files["dhcpd.conf"])
    assert checkers.check("isc-dhcp", tmp_path).status == "good"
