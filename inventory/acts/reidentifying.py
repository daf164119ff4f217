"""Another assigned MAC, as an act like the others: what ``allocation.reidentifying`` would give, and the site with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inventory import reading
from inventory.acts import drafts
from inventory.acts.plan import Changed, Move, Plan
from inventory.acts.writing import SAY_WHY, Order
from inventory.allocation import reidentifying, seeing
from inventory.allocation.choosing import Refused
from inventory.models import Interface
from inventory.snapshot import HostFacts, Snapshot

NOT_SURVEYED = (
    "Nobody asked the hypervisors: see that no machine there has VMID {vmid} already. In a shell, manage.py reidentify "
    "takes the list of those that exist (--surveyed)."
)


def plan(interface: Interface) -> Plan:
    """What re-identifying would do now; what stands in the way is among the problems."""
    snapshot = reading.load(interface.host.site.slug)
    subject = f"interface {interface}"
    try:
        found = reidentifying.plan(interface)
    except Refused as refusal:
        return Plan("Re-identify", subject, snapshot, snapshot, problems=(str(refusal),))
    return Plan(
        "Re-identify",
        subject,
        snapshot,
        _draft(snapshot, interface, found.moves),
        moves=tuple(Move(move.what, move.old, move.new) for move in found.moves),
        follows=(
            "Name and address stay.",
            f"{found.moves[0].old} goes into quarantine until somebody frees it.",
        ),
        warnings=_warnings(interface, found.moves),
        places=found.places,
        sealed=found.sealed,
    )


def reidentify(interface: Interface, order: Order) -> Plan:
    """Give the next MAC. Raises as the acts do: Changed when another one would be given than was shown."""
    if not order.why.strip():
        raise Refused(SAY_WHY)
    now = plan(interface)
    if order.expected and now.fingerprint != order.expected:
        raise Changed(now)
    now.refuse()
    reidentifying.reidentify(
        interface, by=order.by, why=order.why, source=order.source, expected=now.moves[0].new
    )
    return now


def _warnings(interface: Interface, moves: tuple[reidentifying.Move, ...]) -> tuple[str, ...]:
    vmids = [move.new for move in moves if move.what == "VMID"]
    if not vmids or seeing.seen(interface.host.site.slug).looked:
        return ()
    return tuple(NOT_SURVEYED.format(vmid=vmid) for vmid in vmids)


def _draft(snapshot: Snapshot, interface: Interface, moves: tuple[reidentifying.Move, ...]) -> Snapshot:
    host = snapshot.host_by_name[interface.host.name]
    return drafts.with_hosts(snapshot, {host.name: _with(host, moves)})


def _with(host: HostFacts, moves: tuple[reidentifying.Move, ...]) -> HostFacts:
    old, new = moves[0].old, moves[0].new
    vmid = next((int(move.new) for move in moves if move.what == "VMID"), host.vmid)
    addresses = dict(_addresses(moves))
    interfaces = tuple(
        replace(one, mac=new, mac_kind="assigned", ipv6=tuple(addresses.get(a, a) for a in one.ipv6))
        if one.mac == old
        else one
        for one in host.interfaces
    )
    return replace(host, vmid=vmid, interfaces=interfaces)


def _addresses(moves: tuple[reidentifying.Move, ...]) -> Iterator[tuple[str, str]]:
    for move in moves:
        if move.what.startswith("IPv6"):
            yield move.old, move.new
