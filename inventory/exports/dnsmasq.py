"""dnsmasq: DHCP and DNS in one ``dnsmasq.conf`` (2.80 and later).

Grammar: dnsmasq(8). The parts of ``dhcp-host`` are told apart by their look, so a host called ``1h`` or
``ignore`` is written with its domain, which dnsmasq takes off again when it equals ``domain=``.

- Every option is sent by tag, and an empty one where nothing is declared: dnsmasq would name itself instead.
- Of the ``host-record`` lines of one address the first makes the PTR, so these come first.
- Of the ``dhcp-boot`` lines that fit a client the last wins, so a subnet's stands before its hosts'.
- The server's own hosts file is not read, and names that undeclared clients give themselves are not served: a
  name is here because the site declares it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inventory import dhcp, dns
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode, header, tokens
from inventory.findings import in_reading_order
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "dnsmasq.conf"

#: Names that ``dhcp-host`` takes for something else: lease times and words of its own.
EATEN = re.compile(r"(?:[0-9]+[smhdw]?|ignore|infinite)\Z")


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    served, names = dhcp.plan(snapshot, authority), dns.plan(snapshot, authority)
    left_out = in_reading_order([*served.left_out, *names.left_out])
    lines = [f"# {line}" for line in header(snapshot, authority, "DHCP and DNS for dnsmasq", left_out)]
    lines += ["", *_dns(names), "", *_dhcp(served)]
    return Document({FILENAME: encode(lines)}, in_reading_order([*served.findings, *names.findings]))


def _dns(plan: dns.DnsPlan) -> Iterator[str]:
    yield "no-hosts"
    yield f"local-ttl={dns.TTL}"
    for zone in plan.zones:
        yield f"local=/{zone.name}/"
    yield from (f"domain={zone.name}" for zone in plan.zones if zone.kind == "site")
    records = [record for zone in plan.zones if zone.kind != "reverse" for record in zone.records]
    addresses = [record for record in records if record.type in ("A", "AAAA")]
    for first in (True, False):
        for record in addresses:
            if (plan.pointers[record.value] == record.name) is first:
                yield f"host-record={record.name},{record.value}"
    yield from (f"cname={record.name},{record.value}" for record in records if record.type == "CNAME")


def _dhcp(plan: dhcp.DhcpPlan) -> Iterator[str]:
    segment_tags = tokens(subnet.segment for subnet in plan.subnets)
    host_tags = tokens(_key(r) for subnet in plan.subnets for r in subnet.reservations)
    if plan.subnets:
        yield "dhcp-authoritative"
        yield "dhcp-ignore-names=tag:!known"
    for subnet in plan.subnets:
        yield ""
        yield from _subnet(subnet, f"net-{segment_tags[subnet.segment]}")
        yield from _hosts(subnet, host_tags)


def _subnet(subnet: dhcp.Subnet, tag: str) -> Iterator[str]:
    netmask, lease = subnet.network.netmask, dhcp.LEASE_SECONDS
    for pool in subnet.pools:
        yield f"dhcp-range=set:{tag},{pool.first},{pool.last},{netmask},{lease}"
    if not subnet.pools:
        yield f"dhcp-range=set:{tag},{subnet.network.network_address},static,{netmask},{lease}"
    yield _option(tag, "router", subnet.gateway or "")
    yield _option(tag, "dns-server", ",".join(subnet.dns_servers))
    if subnet.search:
        yield _option(tag, "domain-search", ",".join(subnet.search))
    if subnet.next_server:
        yield f"dhcp-boot=tag:{tag},,,{subnet.next_server}"


def _option(tag: str, name: str, data: str) -> str:
    return f"dhcp-option=tag:{tag},option:{name}" + (f",{data}" if data else "")


def _hosts(subnet: dhcp.Subnet, tags: dict[tuple[str, ...], str]) -> Iterator[str]:
    for reservation in subnet.reservations:
        boot, tag = reservation.boot, f"host-{tags[_key(reservation)]}"
        parts = [reservation.mac, reservation.address, *_name(reservation, subnet), str(dhcp.LEASE_SECONDS)]
        if boot.file or boot.server_name:
            parts.insert(1, f"set:{tag}")
            address = f",{boot.next_server}" if boot.next_server else ""
            yield f"dhcp-boot=tag:{tag},{boot.file or ''},{boot.server_name or ''}{address}"
        yield f"dhcp-host={','.join(parts)}"


def _name(reservation: dhcp.Reservation, subnet: dhcp.Subnet) -> list[str]:
    name = reservation.hostname
    if name is None:
        return []
    return [f"{name}.{subnet.domain}" if EATEN.match(name) else name]


def _key(reservation: dhcp.Reservation) -> tuple[str, ...]:
    return reservation.host, reservation.interface


EXPORT = Export(
    name="dnsmasq",
    title="dnsmasq",
    purpose="DHCP and DNS in one dnsmasq.conf: what a bootstrap node serves with a single small daemon.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
