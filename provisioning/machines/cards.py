"""Which declared interfaces of a virtual machine are cards of it, and what is missing of them. Pure.

The primary interface is ``net0``; the others are ``net1``, ``net2``… in their declared order. An interface is no card
where it lies upon another one of the host: it has the MAC of an earlier one (a bridge, a bond, a VLAN), or it has none
and is named after another (``eth0.20``). All cards are on the machine's bridge; the segment of each says its VLAN.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


def cards_of(host: HostFacts) -> tuple[InterfaceFacts, ...]:
    """The primary interface first; empty where there is none."""
    first = host.primary
    if first is None:
        return ()
    cards, macs = [first], {first.mac} - {None}
    for interface in host.interfaces:
        if interface is first or interface.mac in macs or _is_vlan_of_another(host, interface):
            continue
        cards.append(interface)
        macs |= {interface.mac} - {None}
    return tuple(cards)


def _is_vlan_of_another(host: HostFacts, interface: InterfaceFacts) -> bool:
    parent = interface.name.rpartition(".")[0]
    return not interface.mac and any(other.name == parent for other in host.interfaces)


def vlans_upon(snapshot: Snapshot, host: HostFacts, card: InterfaceFacts) -> frozenset[int]:
    """Of the interfaces named after *card* (``eth0.20``); a tenant's has none of the management plane."""
    upon = (one for one in host.interfaces if one.name.rpartition(".")[0] == card.name)
    segments = filter(None, map(snapshot.segment_of, upon))
    allowed = (one for one in segments if host.plane != "tenant" or not one.is_management)
    return frozenset(one.vlan for one in allowed if one.vlan is not None)


def missing(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    """Everything that must be declared of the cards first, and cannot be made up."""
    cards = cards_of(host)
    if not cards:
        yield f"{host.name} has no primary interface; give one an address or the flag."
        return
    for card in cards:
        yield from _missing_of(snapshot, card)
        yield from _plane(snapshot, host, card)
    yield from _missing_address(cards[0])
    claims = [(kind, value) for card in cards for kind, value in (("mac", card.mac), ("ip", card.ipv4))]
    for kind, claim in (*claims, ("vmid", str(host.vmid))):
        if claim and snapshot.is_disputed(kind, claim):
            others = ", ".join(snapshot.claimants[kind, claim])
            yield f"{kind.upper()} {claim} is disputed between {others}; settle that first."


def _missing_of(snapshot: Snapshot, card: InterfaceFacts) -> Iterator[str]:
    if not card.mac:
        yield f"{card.host}/{card.name} has no MAC; allocate one on its page: the hypervisor never invents it."
    if snapshot.segment_of(card) is None:
        yield f"{card.host}/{card.name} is in no segment."


def _missing_address(card: InterfaceFacts) -> Iterator[str]:
    if card.addressing == "none":
        yield f"{card.host}/{card.name} gets no address; set its addressing to static or dhcp."
    if card.addressing == "static" and not card.ipv4 and not card.ipv6:
        yield f"{card.host}/{card.name} is static and has no address; allocate one on its page."


def _plane(snapshot: Snapshot, host: HostFacts, card: InterfaceFacts) -> Iterator[str]:
    segment = snapshot.segment_of(card)
    if host.plane == "tenant" and segment is not None and segment.is_management:
        yield (
            f"{host.name} is a tenant's, and {card.host}/{card.name} lies in segment {segment.name} of the management "
            "plane: tenants never get a card there. Put it into a segment of the tenant's."
        )
    elif host.plane == "tenant" and segment is not None and segment.vlan is None and _has_vlans(snapshot):
        yield (
            f"{host.name} is a tenant's, and segment {segment.name} of {card.host}/{card.name} has no VLAN: a card without "
            "a tag carries every VLAN of a bridge that knows VLANs, those of the management plane too. Give the segment "
            "its VLAN."
        )


def _has_vlans(snapshot: Snapshot) -> bool:
    """Whether the site tells its segments apart by VLANs at all."""
    return any(segment.vlan is not None for segment in snapshot.segments)
