"""Names, records and zones; services and what they share."""

from __future__ import annotations

from inventory.snapshot import AliasFacts
from tests.rules.cases.making import Pair, card, host, of, on_site, with_card, with_lan

ROUTER = host("rt01", card("rt01", "192.0.2.1", reservation=False), form="rt", services=["dns", "dhcp"])


def unrecorded(name: str, service: str):
    """A host without an address record of its own, carrying *service*."""
    return host(name, card(name, None), services=[service])


def guest(name: str, last: int, service: str, hypervisor: str):
    return host(name, card(name, f"192.0.2.{last}"), form="vm", hypervisor=hypervisor, services=[service])


HYPERVISORS = [
    host("hv1", card("hv1", "192.0.2.21"), form="hv"),
    host("hv2", card("hv2", "192.0.2.22"), form="hv"),
]

CASES = {
    "a-record-without-address": Pair(
        of(host("h", card("h", None, a_record=True))), of(host("h", card("h", None)))
    ),
    "alias-dangles": Pair(
        of(host(services=["www"]), aliases=[AliasFacts("home", "web")]),
        of(host(services=["www"]), aliases=[AliasFacts("home", "www")]),
    ),
    "alias-unusable": Pair(
        of(host(services=["www"]), aliases=[AliasFacts("lab", "www")]),
        of(host(services=["www"]), aliases=[AliasFacts("home", "www")]),
    ),
    "cname-dangles": Pair(of(unrecorded("h", "www")), of(host(services=["www"]))),
    "cname-loop": Pair(
        of(unrecorded("a", "b"), unrecorded("b", "a")),
        of(host("a", services=["x"]), host("b", card("b", "192.0.2.11"), services=["y"])),
    ),
    "cname-shadows": Pair(of(host(services=["h"])), of(host(services=["www"]))),
    "gateway-on-vm": Pair(
        of(host("h", card("h", "192.0.2.1", reservation=False), form="vm")),
        of(host("h", card("h", "192.0.2.1", reservation=False), form="rt")),
    ),
    "name-unusable": Pair(of(host("not_a_name")), of(host("a-name"))),
    "ptr-outside": Pair(
        with_card(ipv4="8.8.8.8", segment=None, reservation=False),
        with_card(ipv4="10.9.9.9", segment=None, reservation=False),
    ),
    "service-on-vm": Pair(of(host(services=["dns2"], form="vm")), of(ROUTER)),
    "services-share-host": Pair(of(host(services=["git", "www"])), of(ROUTER, host(services=["git"]))),
    "services-share-hypervisor": Pair(
        of(*HYPERVISORS, guest("v1", 31, "git", "hv1"), guest("v2", 32, "www", "hv1")),
        of(*HYPERVISORS, guest("v1", 31, "git", "hv1"), guest("v2", 32, "www", "hv2")),
    ),
    "zone-unusable": Pair(on_site(slug="not a name"), with_lan()),
}
