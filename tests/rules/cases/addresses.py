"""Segments, addresses and reservations."""

from __future__ import annotations

from dataclasses import replace

from inventory.addressing import Range
from inventory.snapshot import SegmentFacts
from tests.rules.cases.making import LAN, Pair, card, host, of, on_site, with_card, with_lan

IOT = SegmentFacts("iot", vlan=30, network4="198.51.100.0/24", gateway4="198.51.100.1")
BIG = SegmentFacts("big", network4="8.0.0.0/7", pool=Range("8.0.0.1", "8.255.255.255"))
STATIC = replace(LAN, policy="static", pool=None)

CASES = {
    "address-delegated": Pair(
        with_lan(delegated=(Range("192.0.2.10", "192.0.2.19"),)),
        with_lan(delegated=(Range("192.0.2.20", "192.0.2.29"),)),
    ),
    "address-in-pool": Pair(with_card(ipv4="192.0.2.100"), with_card(ipv4="192.0.2.99")),
    "address-link-local": Pair(with_card(ipv6=("fe80::1",)), with_card()),
    "address-outside-segment": Pair(with_card(ipv4="198.51.100.9"), with_card()),
    "address-unusable": Pair(
        with_card(ipv4="192.0.2.255", reservation=False), with_card(ipv4="192.0.2.25", reservation=False)
    ),
    "dhcp-not-served": Pair(
        of(host("h", card("h", None)), segments=[STATIC]), of(host("h", card("h", None)), segments=[LAN])
    ),
    "dns-server-unusable": Pair(
        with_lan(dns_servers=("ns.example.net",)), with_lan(dns_servers=("192.0.2.53",))
    ),
    "gateway-outside-segment": Pair(with_lan(gateway4="198.51.100.1"), with_lan(gateway4="192.0.2.1")),
    "pool-missing": Pair(with_lan(policy="dynamic", pool=None), with_lan(policy="dynamic")),
    "pool-not-served": Pair(with_lan(policy="static"), with_lan(policy="both")),
    "pool-outside-segment": Pair(
        with_lan(pool=Range("192.0.2.200", "192.0.3.9")), with_lan(pool=Range("192.0.2.200", "192.0.2.209"))
    ),
    "pool-too-large": Pair(
        of(segments=[BIG]), of(segments=[replace(BIG, pool=Range("8.0.0.1", "8.0.255.255"))])
    ),
    "pxe-server-is-a-name": Pair(
        with_card(pxe_server="boot.example.net"), with_card(pxe_server="192.0.2.95")
    ),
    "pxe-unusable": Pair(with_card(pxe_file="a,b"), with_card(pxe_file="ipxe.efi")),
    "pxe-without-reservation": Pair(
        with_card(pxe_file="ipxe.efi", reservation=False), with_card(pxe_file="ipxe.efi")
    ),
    "record-without-reservation": Pair(with_card(reservation=False), with_card()),
    "reservation-forbidden": Pair(with_lan(policy="dynamic"), with_lan(policy="both")),
    "reservation-mac-unusable": Pair(with_card(mac="01:00:5e:00:00:01"), with_card(mac="00:00:5e:00:53:01")),
    "reservation-no-dhcp": Pair(with_lan(policy="none"), with_lan(policy="static")),
    "reservation-on-gateway": Pair(
        with_card(ipv4="192.0.2.1"), with_card(ipv4="192.0.2.1", reservation=False)
    ),
    "reservation-outside-segment": Pair(with_card(ipv4="198.51.100.9"), with_card()),
    "reservation-repeated": Pair(
        of(host("h", card("h"), card("h", name="bond0"))),
        of(host("h", card("h", reservation=False), card("h", name="bond0"))),
    ),
    "reservation-unknown-mac": Pair(with_card(mac=None), with_card()),
    "reservation-unusable-address": Pair(with_card(ipv4="192.0.2.0"), with_card(ipv4="192.0.2.2")),
    "reservation-without-address": Pair(
        of(host("h", card("h", None, reservation=True))), of(host("h", card("h", None)))
    ),
    "reservation-without-record": Pair(with_card(a_record=False), with_card()),
    "reservation-without-segment": Pair(with_card(segment=None), with_card()),
    "reverse-zone-missing": Pair(
        of(segments=[SegmentFacts("wan", network4="8.8.8.0/28")]),
        of(segments=[SegmentFacts("wan", network4="8.8.8.0/24")]),
    ),
    "search-domain-unusable": Pair(
        with_lan(search_domains=("not a name",)), with_lan(search_domains=("example.net",))
    ),
    "segment-outside-block": Pair(on_site(block="10.20.0.0/16"), on_site(block="192.0.0.0/16")),
    "segment-overlap": Pair(
        of(segments=[LAN, replace(IOT, network4="192.0.2.0/25")]), of(segments=[LAN, IOT])
    ),
    "static-forbidden": Pair(
        with_lan(host("h", card("h", reservation=False)), policy="dynamic"),
        with_lan(host("h", card("h", reservation=False)), policy="both"),
    ),
    "static-range-in-pool": Pair(
        with_lan(static_range=Range("192.0.2.2", "192.0.2.100")),
        with_lan(static_range=Range("192.0.2.2", "192.0.2.99")),
    ),
    "static-range-outside-segment": Pair(
        with_lan(static_range=Range("192.0.3.2", "192.0.3.49")),
        with_lan(static_range=Range("192.0.2.2", "192.0.2.49")),
    ),
    "vlan-repeated": Pair(of(segments=[LAN, replace(IOT, vlan=10)]), of(segments=[LAN, IOT])),
}
