"""ISC dhcpd: a whole ``dhcpd.conf`` (4.1 and later).

Grammar: dhcpd.conf(5). The name of a ``host`` is a bare word that must be unique in the file, and host
declarations are global wherever they stand: dhcpd takes the one whose ``fixed-address`` lies in the client's
subnet, so one MAC may have one declaration for each subnet it is in.

dhcpd keeps a lease in memory for every address of every range, from its start on: it refuses sixteen million of
them, and takes minutes over eight. The file offers the first million or so; the rest is left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from inventory import dhcp
from inventory.addressing import Range
from inventory.dhcp.pools import span_of
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode, header, tokens
from inventory.findings import Finding, in_reading_order
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "dhcpd.conf"
#: Addresses of all ranges together: two seconds of dhcpd's start.
MOST_POOL_ADDRESSES = 2**20


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dhcp.plan(snapshot, authority)
    pools, limits = _pools(plan)
    about = header(snapshot, authority, "DHCP for ISC dhcpd", in_reading_order([*plan.left_out, *limits]))
    words = tokens(_key(r) for subnet in plan.subnets for r in subnet.reservations)
    lines = [f"# {line}" for line in about]
    lines += [
        "",
        "authoritative;",
        "ddns-update-style none;",
        f"default-lease-time {dhcp.LEASE_SECONDS};",
        f"max-lease-time {dhcp.LEASE_SECONDS};",
    ]
    for subnet in plan.subnets:
        lines += ["", *_subnet(subnet, pools[subnet.segment])]
        for reservation in subnet.reservations:
            lines += _host(reservation, words[_key(reservation)])
    return Document({FILENAME: encode(lines)}, in_reading_order([*plan.findings, *limits]))


def _pools(plan: dhcp.DhcpPlan) -> tuple[dict[str, list[Range]], list[Finding]]:
    """Segment → the ranges that dhcpd can hold, and what is said of the others."""
    left = MOST_POOL_ADDRESSES
    kept: dict[str, list[Range]] = {}
    limits: list[Finding] = []
    for subnet in plan.subnets:
        kept[subnet.segment] = []
        dropped = 0
        for pool in subnet.pools:
            first, last = span_of(pool)
            taken = min(left, last - first + 1)
            if taken:
                kept[subnet.segment].append(Range(pool.first, str(IPv4Address(first + taken - 1))))
            left -= taken
            dropped += last - first + 1 - taken
        if dropped:
            limits.append(_too_large(subnet, dropped))
    return kept, limits


def _too_large(subnet: dhcp.Subnet, dropped: int) -> Finding:
    return Finding(
        "format-limit",
        "warning",
        f"segment {subnet.segment}",
        f"has {dropped} more pool addresses than dhcpd can hold, which offers {MOST_POOL_ADDRESSES} at most; "
        "the last ones are left out.",
        "Declare a smaller pool, or serve the site with Kea or dnsmasq.",
    )


def _subnet(subnet: dhcp.Subnet, pools: Iterable[Range]) -> Iterator[str]:
    network = subnet.network
    yield f"subnet {network.network_address} netmask {network.netmask} {{"
    if subnet.gateway:
        yield f"  option routers {subnet.gateway};"
    if subnet.dns_servers:
        yield f"  option domain-name-servers {', '.join(subnet.dns_servers)};"
    if subnet.domain:
        yield f'  option domain-name "{subnet.domain}";'
    if subnet.search:
        # One domain a line: a list of long names would outgrow the guard on lines.
        quoted = [f'    "{domain}"' for domain in subnet.search]
        yield "  option domain-search"
        yield from (f"{domain}," for domain in quoted[:-1])
        yield f"{quoted[-1]};"
    if subnet.next_server:
        yield f"  next-server {subnet.next_server};"
    for pool in pools:
        yield f"  range {pool.first} {pool.last};"
    yield "}"


def _host(reservation: dhcp.Reservation, word: str) -> Iterator[str]:
    boot = reservation.boot
    yield f"host {word} {{"
    yield f"  hardware ethernet {reservation.mac};"
    yield f"  fixed-address {reservation.address};"
    if reservation.hostname:
        yield f'  option host-name "{reservation.hostname}";'
    if boot.next_server:
        yield f"  next-server {boot.next_server};"
    if boot.server_name:
        yield f'  option tftp-server-name "{boot.server_name}";'
    if boot.file:
        yield f'  filename "{boot.file}";'
        yield f'  option bootfile-name "{boot.file}";'
    yield "}"


def _key(reservation: dhcp.Reservation) -> tuple[str, ...]:
    return reservation.host, reservation.interface


EXPORT = Export(
    name="isc-dhcp",
    title="ISC dhcpd",
    purpose="A complete dhcpd.conf: subnets, pools, options and reservations.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
