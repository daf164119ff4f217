"""The next host like one that is there: the same intent, another identity. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from inventory import macs, naming, specs
from inventory.acts import drafts, free, moving
from inventory.acts.deriving import assigned_mac, eui64_in, named, next_address, next_like
from inventory.acts.new_hosts import NewHost, Problem, Value
from inventory.acts.plan import named_elsewhere
from inventory.allocation.choosing import NOBODY_LOOKED, Refused, Seen, lowest_vmid
from inventory.references import Place
from inventory.snapshot import HostFacts, InterfaceFacts, MachineFacts, Snapshot


@dataclass(frozen=True, slots=True)
class Like:
    """Which host, and what of it the clone gets beside role, form, plane, platform, segments and flags."""

    source: str
    #: empty: the next ordinal
    name: str = ""
    hypervisor: str = ""
    groups: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    #: variables and access of the host and variables of its interfaces
    variables: bool = True
    #: labels of services that move to the clone; a service has one name and cannot be cloned
    services: tuple[str, ...] = ()
    without: bool = False


def plan(snapshot: Snapshot, like: Like, now: datetime, seen: Seen = NOBODY_LOOKED) -> NewHost:
    """The clone that *like* asks for; *seen* as for new hosts. Raises LookupError when there is no such host."""
    return _Cloner(snapshot, like, now, seen).plan()


class _Cloner:
    def __init__(self, snapshot: Snapshot, like: Like, now: datetime, seen: Seen) -> None:
        self.seen = seen
        self.snapshot, self.like = snapshot, like
        self.source = snapshot.host_by_name[like.source]
        self.ledger = free.ledger(snapshot, now)
        self.values: list[Value] = []
        self.faults: list[Problem] = []
        self.warnings: list[str] = []
        self.lacks = False

    def plan(self) -> NewHost:
        like, source = self.like, self.source
        host = HostFacts(
            name=self._name(),
            form=source.form,
            role=source.role,
            status="provisioning",
            plane=source.plane,
            platform=source.platform,
            hypervisor=like.hypervisor if source.form == "vm" else "",
            needs=source.needs,
            vmid=self._vmid(),
            machine=self._machine(),
            variables=source.variables if like.variables else {},
            access=source.access if like.variables else {},
        )
        host = replace(host, interfaces=tuple(self._interface(host, one) for one in source.interfaces))
        return NewHost(
            "Clone",
            f"host {source.name} as {host.name}",
            self.snapshot,
            self._draft(host),
            warnings=tuple(dict.fromkeys(self.warnings)),
            problems=tuple(dict.fromkeys(one.text for one in self.faults)),
            follows=self._said(),
            places=self._places(host),
            host=host,
            groups=like.groups,
            profiles=like.profiles,
            services=tuple((source.name, label) for label in like.services),
            values=tuple(self.values),
            faults=tuple(self.faults),
            may_be_left_out=self.lacks,
        )

    def _draft(self, host: HostFacts) -> Snapshot:
        if not host.name:
            return self.snapshot
        draft = drafts.with_hosts(self.snapshot, {host.name: host})
        draft = drafts.with_member(draft, host.name, self.like.groups, self.like.profiles)
        carried = [one for one in self.source.services if one.label in self.like.services]
        return moving.moved(draft, carried, host.name) if carried else draft

    def _say(self, what: str, value: str, why: str) -> None:
        self.values.append(Value(what, value, why))

    def _fault(self, field: str, text: str) -> None:
        if field != "name":
            self.lacks = True
            if self.like.without:
                self.warnings.append(text)
                return
        self.faults.append(Problem(field, text, field != "name"))

    def _name(self) -> str:
        taken = free.taken_names(self.snapshot, self.ledger)
        name, why = self._next_name(taken)
        if not name:
            self._fault(
                "name", f"No pattern and no number says what comes after {self.source.name}; name the clone."
            )
            return ""
        self._say("Name", name, why)
        self._say("FQDN", self.snapshot.fqdn(name), "the name below the site's zone")
        if problem := self.ledger.contest("name", name):
            self._fault("name", problem)
        elif name in self.snapshot.host_by_name:
            self._fault("name", f"The site has a host {name}; a retired host keeps its name.")
        return name

    def _next_name(self, taken: Collection[str]) -> tuple[str, str]:
        source, site = self.source, self.snapshot.site
        if self.like.name or naming.read(site, source.name):
            try:
                return named(self.snapshot, self.like.name, source.role, source.form, taken)
            except Refused as refusal:
                if self.like.name:
                    self._fault("name", str(refusal))
        return next_like(source.name, taken), f"the next free number after {source.name}"

    def _vmid(self) -> int | None:
        site = self.snapshot.site
        if self.source.vmid is None:
            return None
        try:
            vmid = lowest_vmid(site, self.ledger.taken("vmid"), self.seen, self.ledger.taken("mac"))
        except (Refused, macs.NoMac) as refusal:
            self._fault("vmid", str(refusal))
            return None
        self._say("VMID", str(vmid), f"the lowest free one; {self.source.name} has {self.source.vmid}")
        return vmid

    def _machine(self) -> MachineFacts | None:
        """As the source's. Storages and bridges are called otherwise on another hypervisor (its defaults are taken)."""
        machine = self.source.machine
        if machine is None or self.source.form != "vm":
            return None
        if self.like.hypervisor != self.source.hypervisor:
            machine = replace(machine, storage="", bridge="", pool="")
        self._say("Machine", specs.said(machine), f"as {self.source.name}")
        return machine

    def _interface(self, host: HostFacts, source: InterfaceFacts) -> InterfaceFacts:
        """Segment and flags of *source*, with an identity of its own. Switch port and bootstrap address are not copied."""
        segment = self.snapshot.segment_of(source)
        mac = self._mac(host, source)
        ipv4 = self._ipv4(source)
        derived = eui64_in(segment, source.mac) in source.ipv6 and eui64_in(segment, mac)
        ipv6 = (derived,) if derived else ()
        if source.ipv6 and not derived:
            self.warnings.append(
                f"{source.name} has IPv6 addresses that no MAC makes; the clone's has none of them."
            )
        has_address = bool(ipv4 or ipv6)
        lost = source.addressing == "static" and not has_address
        return replace(
            source,
            host=host.name,
            mac=mac,
            mac_kind="assigned" if mac else "observed",
            addressing="none" if lost else source.addressing,
            ipv4=ipv4,
            ipv6=ipv6,
            a_record=source.a_record and (has_address or not source.addresses),
            reservation=source.reservation and bool(ipv4),
            bootstrap_ipv4=None,
            switch=None,
            switch_port="",
            variables=source.variables if self.like.variables else {},
            written={},
        )

    def _mac(self, host: HostFacts, source: InterfaceFacts) -> str | None:
        if source.mac_kind != "assigned" or not source.mac:
            self._say(f"MAC of {source.name}", "read later", "of hardware: type it once it is there")
            return None
        meaning = macs.read_mac(self.snapshot, source.mac)
        group = meaning.group if meaning and meaning.group else "00"
        try:
            mac = assigned_mac(self.snapshot, self.ledger, host.role, group, host.vmid)
        except (Refused, macs.NoMac) as refusal:
            self._fault("mac", str(refusal))
            return None
        self.ledger.extra["mac"].add(mac)
        self._say(f"MAC of {source.name}", mac, f"assigned: {macs.read_mac(self.snapshot, mac)}")
        return mac

    def _ipv4(self, source: InterfaceFacts) -> str | None:
        segment = self.snapshot.segment_of(source)
        if not source.ipv4:
            return None
        if segment is None:
            self.warnings.append(f"{source.name} lies in no segment; the clone's gets no address.")
            return None
        try:
            address = next_address(self.snapshot, segment, self.ledger)
        except Refused as refusal:
            self._fault("address", str(refusal))
            return None
        self.ledger.extra["ip"].add(address)
        self._say(f"Address of {source.name}", address, f"the lowest free one of {segment.name}")
        return address

    def _said(self) -> tuple[str, ...]:
        left = [one.label for one in self.source.services if one.label not in self.like.services]
        said = ["Notes, location, console, switch ports and secrets in sealed files are not copied."]
        if left:
            said.append(f"{', '.join(left)} stay on {self.source.name}.")
        if self.like.services:
            said.append(f"{', '.join(self.like.services)} move to the clone.")
        return tuple(said)

    def _places(self, host: HostFacts) -> tuple[Place, ...]:
        """What is copied and names the source's identity: it is about the other machine."""
        source = self.source
        if not self.like.variables or not host.name:
            return ()
        values = [source.name, *(v for one in source.interfaces for v in (one.mac or "", *one.addresses))]
        alone = replace(
            self.snapshot, hosts=(host,), groups=(), profiles=(), segments=(), sealed=(), aliases=(),
            overrides=(), authorities=(), authority=None, site=replace(self.snapshot.site, variables={}, block=""),
        )  # fmt: skip
        own: Sequence[tuple[str, str]] = [
            (host.subject, "name"),
            *((one.subject, "host") for one in host.interfaces),
        ]
        return named_elsewhere(alone, values, own)[0]
