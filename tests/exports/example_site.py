"""One small site by hand: examples of all that DHCP and DNS exports meet. Documentation networks."""

from __future__ import annotations

from inventory.addressing import Range
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    HostFacts,
    InterfaceFacts,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
    ZoneSerial,
)

SEGMENTS = (
    SegmentFacts("blackhole", vlan=999, policy="none"),
    SegmentFacts(
        "guest",
        vlan=40,
        network4="203.0.113.0/24",
        gateway4="203.0.113.1",
        pool=Range("203.0.113.50", "203.0.113.250"),
        policy="dynamic",
    ),
    SegmentFacts(
        "iot",
        vlan=30,
        network4="198.51.100.0/24",
        network6="2001:db8:30::/64",
        gateway4="198.51.100.1",
        pool=Range("198.51.100.100", "198.51.100.200"),
        dns_servers=("192.0.2.53", "198.51.100.1"),
        search_domains=("lab.example.net", "example.net"),
    ),
    SegmentFacts(
        "management",
        vlan=99,
        network4="192.0.2.0/24",
        network6="2001:db8:99::/64",
        gateway4="192.0.2.1",
        policy="static",
        next_server="192.0.2.95",
    ),
    SegmentFacts("storage", vlan=20, network4="10.99.20.0/23", gateway4="10.99.20.1", policy="static"),
)


def interface(
    host: str, name: str, mac: str | None, segment: str | None, ipv4: str | None, **more
) -> InterfaceFacts:
    """A static interface with an A record and a reservation, unless *more* says otherwise."""
    facts = {
        "host": host,
        "name": name,
        "mac": mac,
        "segment": segment,
        "ipv4": ipv4,
        "addressing": "static" if ipv4 else "dhcp",
        "a_record": True,
        "reservation": True,
    }
    return InterfaceFacts(**{**facts, **more})


def host(name: str, *interfaces: InterfaceFacts, services: tuple[str, ...] = (), **more) -> HostFacts:
    return HostFacts(
        name,
        interfaces=interfaces,
        services=tuple(_service(label, name) for label in services),
        **more,
    )


def _service(label: str, host_name: str) -> ServiceFacts:
    name, _, tenant = label.partition(".")
    return ServiceFacts(name, host_name, tenant)


HOSTS = (
    host(
        "access-sw01",
        interface("access-sw01", "eth0", "02:de:10:07:00:01", "management", "192.0.2.10"),
        form="sw",
    ),
    host(
        "bücher-vm01",
        interface("bücher-vm01", "eth0", "02:de:10:05:00:01", "management", "192.0.2.61"),
    ),
    host(
        "core-rt01",
        interface(
            "core-rt01",
            "lan",
            "00:00:5e:00:53:01",
            "management",
            "192.0.2.1",
            ipv6=("2001:db8:99::1",),
            primary=True,
        ),
        interface("core-rt01", "iot", "00:00:5e:00:53:01", "iot", "198.51.100.1", reservation=False),
        interface("core-rt01", "wan", "00:00:5e:00:53:02", None, None, a_record=False, reservation=False),
        services=("gateway", "dns", "dhcp"),
        form="rt",
    ),
    host(
        "core-rt02",
        interface("core-rt02", "lan", "02:de:10:01:00:02", "management", "192.0.2.2", reservation=False),
        services=("gateway",),
        form="rt",
    ),
    host(
        "edge-rt01",
        interface("edge-rt01", "eth0", None, "management", "192.168.8.1", reservation=False),
        form="rt",
    ),
    host("guest-em01", interface("guest-em01", "wlan0", "02:de:10:09:00:01", "guest", "203.0.113.9")),
    host(
        "hv01",
        interface("hv01", "eth0", "02:de:10:02:00:01", "management", "192.0.2.21", ipv6=("2001:db8:99::21",)),
        interface("hv01", "eth1", "02:de:10:02:01:01", "storage", "10.99.21.21"),
        services=("pve", "web.tenant-a"),
    ),
    host("hv02", interface("hv02", "eth0", None, "management", "192.0.2.22"), services=("pve2",)),
    host("ignore", interface("ignore", "eth0", "02:de:10:08:00:01", "iot", "198.51.100.66")),
    host(
        "old-vm01",
        interface("old-vm01", "eth0", "02:de:10:06:00:01", "management", "192.0.2.99"),
        status="retired",
        services=("artifacts",),
    ),
    host(
        "pi01",
        interface(
            "pi01", "eth0", "02:de:10:03:00:01", "iot", "198.51.100.11", ipv6=("2001:db8:30::11", "fe80::1")
        ),
    ),
    host("pi02", interface("pi02", "eth0", "02:de:10:03:00:02", "iot", "198.51.100.150")),
    host("pi03", interface("pi03", "eth0", "02:de:10:03:00:03", "iot", "198.51.100.13")),
    host("pi04", interface("pi04", "eth0", "02:de:10:03:00:04", "iot", "198.51.100.13")),
    host(
        "provisioner-ph01",
        interface(
            "provisioner-ph01",
            "eth0",
            "02:de:10:04:00:01",
            "management",
            "192.0.2.95",
            pxe_server="192.0.2.95",
            pxe_file="pxelinux.0",
        ),
        interface(
            "provisioner-ph01", "eth1", "02:de:10:04:01:01", None, None, a_record=False, reservation=False
        ),
        services=("artifacts", "pxe"),
    ),
    host(
        "provisioner-vm05",
        interface(
            "provisioner-vm05",
            "eth0",
            "02:de:10:04:00:05",
            "management",
            "192.0.2.90",
            pxe_server="pxe.lab.example.net",
            pxe_file="ipxe.efi",
        ),
    ),
    host(
        "stray-vm01",
        interface("stray-vm01", "eth0", "02:de:10:06:00:07", "management", "198.51.100.77"),
        services=("snake_case",),
    ),
    host(
        "vlans-ph01",
        interface("vlans-ph01", "eth0.30", "02:de:10:04:00:09", "iot", "198.51.100.19"),
        interface(
            "vlans-ph01",
            "eth0.99",
            "02:de:10:04:00:09",
            "management",
            "192.0.2.19",
            primary=True,
            pxe_server="192.0.2.96",
            pxe_file="undionly.kpxe",
        ),
    ),
)

SITE = Snapshot(
    site=SiteFacts("lab", "example.net", name="An example"),
    revision=7,
    authority=AuthorityFacts("gateway", "ada", "2026-01-02T03:04:05Z", "the first"),
    segments=SEGMENTS,
    hosts=HOSTS,
    aliases=(
        AliasFacts("artifacts", "artifacts"),
        AliasFacts("lab", "pxe"),
        AliasFacts("nowhere", "nothing"),
    ),
    serials={"lab.example.net": ZoneSerial(1767323045, "an older content")},
)
