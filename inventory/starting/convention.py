"""The segments of the convention, and where they lie in a site's block. Pure.

``10.<site>.<vlan>.0/24``: gateway ``.1``, static addresses ``.2`` to ``.49``, DHCP pool ``.100`` to ``.200``. In a block
that is not a /16 the VLAN id finds no place in the third octet, so the networks follow each other.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from inventory.addressing import Range
from inventory.snapshot import SegmentFacts

Policy = Literal["static", "dynamic", "both", "none"]


class NoRoom(ValueError):
    """The block cannot hold the segments; the message says how many it holds and what to do."""


@dataclass(frozen=True, slots=True)
class Usual:
    """One segment as labs usually have it."""

    name: str
    vlan: int
    policy: Policy
    trust: str
    purpose: str

    @property
    def has_network(self) -> bool:
        return self.policy != "none"


USUAL = (
    Usual("management", 99, "both", "management", "Hypervisors, switches, management machines"),
    Usual("trusted", 10, "both", "trusted", "People's own machines"),
    Usual("storage", 20, "both", "trusted", "Storage, apart from the rest"),
    Usual("platform", 25, "static", "trusted", "Services for the site; static mappings only"),
    Usual("iot", 30, "both", "restricted", "Things that you maintain"),
    Usual("iot_vendor", 31, "both", "untrusted", "Things that phone home"),
    Usual("iot_backend", 35, "static", "restricted", "What things talk to; static mappings only"),
    Usual("guest", 40, "dynamic", "untrusted", "Visitors; no static mappings"),
    Usual("tenant_1", 50, "both", "tenant", "A first tenant; its machines may be destroyed at any time"),
    Usual("blackhole", 999, "none", "", "Where unused switch ports go; no network, never routed"),
)
BY_NAME = {usual.name: usual for usual in USUAL}

#: What is chosen before anybody chooses.
FIRST_CHOICE = ("management", "trusted", "iot", "guest", "blackhole")

_PREFIX = 24
_STATIC = (2, 49)
_POOL = (100, 200)


def segments(block: str, names: Collection[str]) -> tuple[SegmentFacts, ...]:
    """The segments of these *names* with their networks in *block*, by VLAN id. Raises NoRoom."""
    chosen = sorted((BY_NAME[name] for name in names), key=lambda usual: usual.vlan)
    networks = _networks(ipaddress.IPv4Network(block), [usual for usual in chosen if usual.has_network])
    return tuple(_segment(usual, networks.get(usual.name)) for usual in chosen)


def _networks(block: ipaddress.IPv4Network, chosen: list[Usual]) -> dict[str, ipaddress.IPv4Network]:
    if block.prefixlen > _PREFIX:
        raise NoRoom(
            f"{block} is smaller than one /{_PREFIX}; give the site a larger block, such as 10.20.0.0/16."
        )
    if block.prefixlen < 16:
        raise NoRoom(
            f"{block} is more than one site needs; give a /16 of it, such as {next(block.subnets(new_prefix=16))}."
        )
    if block.prefixlen == 16:
        first = int(block.network_address)
        return {u.name: ipaddress.IPv4Network((first + (u.vlan << 8), _PREFIX)) for u in chosen}
    room: Iterator[ipaddress.IPv4Network] = block.subnets(new_prefix=_PREFIX)
    count = 1 << (_PREFIX - block.prefixlen)
    if len(chosen) > count:
        raise NoRoom(
            f"{block} holds {count} networks of /{_PREFIX}, and {len(chosen)} segments need one each; choose fewer, or "
            "give a larger block."
        )
    return {usual.name: network for usual, network in zip(chosen, room, strict=False)}


def _segment(usual: Usual, network: ipaddress.IPv4Network | None) -> SegmentFacts:
    if network is None:
        return SegmentFacts(usual.name, vlan=usual.vlan, policy=usual.policy, trust=usual.trust)
    has_static, has_pool = usual.policy in ("static", "both"), usual.policy in ("dynamic", "both")
    return SegmentFacts(
        usual.name,
        vlan=usual.vlan,
        network4=str(network),
        gateway4=str(network[1]),
        static_range=_range(network, _STATIC) if has_static else None,
        pool=_range(network, _POOL) if has_pool else None,
        policy=usual.policy,
        trust=usual.trust,
    )


def _range(network: ipaddress.IPv4Network, ends: tuple[int, int]) -> Range:
    return Range(str(network[ends[0]]), str(network[ends[1]]))
