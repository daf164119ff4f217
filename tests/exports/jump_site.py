"""A site with jump hosts, web pages and host keys, by hand. Documentation networks."""

from __future__ import annotations

import base64
from dataclasses import replace

from inventory.local_ports import FIRST
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot


def host_key(number: int) -> str:
    """A public ed25519 key of bytes that mean nothing."""
    kind = b"ssh-ed25519"
    raw = len(kind).to_bytes(4) + kind + (32).to_bytes(4) + number.to_bytes(32)
    return f"{kind.decode()} {base64.b64encode(raw).decode()}"


def host(
    name: str, ipv4: str, segment: str, form: str = "ph", *, switch: str | None = None, **more
) -> HostFacts:
    card = InterfaceFacts(
        name,
        "eth0",
        f"00:00:5e:00:53:{int(ipv4.split('.')[-1]):02x}",
        segment=segment,
        addressing="static",
        ipv4=ipv4,
        a_record=True,
        switch=switch,
    )
    return HostFacts(name, form=form, interfaces=(card,), **more)


def page(name: str, on: str, number: int, port: int | None = None, scheme: str = "https") -> ServiceFacts:
    return ServiceFacts(name, on, port=port, web_scheme=scheme, local_port=FIRST + number)


SEGMENTS = (
    SegmentFacts("iot", vlan=30, network4="198.51.100.0/24", jump_host="jump01"),
    SegmentFacts(
        "management",
        vlan=99,
        network4="192.0.2.0/24",
        jump_host="jump01",
        jump_alternative="jump02",
        wake_relay="jump02",
    ),
    SegmentFacts("open", vlan=10, network4="203.0.113.0/24"),
)
HOSTS = (
    host("cam01", "198.51.100.11", "iot", "em"),
    host(
        "hv01", "192.0.2.21", "management", "hv", switch="sw01", host_keys=host_key(1),
        services=(page("proxmox", "hv01", 0, 8006), ServiceFacts("store", "hv01")),
    ),
    host("jump01", "192.0.2.10", "management", switch="sw01", host_keys=host_key(2)),
    host("jump02", "192.0.2.11", "management"),
    host("sw01", "192.0.2.2", "management", "sw", services=(page("switch", "sw01", 1, None, "http"),)),
    host("wiki01", "203.0.113.20", "open", services=(page("wiki", "wiki01", 2),)),
)  # fmt: skip
SITE = Snapshot(SiteFacts("lab", "example.net"), segments=SEGMENTS, hosts=HOSTS)


def with_host(site: Snapshot, name: str, **facts) -> Snapshot:
    return replace(
        site, hosts=tuple(replace(one, **facts) if one.name == name else one for one in site.hosts)
    )
