"""Another network card in the same machine: a new MAC under the same name and address. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from inventory.acts import drafts, free
from inventory.acts.deriving import eui64_in
from inventory.acts.plan import Move, Plan, named_elsewhere
from inventory.exports.registry import get_export
from inventory.identity import is_locally_administered, mac_problem
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot

UNREAD = "Until the MAC of the new card is typed, no DHCP server serves its reservation and no boot file is its own."
BY_MAC = "{name} has no other address than the one that the MAC makes; say the new MAC, or give it an address first."


def plan(snapshot: Snapshot, host: str, interface: str, mac: str, now: datetime) -> Plan:
    """What the card with *mac* (canonical; empty: not read yet) would change. Raises LookupError for an unknown host."""
    machine = snapshot.host_by_name[host]
    row = next((one for one in machine.interfaces if one.name == interface), None)
    if row is None:
        raise LookupError(interface)
    rows = [one for one in machine.interfaces if one is row or (row.mac and one.mac == row.mac)]
    changed = {one.name: _with(snapshot, one, mac) for one in rows}
    derived = [made for one in rows if (made := _derived(snapshot, one))]
    own = {(one.subject, where) for one in rows for where in ("mac", "ipv6")}
    places, sealed = named_elsewhere(snapshot, [row.mac or "", *derived], own)
    return Plan(
        "Replace the NIC",
        row.subject,
        snapshot,
        drafts.with_hosts(snapshot, {host: drafts.with_interfaces(machine, changed)}),
        moves=tuple(_moves(snapshot, rows, mac)),
        follows=tuple(_follows(snapshot, machine, rows)),
        warnings=tuple(_warnings(rows, mac)),
        problems=tuple(_problems(snapshot, machine, row, mac, now)) + _left_bare(changed.values()),
        places=places,
        sealed=sealed,
    )


def _derived(snapshot: Snapshot, row: InterfaceFacts) -> str:
    """The address that its MAC makes, if it has it."""
    made = eui64_in(snapshot.segment_of(row), row.mac)
    return made if made in row.ipv6 else ""


def _with(snapshot: Snapshot, row: InterfaceFacts, mac: str) -> InterfaceFacts:
    old, new = _derived(snapshot, row), eui64_in(snapshot.segment_of(row), mac)
    followed = (new if address == old else address for address in row.ipv6) if old else row.ipv6
    return replace(row, mac=mac or None, ipv6=tuple(dict.fromkeys(filter(None, followed))))


def _left_bare(rows: Iterable[InterfaceFacts]) -> tuple[str, ...]:
    return tuple(
        BY_MAC.format(name=one.subject) for one in rows if one.addressing == "static" and not one.addresses
    )


def _moves(snapshot: Snapshot, rows: list[InterfaceFacts], mac: str) -> Iterator[Move]:
    for row in rows:
        yield Move(f"MAC of {row.name}", row.mac or "unknown", mac or "unknown")
        if old := _derived(snapshot, row):
            yield Move(f"IPv6 address of {row.name}", old, eui64_in(snapshot.segment_of(row), mac))
        if row.reservation and row.ipv4:
            yield Move(f"Reservation of {row.ipv4} is for", row.mac or "nobody", mac or "nobody")
    mac_now = rows[0].mac
    if mac_now and any(row.pxe_server or row.pxe_file for row in rows):
        dashes = mac_now.replace(":", "-")
        for path in get_export("pxe").render(snapshot, None).files:
            if dashes in path:
                yield Move("Boot file", path, path.replace(dashes, mac.replace(":", "-")) if mac else "")


def _follows(snapshot: Snapshot, host: HostFacts, rows: list[InterfaceFacts]) -> Iterator[str]:
    kept = [snapshot.fqdn(snapshot.interface_label(host, row)) for row in rows if row.a_record]
    addresses = [row.ipv4 for row in rows if row.ipv4]
    if kept or addresses:
        yield f"Name and address stay: {', '.join([*dict.fromkeys(kept), *dict.fromkeys(addresses)])}."
    if len(rows) > 1:
        names = ", ".join(row.name for row in rows[1:])
        yield f"{names} had the same MAC, and get the same new one."
    if rows[0].mac:
        yield f"{rows[0].mac} goes into quarantine until somebody frees it."


def _warnings(rows: list[InterfaceFacts], mac: str) -> Iterator[str]:
    if not mac and any(row.reservation or row.pxe_file for row in rows):
        yield UNREAD
    if mac and is_locally_administered(mac):
        yield f"{mac} is locally administered: no vendor gave it. Look again whether it is the card's own."


def _problems(
    snapshot: Snapshot, host: HostFacts, row: InterfaceFacts, mac: str, now: datetime
) -> Iterator[str]:
    if row.mac_kind == "assigned" and row.mac:
        yield f"{row.mac} was assigned here and belongs to no card; re-identify {row.host}/{row.name} for another one."
    if host.is_retired:
        yield f"{host.name} is retired; reactivate it first."
    if mac == (row.mac or ""):
        yield (
            f"{row.host}/{row.name} has {mac} already."
            if mac
            else "Its MAC is unknown already; type the one you read."
        )
    elif mac and (
        problem := mac_problem(mac) or free.ledger(snapshot, now).contest("mac", mac, mine=host.name)
    ):
        yield problem
