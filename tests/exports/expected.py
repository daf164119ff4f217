"""What a Snapshot declares for DHCP and DNS, worked out plainly from the rules that people know.

No plan and no exporter is asked: slow, and short enough to be read.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from itertools import pairwise

from inventory.identity import dns_name
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot


def zone_of(site: Snapshot) -> str | None:
    zone = dns_name(site.site.zone)
    if not zone or len(zone) > 242 or f".{zone}".endswith((".in-addr.arpa", ".ip6.arpa")):
        return None
    return zone


def served_segments(site: Snapshot) -> list[SegmentFacts]:
    """With an IPv4 network, a policy, and no network that overlaps."""
    candidates = [s for s in site.segments if s.network4 and s.policy != "none"]
    return [
        s
        for s in candidates
        if not any(
            ipaddress.ip_network(s.network4).overlaps(ipaddress.ip_network(other.network4))
            for other in candidates
            if other is not s
        )
    ]


def claims(site: Snapshot) -> dict[tuple[str, str], set[str]]:
    """(kind, value) → hosts. Names as DNS compares them, below the zone."""
    found = defaultdict(set)
    for host in live(site):
        for kind, value in _claims_of(site, host):
            found[kind, value].add(host.name)
    return found


def _claims_of(site: Snapshot, host: HostFacts):
    yield "name", name_of(site, host.name, host=True)
    for interface in host.interfaces:
        yield "mac", interface.mac
        yield from (("ip", address) for address in interface.addresses)
        if interface.a_record:
            yield "name", interface_name(site, host, interface)
    yield from (("name", name_of(site, service.label)) for service in host.services)


def live(site: Snapshot) -> list[HostFacts]:
    return [host for host in site.hosts if host.status != "retired"]


def name_of(site: Snapshot, text: str, host: bool = False) -> str | None:
    """The absolute name of *text*; a host's dotted name counts only inside the zone."""
    zone, name = zone_of(site), dns_name(text)
    if not zone or not name:
        return None
    if name.endswith(f".{zone}"):
        return name if len(name) <= 253 else None
    if host and "." in text:
        return None
    return f"{name}.{zone}" if len(name) + 1 + len(zone) <= 253 else None


def interface_name(site: Snapshot, host: HostFacts, interface: InterfaceFacts) -> str | None:
    own = name_of(site, host.name, host=True)
    if own is None or interface is host.primary:
        return own
    label = own.removesuffix(f".{zone_of(site)}")
    return name_of(site, label + site.interface_label(host, interface)[len(host.name) :])


def wanted_reservations(site: Snapshot) -> dict[str, dict[tuple[str, str], list[InterfaceFacts]]]:
    """Network → (MAC, address) → the interfaces that may be served with it."""
    claimed = claims(site)
    wanted: dict[str, dict[tuple[str, str], list[InterfaceFacts]]] = {}
    for segment in served_segments(site):
        rows = wanted[segment.network4] = defaultdict(list)
        if segment.policy == "dynamic":
            continue
        for host in live(site):
            for interface in host.interfaces:
                if interface.segment == segment.name and _may_be_reserved(interface, segment, claimed):
                    rows[interface.mac, interface.ipv4].append(interface)
    return wanted


def _may_be_reserved(interface: InterfaceFacts, segment: SegmentFacts, claimed) -> bool:
    if not (interface.reservation and interface.addressing == "static" and interface.mac and interface.ipv4):
        return False
    if len(claimed["mac", interface.mac]) > 1 or len(claimed["ip", interface.ipv4]) > 1:
        return False
    first = int(interface.mac[:2], 16)
    network, address = ipaddress.ip_network(segment.network4), ipaddress.ip_address(interface.ipv4)
    ends = {network[0], network[-1]} if network.prefixlen < 31 else set()
    return (
        not first & 1 and interface.mac != "00:00:00:00:00:00" and address in network and address not in ends
    )


def taken_addresses(site: Snapshot) -> set[str]:
    """What no pool may hand out."""
    taken = {address for host in live(site) for i in host.interfaces for address in i.addresses}
    taken |= {identity.value for identity in site.identities if identity.kind == "ip"}
    for segment in site.segments:
        taken |= {segment.gateway4, segment.next_server, *segment.dns_servers}
        taken |= {address for span in segment.delegated for address in (span.first, span.last)}
    return {str(address) for address in taken if address}


def address_records(site: Snapshot) -> set[tuple[str, str, str]]:
    claimed = claims(site)
    records = set()
    for host in live(site):
        for interface in host.interfaces:
            name = interface_name(site, host, interface)
            if not interface.a_record or name is None or len(claimed["name", name]) > 1:
                continue
            for address in interface.addresses:
                parsed = ipaddress.ip_address(address)
                if len(claimed["ip", address]) == 1 and not parsed.is_link_local:
                    records.add((name, "A" if parsed.version == 4 else "AAAA", address))
    return records


def cname_records(site: Snapshot) -> set[tuple[str, str, str]]:
    claimed, owners = claims(site), {name for name, _, _ in address_records(site)}
    records = set()
    for host in live(site):
        target = name_of(site, host.name, host=True)
        for service in host.services:
            name = name_of(site, service.label)
            alone = name and len(claimed["name", name]) == 1 and name not in owners
            if alone and target in owners and name != target:
                records.add((name, "CNAME", target))
    return records


def pools_are_in_order(pools: list[tuple[str, str]]) -> bool:
    ends = [int(ipaddress.ip_address(end)) for pool in pools for end in pool]
    return all(low <= high for low, high in pairwise(ends)) and len(set(pools)) == len(pools)
