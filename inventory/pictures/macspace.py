"""Which role and group holds which instances of the site's assigned MACs, and which VMIDs are whose. Pure.

A MAC is read back by ``inventory.macs``; what is assigned and names nothing here is listed by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from inventory import macs
from inventory.snapshot import RoleFacts, Snapshot

Holding = Literal["disputed", "used", "quarantined", "free", "outside"]
HOLDINGS: tuple[Holding, ...] = ("disputed", "used", "quarantined", "free", "outside")

#: as many VMIDs are drawn at once
PAGE = 1024


@dataclass(frozen=True, slots=True)
class Slot:
    """One instance, or one VMID: who holds it."""

    label: str
    state: Holding
    #: the whole MAC, or the VMID again
    value: str
    hosts: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class GroupUse:
    """The instances 01 to ff of one role and group."""

    code: str
    group: str
    used: int
    quarantined: int
    disputed: int

    @property
    def free(self) -> int:
        return len(macs.INSTANCES) - self.used - self.quarantined - self.disputed


@dataclass(frozen=True, slots=True)
class RoleUse:
    """A role with its code and the groups of which something is held."""

    role: RoleFacts
    groups: tuple[GroupUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Stray:
    """An assigned MAC that names nothing here."""

    mac: str
    host: str
    interface: str
    why: str


@dataclass(frozen=True)
class MacSpace:
    """``refusal`` says why nothing can be read back; the rest is empty then, but for the roles."""

    refusal: str = ""
    prefix: str = ""
    roles: tuple[RoleUse, ...] = ()
    without_code: tuple[RoleFacts, ...] = ()
    strays: tuple[Stray, ...] = ()
    #: (code, group) → instance → slot; what is held
    held: dict[tuple[str, str], dict[int, Slot]] = field(default_factory=dict)


@dataclass(frozen=True)
class VmidSpace:
    """``first`` is None where the site declares no range. ``held`` by VMID, outside of the range as well."""

    first: int | None = None
    last: int | None = None
    held: dict[int, Slot] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.last - self.first + 1 if self.first is not None and self.last is not None else 0

    @property
    def outside(self) -> tuple[Slot, ...]:
        return tuple(slot for number, slot in sorted(self.held.items()) if not self.has(number))

    def has(self, number: int) -> bool:
        return self.first is not None and self.last is not None and self.first <= number <= self.last

    def count(self, state: Holding) -> int:
        if state == "outside":
            return len(self.outside)
        if state == "free":
            return self.size - sum(self.has(number) for number in self.held)
        return sum(slot.state == state for number, slot in self.held.items() if self.has(number))

    def page(self, start: int | None) -> tuple[Slot, ...]:
        """The VMIDs of the range from *start*, as many as are drawn at once."""
        if self.first is None or self.last is None:
            return ()
        start = self.first if start is None or not self.has(start) else start
        free = range(start, min(start + PAGE - 1, self.last) + 1)
        return tuple(self.held.get(number) or Slot(str(number), "free", str(number)) for number in free)


def mac_space(snapshot: Snapshot) -> MacSpace:
    """Computed once for each Snapshot."""
    return snapshot.once(_mac_space)


def vmid_space(snapshot: Snapshot) -> VmidSpace:
    """Computed once for each Snapshot."""
    return snapshot.once(_vmid_space)


def instances(space: MacSpace, code: str, group: str) -> tuple[Slot, ...]:
    """The 255 instances of one role and group."""
    held = space.held.get((code, group), {})
    return tuple(
        held.get(number) or Slot(f"{number:02x}", "free", f"{space.prefix}{code}:{group}:{number:02x}")
        for number in macs.INSTANCES
    )


# --- MACs ---


def _mac_space(snapshot: Snapshot) -> MacSpace:
    coded = sorted((role for role in snapshot.roles if role.code), key=lambda role: (role.code, role.slug))
    without = tuple(role for role in snapshot.roles if not role.code)
    try:
        prefix = macs.prefix(snapshot.site)
    except macs.NoMac as refusal:
        return MacSpace(str(refusal), "", tuple(RoleUse(role) for role in coded), without)
    held: dict[tuple[str, str], dict[int, Slot]] = {}
    if snapshot.site.mac_encoding == "role":
        for slot in _slots(snapshot, "mac", _holders_of_macs(snapshot)):
            meaning = macs.read_mac(snapshot, slot.value) if slot.value.startswith(prefix) else None
            if meaning is not None:
                held.setdefault((meaning.code, meaning.group), {})[int(meaning.instance, 16)] = slot
    uses = tuple(RoleUse(role, _groups(held, role.code)) for role in coded)
    return MacSpace("", prefix, uses, without, tuple(_strays(snapshot, prefix)), held)


def _groups(held: dict[tuple[str, str], dict[int, Slot]], code: str) -> tuple[GroupUse, ...]:
    return tuple(
        GroupUse(code, group, *(_number(slots, state) for state in ("used", "quarantined", "disputed")))
        for (of, group), slots in sorted(held.items())
        if of == code
    )


def _number(slots: dict[int, Slot], state: str) -> int:
    return sum(slot.state == state for slot in slots.values())


def _holders_of_macs(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for interface in snapshot.live_interfaces:
        if interface.mac:
            yield interface.mac, interface.host


def _strays(snapshot: Snapshot, prefix: str) -> Iterator[Stray]:
    """Assigned MACs of another beginning, of an unknown code, or of no instance."""
    codes = {role.code for role in snapshot.roles if role.code}
    by_role = snapshot.site.mac_encoding == "role"
    for interface in snapshot.live_interfaces:
        mac = interface.mac
        if not mac or (interface.mac_kind != "assigned" and not mac.startswith(prefix)):
            continue
        if not mac.startswith(prefix):
            why = f"does not begin with {prefix.rstrip(':')}, as the MACs of this site do"
        elif not by_role or (mac[9:11] in codes and mac[15:] != "00"):
            continue
        elif mac[9:11] not in codes:
            why = f"names role code {mac[9:11]}, which no role has"
        else:
            why = "names instance 00, which is none"
        yield Stray(mac, interface.host, interface.name, why)


# --- VMIDs ---


def _vmid_space(snapshot: Snapshot) -> VmidSpace:
    holders = ((str(host.vmid), host.name) for host in snapshot.live_hosts if host.vmid is not None)
    held = {int(slot.value): slot for slot in _slots(snapshot, "vmid", holders)}
    first, last = snapshot.site.vmid_first, snapshot.site.vmid_last
    return VmidSpace(first, last, held) if first and last else VmidSpace(held=held)


# --- both ---


def _slots(snapshot: Snapshot, kind: str, holders: Iterator[tuple[str, str]]) -> Iterator[Slot]:
    """What somebody holds, or what the ledger withholds, of *kind*; each value once."""
    by_value: dict[str, dict[str, None]] = {}
    for value, host in holders:
        by_value.setdefault(value, {})[host] = None
    withheld = {one.value: one for one in snapshot.identities if one.kind == kind}
    for value in sorted(by_value.keys() | withheld.keys()):
        hosts = tuple(by_value.get(value, ()))
        ledger = withheld.get(value)
        state: Holding = "used" if hosts else "quarantined"
        if len(hosts) > 1 or (ledger is not None and ledger.state == "disputed"):
            state = "disputed"
        if ledger is not None:
            hosts = hosts or (ledger.host,)
        label = value if kind == "vmid" else value[15:]
        yield Slot(label, state, value, hosts, ledger.since if ledger else "", ledger.until if ledger else "")
