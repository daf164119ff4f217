"""An interface that moves to another segment: another address there, and what its policy allows. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from inventory.acts import drafts, free
from inventory.acts.deriving import eui64_in, misplaced, next_address
from inventory.acts.new_hosts import POLICIES
from inventory.acts.plan import Move, Plan, named_elsewhere
from inventory.allocation.choosing import Refused
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot


def plan(
    snapshot: Snapshot, host: str, interface: str, segment: str, now: datetime, address: str = ""
) -> Plan:
    """What moving an interface to *segment* would do; *address* instead of the lowest free one. Raises LookupError."""
    machine, there = snapshot.host_by_name[host], snapshot.segment_by_name[segment]
    row = next((one for one in machine.interfaces if one.name == interface), None)
    if row is None:
        raise LookupError(interface)
    problems = list(_problems(machine, row, there))
    new = row
    if not problems:
        try:
            new = _moved(snapshot, row, there, address, now)
        except Refused as refusal:
            problems.append(str(refusal))
    draft_host = drafts.with_interfaces(machine, {interface: new})
    draft = drafts.with_hosts(snapshot, {host: draft_host})
    label = snapshot.interface_label(machine, row)
    new_label = draft.interface_label(
        draft_host, next(one for one in draft_host.interfaces if one.name == interface)
    )
    values = [*row.addresses, *([label] if label != new_label else [])]
    own = {(row.subject, column) for column in ("ipv4", "ipv6")}
    places, sealed = named_elsewhere(snapshot, values, own)
    return Plan(
        "Move",
        f"{row.subject} to {segment}",
        snapshot,
        draft,
        moves=tuple(_moves(row, new, label, new_label)),
        follows=(f"DHCP there: {POLICIES[there.policy]}.", *_left(row, new)),
        warnings=tuple(_warnings(row, new, there)),
        problems=tuple(problems),
        places=places,
        sealed=sealed,
    )


def _problems(host: HostFacts, row: InterfaceFacts, there: SegmentFacts) -> Iterator[str]:
    if host.is_retired:
        yield f"{host.name} is retired; reactivate it first."
    if row.segment == there.name:
        yield f"{row.host}/{row.name} lies in {there.name} already."


def _moved(
    snapshot: Snapshot, row: InterfaceFacts, there: SegmentFacts, address: str, now: datetime
) -> InterfaceFacts:
    """The interface in *there*. Raises Refused."""
    ledger = free.ledger(snapshot, now)
    wants_address = bool(row.ipv4 or address) and there.policy != "dynamic"
    if address and not wants_address:
        raise Refused(
            f"Segment {there.name} takes no static mappings (its policy is dynamic); choose another one."
        )
    if address and (problem := misplaced(there, address) or ledger.contest("ip", address, mine=row.host)):
        raise Refused(problem)
    ipv4 = (address or next_address(snapshot, there, ledger)) if wants_address else None
    ipv6 = _ipv6(snapshot, row, there)
    has_address = bool(ipv4 or ipv6)
    return replace(
        row,
        segment=there.name,
        ipv4=ipv4,
        ipv6=ipv6,
        addressing="static" if has_address else "none" if there.policy == "none" else "dhcp",
        reservation=row.reservation and bool(ipv4) and there.policy in ("static", "both"),
        a_record=row.a_record and has_address,
        bootstrap_ipv4=None,
    )


def _ipv6(snapshot: Snapshot, row: InterfaceFacts, there: SegmentFacts) -> tuple[str, ...]:
    """The address that the MAC makes moves along; others of the old network stay behind, the rest is kept."""
    old = snapshot.segment_of(row)
    derived, new = eui64_in(old, row.mac), eui64_in(there, row.mac)
    network = ipaddress.ip_network(old.network6, strict=False) if old and old.network6 else None
    kept = []
    for address in row.ipv6:
        if address == derived:
            kept += [new] if new else []
        elif network is None or ipaddress.ip_address(address) not in network:
            kept.append(address)
    return tuple(dict.fromkeys(kept))


def _moves(row: InterfaceFacts, new: InterfaceFacts, label: str, new_label: str) -> Iterator[Move]:
    if new is row:
        return
    yield Move("Segment", row.segment or "none", new.segment or "none")
    if row.ipv4 != new.ipv4:
        yield Move("Address", row.ipv4 or "none", new.ipv4 or "by DHCP")
    if row.ipv6 != new.ipv6:
        yield Move("IPv6 addresses", ", ".join(row.ipv6), ", ".join(new.ipv6))
    if label != new_label:
        yield Move("Name", label, new_label)
    for what, old, now in (
        ("Address record", row.a_record, new.a_record),
        ("DHCP reservation", row.reservation, new.reservation),
    ):
        if old != now:
            yield Move(what, "yes" if old else "no", "yes" if now else "no")


def _left(row: InterfaceFacts, new: InterfaceFacts) -> Iterator[str]:
    yield f"The MAC stays: {row.mac or 'unknown'}."
    if gone := [address for address in row.addresses if address not in new.addresses]:
        yield f"{', '.join(gone)} go into quarantine until somebody frees them."


def _warnings(row: InterfaceFacts, new: InterfaceFacts, there: SegmentFacts) -> Iterator[str]:
    if row.switch:
        yield f"It is plugged into {row.switch} {row.switch_port}: that port must carry VLAN {there.vlan or 'untagged'}."
    if row.bootstrap_ipv4:
        yield f"Its address in bootstrap mode, {row.bootstrap_ipv4}, is given up; declare one for the new segment."
    if row.pxe_server and row.pxe_server != there.next_server:
        yield f"Its boot server stays {row.pxe_server}; see that it is reached from {there.name}."
    if row.management and new.ipv4 != row.ipv4:
        yield "Ansible comes in here: it is reached under the new address once the host has it."
