"""The next free value for a field that somebody is about to fill in: a proposal, which the save reserves. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from inventory import macs, naming
from inventory.acts import free
from inventory.acts.deriving import assigned_mac, next_address
from inventory.allocation.choosing import NOBODY_LOOKED, Refused, Seen, lowest_vmid
from inventory.snapshot import Snapshot

What = Literal["name", "vmid", "mac", "ipv4"]


@dataclass(frozen=True)
class Sought:
    """What is sought, and what the form says already."""

    what: What
    role: str = ""
    form: str = ""
    vmid: int | None = None
    #: where an address is to be
    segment: str = ""
    #: NN of the MAC encoding ``role``
    group: str = "00"
    #: kind → values that the same form claims elsewhere
    beside: tuple[tuple[str, Collection[str]], ...] = ()


def propose(snapshot: Snapshot, sought: Sought, now: datetime, seen: Seen = NOBODY_LOOKED) -> str:
    """The lowest free value; a VMID that no hypervisor was *seen* to have. Raises Refused, with a sentence for people."""
    ledger = free.ledger(snapshot, now)
    for kind, values in sought.beside:
        ledger.extra[kind].update(values)
    try:
        return _proposed(snapshot, sought, ledger, seen)
    except (naming.NoName, macs.NoMac) as refusal:
        raise Refused(str(refusal)) from None


def _proposed(snapshot: Snapshot, sought: Sought, ledger: free.Ledger, seen: Seen) -> str:
    if sought.what == "name":
        taken = free.taken_names(snapshot, ledger)
        return naming.next_name(snapshot.site, role=sought.role, form=sought.form, taken=taken)
    if sought.what == "vmid":
        if sought.form not in ("", "vm"):
            raise Refused(f"Only virtual machines (form vm) have a VMID; this has form {sought.form}.")
        return str(lowest_vmid(snapshot.site, ledger.taken("vmid"), seen, ledger.taken("mac")))
    if sought.what == "mac":
        return assigned_mac(snapshot, ledger, sought.role, sought.group, sought.vmid)
    segment = snapshot.segment_by_name.get(sought.segment)
    if segment is None:
        raise Refused("Choose the segment first; the address is the lowest free one of its static range.")
    return next_address(snapshot, segment, ledger)
