"""Another MAC for an interface whose MAC was assigned: an act of its own, with a reason.

An assigned MAC is what leases, boot files, routers and firewalls know a machine by, so it is never edited. The plan shows
what changes and everything that names the old values; nothing of that text is rewritten here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from inventory import macs, naming, reading
from inventory.allocation import facts, giving, seeing
from inventory.allocation.choosing import Refused
from inventory.allocation.patience import patiently
from inventory.changes import change
from inventory.identity import eui64_address
from inventory.models import Host, Interface, Site
from inventory.references import Place, naming_any


@dataclass(frozen=True, slots=True)
class Move:
    """One value that gives way to another."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what} {self.old} → {self.new}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What re-identifying would do now, and what it would leave behind."""

    subject: str
    moves: tuple[Move, ...]
    #: declared or opaque text that names an old value, and is to be looked at
    places: tuple[Place, ...]
    #: where nobody can look
    sealed: tuple[Place, ...]

    @property
    def new_mac(self) -> str:
        return self.moves[0].new


def plan(interface: Interface, *, surveyed: Collection[int] | None = None) -> Plan:
    """What ``reidentify`` would give now; nothing is written. Raises Refused."""
    moves = _moves(interface, surveyed)
    snapshot = reading.load(interface.host.site.slug)
    own = {f"interface {row}" for row in _sharing(interface)}
    found = naming_any(snapshot, [move.old for move in moves])
    mine = {(subject, where) for subject in own for where in ("mac", "ipv6")} | {
        (f"host {interface.host}", "vmid")
    }
    places = [
        place
        for place in found
        if not place.sealed and (place.subject, place.where.split(".")[0]) not in mine
    ]
    return Plan(f"interface {interface}", moves, tuple(places), tuple(p for p in found if p.sealed))


def reidentify(
    interface: Interface,
    *,
    by: Any,
    why: str,
    source: str = "allocation",
    surveyed: Collection[int] | None = None,
    expected: str = "",
) -> tuple[Move, ...]:
    """Give *interface* the next MAC, in one change; return what gave way to what.

    The old MAC goes into quarantine. EUI-64 addresses follow, and so do the host's other interfaces with the same MAC
    (bridges, VLANs, bonds). In the encoding vmid the machine gets the next VMID, which the MAC is made of.
    *expected* is the MAC that was shown: if another one would be given now, Refused is raised. So it is without *why*.
    """
    if not why.strip():
        raise Refused("Say why; a new identity is asked about later.")

    def act() -> tuple[Move, ...]:
        with change(interface.host.site, by=by, why=why, source=source) as the_change:
            row = Interface.objects.select_related("host__site", "host__role", "segment").get(pk=interface.pk)
            moves = _moves(row, surveyed)
            if expected and moves[0].new != expected:
                raise Refused(
                    f"{expected} was shown, and meanwhile the next MAC is {moves[0].new}; look again."
                )
            rows = _sharing(row)
            the_change.reidentified |= {one.pk for one in rows}
            _write(row.host, rows, moves)
        return moves

    return patiently(act)


def _write(host: Host, rows: list[Interface], moves: tuple[Move, ...]) -> None:
    vmid = next((int(move.new) for move in moves if move.what == "VMID"), None)
    if vmid is not None:
        host.vmid = vmid
        host.save()
    for one in rows:
        one.mac, one.mac_kind = moves[0].new, Interface.MacKind.ASSIGNED
        one.save()


def _moves(interface: Interface, surveyed: Collection[int] | None) -> tuple[Move, ...]:
    if interface.mac_kind != Interface.MacKind.ASSIGNED or not interface.mac:
        raise Refused(
            f"{interface} has no assigned MAC; an observed one is edited when the hardware changes, and a missing one is "
            "allocated."
        )
    if interface.host.status == Host.Status.RETIRED:
        raise Refused(f"{interface.host} is retired; reactivate it first.")
    try:
        new, vmid = _next(interface, surveyed)
    except (macs.NoMac, naming.NoName) as refusal:
        raise Refused(str(refusal)) from refusal
    moves = [Move("MAC", interface.mac, new)]
    if vmid is not None:
        moves.append(Move("VMID", str(interface.host.vmid), str(vmid)))
    for row in _sharing(interface):
        for old, address in _derived(row, interface.mac, new):
            moves.append(Move(f"IPv6 address of {row}", old, address))
    return tuple(moves)


def _next(interface: Interface, surveyed: Collection[int] | None) -> tuple[str, int | None]:
    """The next MAC, and the VMID that it is made of when the machine gets another one."""
    site: Site = interface.host.site
    of_site = facts.of_site(site)
    if of_site.mac_encoding == "vmid":
        if interface.host.vmid and macs.vmid_mac(of_site, interface.host.vmid) != interface.mac:
            return macs.vmid_mac(of_site, interface.host.vmid), None  # its VMID has changed already
        vmid = giving.next_vmid(site, seeing.seen(site.slug, surveyed))
        return macs.vmid_mac(of_site, vmid), vmid
    meaning = macs.read_mac(reading.load(site.slug), interface.mac or "")
    return giving.next_mac(interface, meaning.group if meaning else "00"), None


def _sharing(interface: Interface) -> list[Interface]:
    """The interface, and those of its host with the same MAC: together they are one machine on the wire."""
    rows = interface.host.interfaces.filter(mac=interface.mac).select_related("segment")
    found = list(rows.order_by("position", "name"))
    for row in found:
        row.host = interface.host
    return found


def _derived(interface: Interface, old_mac: str, new_mac: str) -> list[tuple[str, str]]:
    """(old, new) of the address that the MAC gives in the segment's /64, if the interface has it."""
    network = interface.segment.network6 if interface.segment else None
    if not network or ipaddress.IPv6Network(network).prefixlen != 64:
        return []
    old, new = (str(eui64_address(mac, ipaddress.IPv6Network(network))) for mac in (old_mac, new_mac))
    return [(old, new)] if old in (interface.ipv6 or []) else []
