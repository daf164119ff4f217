"""Which value is the next one: the lowest that is free. Pure: a function of what is declared and withheld, no counters.

So a site that was restored from its document hands out what the lost machine would have handed out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory import macs
from inventory.addressing import Range
from inventory.numbers import number4
from inventory.snapshot import RoleFacts, SegmentFacts, SiteFacts


class Refused(ValueError):
    """Nothing is handed out; the message names the thing, the rule and the way out."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The values of one kind that nobody gets: held, disputed or in quarantine."""

    values: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def waiting_among(self, count: int) -> str:
        """What to add to “none is free” when some only wait for their quarantine to pass."""
        if not count:
            return ""
        return f" {count} of them {'is' if count == 1 else 'are'} in quarantine; free what is truly gone."


@dataclass(frozen=True, slots=True)
class Seen:
    """What the hypervisors of a site were seen to have: machines, containers and templates of anybody."""

    vmids: frozenset[int] = frozenset()
    #: somebody looked, or told of them; else only what is declared is known
    looked: bool = False
    #: why nothing may be concluded from it, with the way out; then no VMID is handed out
    unknown: str = ""


NOBODY_LOOKED = Seen()


# --- addresses ---


def lowest_address(
    segment: SegmentFacts, segments: Iterable[SegmentFacts], taken: Taken, span: Range | None = None
) -> str:
    """The lowest free IPv4 address of *span*, or else of the segment's static range. Raises Refused.

    Skipped: network and broadcast address; pools and delegated ranges, gateways, DNS and boot servers of all
    *segments*; what is *taken*.
    """
    network = _network(segment)
    span = span or segment.static_range
    if span is None:
        raise Refused(
            f"Segment {segment.name} has no static range; give its first and last static address, or name a range for "
            f"this call: --range {_example(network)}."
        )
    if span.first not in _Within(network) or span.last not in _Within(network):
        raise Refused(f"{span} lies outside {network} of segment {segment.name}.")
    first, last = _number(span.first), _number(span.last)
    if first > last:
        raise Refused(f"The range ends at {span.last}, before it begins at {span.first}.")
    kept = _kept_for_others(segments)
    fixed = {_number(text) for text in _infrastructure(segments)} | set(_edges(network))
    number, reserved = first, 0
    while number <= last:
        block = next((end for start, end in kept if start <= number <= end), None)
        if block is not None:
            reserved += min(block, last) - number + 1
            number = block + 1
        elif number in fixed or (text := str(ipaddress.IPv4Address(number))) in taken:
            number += 1
        else:
            return text
    waiting = sum(first <= _number(text) <= last for text in taken.quarantined if ":" not in text)
    raise Refused(_exhausted(network, span, segment.static_range, reserved) + taken.waiting_among(waiting))


def _exhausted(network: ipaddress.IPv4Network, span: Range, static_range: Range | None, reserved: int) -> str:
    """*reserved* addresses of *span* are other allocators'."""
    size = _number(span.last) - _number(span.first) + 1
    if span != static_range:
        said = f"{span} has no free address; retire a host or name another range."
    elif size >= network.num_addresses - 2:  # there is nothing to widen it into
        said = f"{network} has no free static address; retire a host or choose another segment."
    else:
        said = f"{network} has no free static address; retire a host or widen {_short(span, network)}."
    if reserved:
        said += f" {reserved} of its {size} lie in pools or delegated ranges."
    return said


def _network(segment: SegmentFacts) -> ipaddress.IPv4Network:
    if segment.policy == "dynamic":
        raise Refused(
            f"Segment {segment.name} takes no static mappings (its policy is dynamic); choose another segment, or change "
            "its policy first."
        )
    if not segment.network4 and segment.network6:
        raise Refused(
            f"Segment {segment.name} has no IPv4 network; ask for the IPv6 address alone (--family 6), or choose another "
            "segment."
        )
    if not segment.network4:
        raise Refused(f"Segment {segment.name} has no IPv4 network; declare one, or choose another segment.")
    return ipaddress.IPv4Network(segment.network4, strict=False)


class _Within:
    def __init__(self, network: ipaddress.IPv4Network) -> None:
        self.first, self.last = int(network[0]), int(network[-1])

    def __contains__(self, text: str) -> bool:
        number = number4(text)
        return number is not None and self.first <= number <= self.last


def _number(text: str) -> int:
    number = number4(text)
    if number is None:
        raise Refused(f"“{text}” is not an IPv4 address; write one such as 192.0.2.10.")
    return number


def _edges(network: ipaddress.IPv4Network) -> Iterator[int]:
    if network.prefixlen < 31:  # both ends of a /31 are hosts (RFC 3021)
        yield int(network[0])
        yield int(network[-1])


def _kept_for_others(segments: Iterable[SegmentFacts]) -> list[tuple[int, int]]:
    ranges = [
        span
        for segment in segments
        for span in (*((segment.pool,) if segment.pool else ()), *segment.delegated)
        if ":" not in span.first
    ]
    return [(_number(span.first), _number(span.last)) for span in ranges]


def _infrastructure(segments: Iterable[SegmentFacts]) -> Iterator[str]:
    """Addresses of routers and servers, declared as a host or not."""
    for segment in segments:
        for text in (segment.gateway4, segment.next_server, *segment.dns_servers):
            if text and ":" not in text:
                yield text


def _short(span: Range, network: ipaddress.IPv4Network) -> str:
    if network.prefixlen < 24:
        return str(span)
    return f".{span.first.rpartition('.')[2]}-.{span.last.rpartition('.')[2]}"


def _example(network: ipaddress.IPv4Network) -> str:
    if network.num_addresses < 8:
        return f"{network[0]}-{network[-1]}"
    return f"{network[2]}-{network[min(49, network.num_addresses - 2)]}"


# --- VMIDs ---


def lowest_vmid(
    site: SiteFacts, taken: Taken, seen: Seen = NOBODY_LOOKED, taken_macs: Taken | None = None
) -> int:
    """The lowest VMID of the site's range that is free in the declaration and on every hypervisor. Raises Refused.

    Where VMIDs give MACs, the MAC must be free as well.
    """
    first, last = site.vmid_first, site.vmid_last
    if first is None or last is None:
        raise Refused(
            f"Site {site.slug} has no VMID range; give it a first and a last VMID, such as 200 and 299."
        )
    if seen.unknown:
        raise Refused(f"No VMID is handed out at {site.slug}: {seen.unknown}")
    if site.mac_encoding != "vmid":
        taken_macs = None
    for vmid in range(first, last + 1):
        if str(vmid) in taken or vmid in seen.vmids:
            continue
        if taken_macs is None or macs.vmid_mac(site, vmid) not in taken_macs:
            return vmid
    waiting = sum(first <= int(text) <= last for text in taken.quarantined)
    raise Refused(
        f"Site {site.slug} has no free VMID in {first}-{last}; retire a machine or widen the range."
        + taken.waiting_among(waiting)
    )


# --- MACs ---


def lowest_mac(site: SiteFacts, role: RoleFacts, group: str, taken: Taken) -> str:
    """``02:DD:EE:RR:NN:II`` with the lowest free instance. Raises Refused, or macs.NoMac."""
    for instance in macs.INSTANCES:
        mac = macs.role_mac(site, role, group, instance)
        if mac not in taken:
            return mac
    prefix = macs.role_prefix(site, role, group)
    waiting = sum(mac.startswith(prefix) for mac in taken.quarantined)
    raise Refused(
        f"Role {role.slug} has no free MAC in group {group} ({prefix}01-ff); retire a machine or take another group, "
        f"such as --group {(int(group, 16) + 1) % 256:02x}." + taken.waiting_among(waiting)
    )
