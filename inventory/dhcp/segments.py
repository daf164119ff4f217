"""What of a segment's own declaration no DHCP server can serve. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inventory.dhcp.pools import span_of
from inventory.dhcp.reasons import Ground, Grounds, is_ipv4, is_machine
from inventory.dns.names import dns_name
from inventory.findings import Finding
from inventory.identity import is_ip_address
from inventory.snapshot import SegmentFacts

#: An option holds 255 octets (RFC 2132, section 2): 63 addresses. dnsmasq's lines hold fewer of the longest ones.
MOST_DNS_SERVERS = 50
MOST_SEARCH_OCTETS = 255


def overlap_findings(grounds: Grounds) -> Iterator[Finding]:
    for name, others in sorted(grounds.overlaps.items()):
        yield Finding(
            "segment-overlap",
            "error",
            f"segment {name}",
            f"overlaps {' and '.join(others)}: a server could not tell whose client is asking, so DHCP is "
            "rendered for none of them.",
            "Correct the networks, or set the policy of the one that is only a summary to none.",
        )


def segment_findings(ground: Ground) -> Iterator[Finding]:
    """What of *ground* is left out of its subnet."""
    segment, subject = ground.segment, f"segment {ground.segment.name}"
    if segment.gateway4 and not ground.holds(segment.gateway4):
        yield Finding(
            "gateway-outside-segment",
            "error",
            subject,
            f"has the gateway {segment.gateway4} outside {ground.network}; no router is handed out.",
            "Correct the gateway or the network.",
        )
    yield from _pool_findings(ground, subject)
    unusable = [server for server in segment.dns_servers if not is_ip_address(server)]
    if unusable:
        yield Finding(
            "dns-server-unusable",
            "warning",
            subject,
            f"has {len(unusable)} DNS server(s) that are not IP addresses; they are not handed out.",
            "Write DNS servers as addresses.",
        )
    if len(_ipv4_servers(segment)) > MOST_DNS_SERVERS:
        yield Finding(
            "dns-server-unusable",
            "warning",
            subject,
            f"has {len(_ipv4_servers(segment))} DNS servers; clients are told the first {MOST_DNS_SERVERS}.",
            "Declare the few that clients shall ask; most ask three at best.",
        )
    if any(not dns_name(domain) for domain in segment.search_domains):
        yield Finding(
            "search-domain-unusable",
            "warning",
            subject,
            "has search domains that are no DNS names; they are not handed out.",
            "Write search domains in letters, digits, hyphens and dots.",
        )
    if search_domains_of(segment) != _search_names(segment):
        yield Finding(
            "search-domain-unusable",
            "warning",
            subject,
            f"has more search domains than the {MOST_SEARCH_OCTETS} octets of a DHCP option hold; the last ones "
            "are not handed out.",
            "Declare fewer, or shorter ones.",
        )
    if segment.next_server and not is_machine(segment.next_server):
        yield Finding(
            "pxe-unusable",
            "warning",
            subject,
            "has a next-server that is not the IPv4 address of a machine; it is not handed out.",
            "Write the boot server as an IPv4 address.",
        )


def _pool_findings(ground: Ground, subject: str) -> Iterator[Finding]:
    segment = ground.segment
    if segment.pool is None:
        if segment.policy == "dynamic":
            yield Finding(
                "pool-missing",
                "warning",
                subject,
                "hands out addresses from a pool only, and has none: nobody gets an address here.",
                "Give it a pool, or let it take static mappings.",
            )
    elif not is_servable(ground):
        yield Finding(
            "pool-outside-segment",
            "error",
            subject,
            f"has the pool {segment.pool}, which is no range of hosts in {ground.network}; it is not served.",
            "Correct the pool or the network.",
        )
    elif segment.policy == "static":
        yield Finding(
            "pool-not-served",
            "info",
            subject,
            f"has the pool {segment.pool} and takes static mappings only; the pool is not served.",
            "Set the policy to both if strangers shall get an address here.",
        )


def is_servable(ground: Ground) -> bool:
    """True when the segment's pool is a range of usable hosts of its own IPv4 network."""
    pool = ground.segment.pool
    if pool is None or not (is_ipv4(pool.first) and is_ipv4(pool.last)):
        return False
    ends = (pool.first, pool.last)
    first, last = span_of(pool)
    return first <= last and all(ground.holds(end) and ground.is_usable(end) for end in ends)


def dns_servers_of(segment: SegmentFacts) -> tuple[str, ...]:
    """The segment's own IPv4 DNS servers, in declared order, as many as every server can hand out."""
    return _ipv4_servers(segment)[:MOST_DNS_SERVERS]


def _ipv4_servers(segment: SegmentFacts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(server for server in segment.dns_servers if is_ipv4(server)))


def search_domains_of(segment: SegmentFacts) -> tuple[str, ...]:
    """The segment's search list in declared order, as far as one option holds it (RFC 3397)."""
    return tuple(_fitting(_search_names(segment)))


def _search_names(segment: SegmentFacts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(dns_name, segment.search_domains))))


def _fitting(names: Iterable[str]) -> Iterator[str]:
    octets = 0
    for name in names:
        octets += len(name) + 2  # a length before each label, and the root's
        if octets > MOST_SEARCH_OCTETS:
            return
        yield name
