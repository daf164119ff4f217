"""A new host from the few things that cannot be derived. Pure: what was asked, and what would be made of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from inventory import macs, specs
from inventory.acts import drafts, free
from inventory.acts.deriving import (
    assigned_mac,
    boot_defaults,
    machine_defaults,
    misplaced,
    named,
    next_address,
)
from inventory.acts.plan import Plan
from inventory.allocation.choosing import NOBODY_LOOKED, Refused, Seen, lowest_vmid
from inventory.identity import mac_problem
from inventory.snapshot import HostFacts, InterfaceFacts, MachineFacts, SegmentFacts, Snapshot

MacKind = Literal["observed", "assigned"]

#: What DHCP does for a host on a segment of each policy.
POLICIES = {
    "static": "reservations only: without one, DHCP gives this host nothing",
    "both": "reservations and a pool: without one, DHCP gives this host an address of the pool",
    "dynamic": "a pool only: the host takes whatever DHCP gives, and gets no address here",
    "none": "no DHCP: the address must be set on the host itself",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person says; what is empty or None is derived."""

    form: str
    role: str = ""
    hypervisor: str = ""
    segment: str = ""
    plane: str = "management"
    groups: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    interface: str = "eth0"
    #: canonical; of bare metal empty means “read later”
    mac: str = ""
    pxe: bool = False
    pxe_server: str = ""
    pxe_file: str = ""
    name: str = ""
    vmid: int | None = None
    address: str = ""
    #: NN of the MAC encoding ``role``
    group: str = "00"
    a_record: bool = True
    reservation: bool = True
    #: make it without what cannot be handed out
    without: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One fact of the new host: what it is, and where it comes from."""

    what: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it cannot be made so. ``field`` is the one to change; what *may_be_left_out* is no problem without it."""

    field: str
    text: str
    may_be_left_out: bool = False


@dataclass(frozen=True)
class NewHost(Plan):
    host: HostFacts = field(default_factory=lambda: HostFacts(""))
    groups: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    #: (host, label) of services that move to it
    services: tuple[tuple[str, str], ...] = ()
    values: tuple[Value, ...] = ()
    faults: tuple[Problem, ...] = ()

    #: something cannot be handed out, and the host may be made without it
    may_be_left_out: bool = False

    @property
    def handed_out(self) -> tuple[str, ...]:
        """What somebody else may take meanwhile."""
        own = [value for one in self.host.interfaces for value in (one.mac or "", one.ipv4 or "")]
        return (self.host.name, str(self.host.vmid or ""), *own)


def plan(snapshot: Snapshot, asked: Asked, now: datetime, seen: Seen = NOBODY_LOOKED) -> NewHost:
    """The host that *asked* makes of the site as it is. Never raises for what people say: ``faults`` tells it.

    *seen*: what the site's hypervisors have, so that no machine there has the new host's VMID.
    """
    return _Maker(snapshot, asked, now, seen).plan()


class _Maker:
    def __init__(self, snapshot: Snapshot, asked: Asked, now: datetime, seen: Seen) -> None:
        self.snapshot, self.asked, self.seen = snapshot, asked, seen
        self.ledger = free.ledger(snapshot, now)
        self.segment = snapshot.segment_by_name.get(asked.segment)
        self.values: list[Value] = []
        self.faults: list[Problem] = []
        self.warnings: list[str] = []
        self.lacks = False

    def plan(self) -> NewHost:
        host = HostFacts(
            name=self._name(),
            form=self.asked.form,
            role=self.asked.role,
            status="provisioning",
            plane=self.asked.plane,
            hypervisor=self._hypervisor(),
            vmid=self._vmid(),
            machine=self._machine(),
        )
        host = replace(host, interfaces=self._interfaces(host))
        asked, draft = self.asked, self.snapshot
        if host.name:
            draft = drafts.with_hosts(draft, {host.name: host})
            draft = drafts.with_member(draft, host.name, asked.groups, asked.profiles)
        return NewHost(
            "New host",
            f"host {host.name}",
            self.snapshot,
            draft,
            warnings=tuple(self.warnings),
            problems=tuple(one.text for one in self.faults),
            host=host,
            groups=asked.groups,
            profiles=asked.profiles,
            values=tuple(self.values),
            faults=tuple(self.faults),
            may_be_left_out=self.lacks,
        )

    def _say(self, what: str, value: str, why: str) -> None:
        self.values.append(Value(what, value, why))

    def _fault(self, field: str, text: str, *, may_be_left_out: bool = False) -> None:
        self.lacks |= may_be_left_out
        if may_be_left_out and self.asked.without:
            self.warnings.append(text)
        else:
            self.faults.append(Problem(field, text, may_be_left_out))

    # --- the host ---

    def _name(self) -> str:
        snapshot, asked = self.snapshot, self.asked
        try:
            name, why = named(snapshot, asked.name, asked.role, asked.form, self._names())
        except Refused as refusal:
            self._fault("name", str(refusal))
            return ""
        self._say("Name", name, why)
        self._say("FQDN", snapshot.fqdn(name), "the name below the site's zone")
        if problem := self.ledger.contest("name", name):
            self._fault("name", problem)
        elif name in snapshot.host_by_name:
            self._fault("name", f"The site has a host {name}; a retired host keeps its name.")
        return name

    def _names(self) -> Collection[str]:
        return free.taken_names(self.snapshot, self.ledger)

    def _hypervisor(self) -> str:
        if self.asked.form != "vm":
            return ""
        if not self.asked.hypervisor:
            self.warnings.append("No hypervisor is named; nobody will know where the machine runs.")
            return ""
        self._say("Hypervisor", self.asked.hypervisor, "carries it; it falls when that falls")
        return self.asked.hypervisor

    def _vmid(self) -> int | None:
        asked, site = self.asked, self.snapshot.site
        if asked.form != "vm":
            return None
        if asked.vmid is not None:
            self._say("VMID", str(asked.vmid), "as you say")
            if problem := self.ledger.contest("vmid", str(asked.vmid)):
                self._fault("vmid", problem)
            elif asked.vmid in self.seen.vmids:
                self.warnings.append(
                    f"A hypervisor has a guest with VMID {asked.vmid} already; right only if that is this machine."
                )
            return asked.vmid
        try:
            vmid = lowest_vmid(site, self.ledger.taken("vmid"), self.seen, self.ledger.taken("mac"))
        except (Refused, macs.NoMac) as refusal:
            self._fault("vmid", str(refusal), may_be_left_out=True)
            return None
        self._say("VMID", str(vmid), f"the lowest free one of {site.vmid_first}-{site.vmid_last}")
        return vmid

    def _machine(self) -> MachineFacts | None:
        if self.asked.form != "vm":
            return None
        machine, example = machine_defaults(self.snapshot, self.asked.hypervisor, pxe=self.asked.pxe)
        self._say("Machine", specs.said(machine), example or "change it on its page before it is made")
        return machine

    # --- its interface ---

    def _interfaces(self, host: HostFacts) -> tuple[InterfaceFacts, ...]:
        asked, segment = self.asked, self.segment
        mac, kind = self._mac(host)
        if segment is None:
            if asked.address:
                self._fault("address", "An address lies in a segment; say in which.")
            if not mac:
                return ()
            self.warnings.append("No segment is named: the interface gets no address and no record.")
            return (InterfaceFacts(host.name, asked.interface, mac or None, kind),)
        address = self._address(segment)
        interface = InterfaceFacts(
            host.name,
            asked.interface,
            mac or None,
            kind,
            segment=segment.name,
            addressing="static" if address else "dhcp" if segment.policy != "none" else "none",
            ipv4=address or None,
            a_record=bool(address) and asked.a_record,
            reservation=self._reservation(segment, address, mac),
        )
        self._say("Address record", "yes" if interface.a_record else "no", self._why_record(interface))
        return (self._booting(interface, segment),)

    def _mac(self, host: HostFacts) -> tuple[str, MacKind]:
        asked = self.asked
        if asked.mac:
            kind: MacKind = (
                "assigned" if asked.form == "vm" and asked.mac.startswith(macs.FIRST) else "observed"
            )
            self._say("MAC", asked.mac, "as you say")
            if problem := mac_problem(asked.mac) or self.ledger.contest("mac", asked.mac):
                self._fault("mac", problem)
            return asked.mac, kind
        if asked.form != "vm":
            self._say("MAC", "read later", "type it on the interface's page once the hardware is there")
            return "", "observed"
        try:
            mac = assigned_mac(self.snapshot, self.ledger, asked.role, asked.group, host.vmid)
        except (Refused, macs.NoMac) as refusal:
            self._fault("mac", str(refusal), may_be_left_out=True)
            self._say("MAC", "none yet", "assigned later by Allocate on its page")
            return "", "observed"
        self._say("MAC", mac, f"assigned: {macs.read_mac(self.snapshot, mac)}")
        return mac, "assigned"

    def _address(self, segment: SegmentFacts) -> str:
        asked = self.asked
        self._say("Segment", segment.name, POLICIES[segment.policy])
        if asked.address:
            self._say("Address", asked.address, "as you say")
            if problem := self._address_problem(segment, asked.address):
                self._fault("address", problem)
            return asked.address
        if segment.policy == "dynamic":
            self._say("Address", "by DHCP", f"the pool of {segment.name}")
            return ""
        try:
            address = next_address(self.snapshot, segment, self.ledger)
        except Refused as refusal:
            self._fault("address", str(refusal), may_be_left_out=True)
            return ""
        self._say("Address", address, f"the lowest free one of {segment.static_range}")
        return address

    def _address_problem(self, segment: SegmentFacts, address: str) -> str:
        if segment.policy == "dynamic":
            return f"Segment {segment.name} takes no static mappings (its policy is dynamic); choose another segment."
        return misplaced(segment, address) or self.ledger.contest("ip", address)

    def _reservation(self, segment: SegmentFacts, address: str, mac: str) -> bool:
        serves = segment.policy in ("static", "both")
        wanted = bool(address) and serves and self.asked.reservation
        if not wanted:
            why = (
                "not asked for" if serves and address else f"the policy of {segment.name} is {segment.policy}"
            )
            self._say("DHCP reservation", "no", why if address else "there is no address to reserve")
            return False
        if mac:
            self._say("DHCP reservation", "yes", f"{mac} gets {address}")
        else:
            self._say("DHCP reservation", "yes", "in no export until the MAC is known")
            self.warnings.append("While the MAC is unknown no DHCP server can serve the reservation.")
        return True

    def _why_record(self, interface: InterfaceFacts) -> str:
        if interface.a_record:
            return f"{self.snapshot.fqdn(interface.host)} is {interface.ipv4}, and back (PTR)"
        return "not asked for" if interface.ipv4 else "there is no address to name"

    def _booting(self, interface: InterfaceFacts, segment: SegmentFacts) -> InterfaceFacts:
        """With the boot server and file, if it is to boot from the network."""
        asked = self.asked
        if not asked.pxe:
            return interface
        server, file = boot_defaults(self.snapshot, segment)
        server, file = asked.pxe_server or server, asked.pxe_file or file
        if not server:
            self._fault(
                "pxe_server",
                f"Segment {segment.name} declares no boot server, and nobody there has one; say which.",
            )
        if not interface.reservation:
            self.warnings.append("Boot options are part of a reservation; without one this host gets none.")
        self._say(
            "Boots from",
            f"{server} {file}".strip(),
            "as you say" if asked.pxe_server else f"as others in {segment.name}",
        )
        return replace(interface, pxe_server=server, pxe_file=file)
