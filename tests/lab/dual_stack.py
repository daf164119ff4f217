"""A small dual-stack site by hand, and, beside it and also by hand, what its clients must be told.

Nothing in the second half is computed: it is what a person who reads the first half would expect.
"""

from __future__ import annotations

from dataclasses import dataclass

from inventory.addressing import Range
from inventory.snapshot import (
    AliasFacts,
    HostFacts,
    InterfaceFacts,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
)
from tests.lab.network import Plug, Wire

ZONE = "lab.example.net"


def _card(host: str, mac: str | None, segment: str, ipv4: str, *ipv6: str, name="eth0", **more):
    facts = {"addressing": "static", "a_record": True, "reservation": True, **more}
    return InterfaceFacts(host, name, mac, segment=segment, ipv4=ipv4, ipv6=ipv6, **facts)


def _host(*cards: InterfaceFacts, services: tuple[str, ...] = (), **more) -> HostFacts:
    name = cards[0].host
    carried = (label.partition(".") for label in sorted(services))
    facts = tuple(ServiceFacts(service, name, tenant) for service, _, tenant in carried)
    return HostFacts(name, interfaces=cards, services=facts, **more)


SEGMENTS = (
    SegmentFacts("blackhole", vlan=999, policy="none"),
    SegmentFacts(
        "guest",
        network4="203.0.113.0/24",
        gateway4="203.0.113.1",
        pool=Range("203.0.113.50", "203.0.113.250"),
        policy="dynamic",
    ),
    SegmentFacts(
        "iot",
        network4="198.51.100.0/24",
        network6="2001:db8:30::/64",
        gateway4="198.51.100.1",
        pool=Range("198.51.100.100", "198.51.100.200"),
        dns_servers=("192.0.2.53", "198.51.100.1"),
        search_domains=("lab.example.net", "example.net"),
    ),
    SegmentFacts(
        "management",
        network4="192.0.2.0/24",
        network6="2001:db8:99::/64",
        gateway4="192.0.2.1",
        policy="static",
        next_server="192.0.2.95",
    ),
    SegmentFacts("storage", network4="10.99.20.0/23", policy="static"),
    SegmentFacts(
        "tenant_1",
        network4="10.99.50.0/28",
        gateway4="10.99.50.14",
        pool=Range("10.99.50.8", "10.99.50.10"),
    ),
)

HOSTS = (
    _host(_card("1h", "02:de:10:08:00:02", "management", "192.0.2.67")),
    _host(_card("bücher-vm01", "02:de:10:05:00:01", "management", "192.0.2.61", "2001:db8:99::61")),
    _host(
        _card("core-rt01", "00:00:5e:00:53:01", "management", "192.0.2.1", "2001:db8:99::1", primary=True),
        _card("core-rt01", "00:00:5e:00:53:02", "iot", "198.51.100.1", name="eth1", reservation=False),
        services=("dns", "gateway"),
        form="rt",
    ),
    _host(_card("guest-em01", "02:de:10:09:00:01", "guest", "203.0.113.9", "2001:db8:40::9")),
    _host(_card("hv02", None, "management", "192.0.2.22"), services=("pve2",)),
    _host(_card("ignore", "02:de:10:08:00:01", "management", "192.0.2.66")),
    _host(
        _card(
            "installer-vm01",
            "02:de:10:04:00:05",
            "management",
            "192.0.2.90",
            pxe_server="pxe.lab.example.net",
            pxe_file="ipxe.efi",
        )
    ),
    _host(
        _card("nas-ph01", "02:de:10:02:00:01", "management", "192.0.2.20", "2001:db8:99::20", primary=True),
        _card("nas-ph01", "02:de:10:02:01:01", "storage", "10.99.21.20", name="eth1"),
        services=("files", "web.tenant-a"),
    ),
    _host(
        _card("old-vm01", "02:de:10:06:00:01", "management", "192.0.2.99"),
        status="retired",
        services=("wiki",),
    ),
    _host(
        _card("pi01", "02:de:10:03:00:01", "iot", "198.51.100.11", "2001:db8:30::11", "fe80::1"),
        services=("status",),
    ),
    _host(_card("pi02", "02:de:10:03:00:02", "iot", "198.51.100.150"), services=("status",)),
    _host(_card("pi03", "02:de:10:03:00:03", "iot", "198.51.100.40")),
    _host(_card("pi04", "02:de:10:03:00:04", "iot", "198.51.100.40")),
    _host(_card("printer-em01", "02:de:10:09:00:02", "iot", "198.51.100.31", a_record=False)),
    _host(
        _card(
            "provisioner-ph01",
            "02:de:10:04:00:01",
            "management",
            "192.0.2.95",
            "2001:db8:99::95",
            pxe_server="192.0.2.95",
            pxe_file="pxelinux.0",
        ),
        services=("artifacts", "pxe"),
    ),
    _host(_card("tenant-vm01", "02:de:10:50:00:01", "tenant_1", "10.99.50.9")),
    _host(_card("tenant-vm02", "02:de:10:50:00:02", "tenant_1", "10.99.50.8", reservation=False)),
    _host(
        _card("trunk-ph01", "02:de:10:04:00:09", "iot", "198.51.100.19", name="eth0.30"),
        _card("trunk-ph01", "02:de:10:04:00:09", "management", "192.0.2.19", name="eth0.99", primary=True),
    ),
    _host(_card("twin-vm01", "02:de:10:06:00:07", "management", "192.0.2.71")),
    _host(_card("twin-vm02", "02:de:10:06:00:07", "management", "192.0.2.72")),
)

SITE = Snapshot(
    site=SiteFacts("lab", "example.net"),
    revision=1,
    segments=SEGMENTS,
    hosts=HOSTS,
    aliases=(AliasFacts("artifacts", "artifacts"),),
)

# --- the network it lives in; the router stands in for whoever serves DHCP and DNS ---

WIRES = (
    Wire("guest", ("203.0.113.1/24",)),
    Wire("iot", ("198.51.100.1/24", "2001:db8:30::1/64")),
    Wire("management", ("192.0.2.1/24", "2001:db8:99::1/64")),
    Wire("storage", ("10.99.20.1/23",)),
    Wire("tenant_1", ("10.99.50.14/28",)),
)


@dataclass(frozen=True)
class Told:
    """What the reservation of one client tells it."""

    address: str
    host_name: str = ""
    next_server: str = ""
    boot_file: str = ""
    boot_server: str = ""


#: Machines with a reservation: where they are plugged in, and what they must be told.
RESERVED = {
    Plug("1h", "02:de:10:08:00:02", "management"): Told("192.0.2.67", "1h", "192.0.2.95"),
    Plug("buecher", "02:de:10:05:00:01", "management"): Told(
        "192.0.2.61", "xn--bcher-vm01-9db", "192.0.2.95"
    ),
    Plug("ignore", "02:de:10:08:00:01", "management"): Told("192.0.2.66", "ignore", "192.0.2.95"),
    Plug("installer", "02:de:10:04:00:05", "management"): Told(
        "192.0.2.90", "installer-vm01", "192.0.2.95", "ipxe.efi", "pxe.lab.example.net"
    ),
    Plug("nas", "02:de:10:02:00:01", "management"): Told("192.0.2.20", "nas-ph01", "192.0.2.95"),
    Plug("nas-stor", "02:de:10:02:01:01", "storage"): Told("10.99.21.20", "nas-ph01-stor"),
    Plug("pi01", "02:de:10:03:00:01", "iot"): Told("198.51.100.11", "pi01"),
    Plug("pi02", "02:de:10:03:00:02", "iot"): Told("198.51.100.150", "pi02"),
    Plug("printer", "02:de:10:09:00:02", "iot"): Told("198.51.100.31", "printer-em01"),
    Plug("provisioner", "02:de:10:04:00:01", "management"): Told(
        "192.0.2.95", "provisioner-ph01", "192.0.2.95", "pxelinux.0", "192.0.2.95"
    ),
    Plug("tenant", "02:de:10:50:00:01", "tenant_1"): Told("10.99.50.9", "tenant-vm01"),
    Plug("trunk-99", "02:de:10:04:00:09", "management"): Told("192.0.2.19", "trunk-ph01", "192.0.2.95"),
    Plug("trunk-30", "02:de:10:04:00:09", "iot"): Told("198.51.100.19", "trunk-ph01-iot"),
}

#: Machines without a reservation: plugged in where, and the range they get an address from; None for nothing.
UNRESERVED = {
    Plug("unknown-guest", "02:00:00:00:00:01", "guest"): ("203.0.113.50", "203.0.113.250"),
    Plug("unknown-iot", "02:00:00:00:00:02", "iot"): ("198.51.100.100", "198.51.100.200"),
    Plug("unknown-management", "02:00:00:00:00:03", "management"): None,
    Plug("unknown-storage", "02:00:00:00:00:04", "storage"): None,
    # .8 and .9 are other machines': one address is left.
    Plug("unknown-tenant", "02:00:00:00:00:05", "tenant_1"): ("10.99.50.10", "10.99.50.10"),
    # The segment takes no static mappings.
    Plug("guest-em01", "02:de:10:09:00:01", "guest"): ("203.0.113.50", "203.0.113.250"),
    # Two hosts claim one address.
    Plug("pi03", "02:de:10:03:00:03", "iot"): ("198.51.100.100", "198.51.100.200"),
    Plug("pi04", "02:de:10:03:00:04", "iot"): ("198.51.100.100", "198.51.100.200"),
    # Two hosts claim one MAC.
    Plug("twin", "02:de:10:06:00:07", "management"): None,
    # Its MAC is not known to the site.
    Plug("hv02", "02:de:10:02:00:02", "management"): None,
    Plug("old-vm01", "02:de:10:06:00:01", "management"): None,
    # Known, and plugged in where it has no reservation.
    Plug("pi01-on-guest", "02:de:10:03:00:01", "guest"): ("203.0.113.50", "203.0.113.250"),
    Plug("pi01-on-management", "02:de:10:03:00:01", "management"): None,
}

#: segment → router, DNS servers, search domains that every client there is told
OPTIONS = {
    "guest": ("203.0.113.1", ["203.0.113.1"], []),
    "iot": ("198.51.100.1", ["192.0.2.53", "198.51.100.1"], ["lab.example.net", "example.net"]),
    "management": ("192.0.2.1", ["192.0.2.1"], []),
    "storage": ("", [], []),
    "tenant_1": ("10.99.50.14", ["10.99.50.14"], []),
}

# --- names ---

#: below the zone
ADDRESSES = {
    "1h": ["192.0.2.67"],
    "core-rt01": ["192.0.2.1", "2001:db8:99::1"],
    "core-rt01-iot": ["198.51.100.1"],
    "guest-em01": ["203.0.113.9", "2001:db8:40::9"],
    "hv02": ["192.0.2.22"],
    "ignore": ["192.0.2.66"],
    "installer-vm01": ["192.0.2.90"],
    "nas-ph01": ["192.0.2.20", "2001:db8:99::20"],
    "nas-ph01-stor": ["10.99.21.20"],
    "pi01": ["198.51.100.11", "2001:db8:30::11"],
    "pi02": ["198.51.100.150"],
    "provisioner-ph01": ["192.0.2.95", "2001:db8:99::95"],
    "tenant-vm01": ["10.99.50.9"],
    "tenant-vm02": ["10.99.50.8"],
    "trunk-ph01": ["192.0.2.19"],
    "trunk-ph01-iot": ["198.51.100.19"],
    "twin-vm01": ["192.0.2.71"],
    "twin-vm02": ["192.0.2.72"],
    "xn--bcher-vm01-9db": ["192.0.2.61", "2001:db8:99::61"],
}
SERVICES = {
    "artifacts": "provisioner-ph01",
    "dns": "core-rt01",
    "files": "nas-ph01",
    "gateway": "core-rt01",
    "pve2": "hv02",
    "pxe": "provisioner-ph01",
    "web.tenant-a": "nas-ph01",
}
ALIASES = {"artifacts.example.net": ["192.0.2.95", "2001:db8:99::95"]}
#: disputed, retired, without a record, or never heard of
NO_NAMES = ("status", "pi03", "pi04", "wiki", "old-vm01", "printer-em01", "nobody")
#: a disputed address, a free one, a retired one, and one in a network of the other kind
NO_POINTERS = ("198.51.100.40", "192.0.2.200", "192.0.2.99", "10.99.20.77", "2001:db8:30::ffff")
