"""Answers → the site that they describe. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from inventory import macs, naming
from inventory.allocation.choosing import Refused, Taken, lowest_address, lowest_vmid
from inventory.snapshot import (
    HostFacts,
    InterfaceFacts,
    MachineFacts,
    RoleFacts,
    SegmentFacts,
    SiteFacts,
    Snapshot,
)
from inventory.starting.answers import Answers, FirstHost, Unanswerable
from inventory.starting.convention import NoRoom, segments

#: The RR code of the first role; the registry continues from here.
FIRST_CODE = "01"

#: Where machines of the plane itself live.
HOME = "management"


def first_site(answers: Answers) -> Snapshot:
    """The site that *answers* describe. Raises Unanswerable with everything that is wrong."""
    building = _Building(answers)
    building.lay_networks()
    if answers.router:
        building.add_router()
    if answers.hypervisor:
        building.add_hypervisor()
    if answers.host is not None:
        building.add_host(answers.host)
    if building.problems:
        raise Unanswerable(building.problems)
    return Snapshot(
        site=building.site,
        segments=tuple(sorted(building.segments, key=lambda segment: segment.name)),
        roles=tuple(building.roles),
        hosts=tuple(sorted(building.hosts, key=lambda host: host.name)),
    )


@dataclass
class _Building:
    answers: Answers
    segments: tuple[SegmentFacts, ...] = ()
    hosts: list[HostFacts] = field(default_factory=list)
    roles: list[RoleFacts] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> SiteFacts:
        said = self.answers
        return SiteFacts(
            said.slug,
            said.root_domain,
            name=said.name,
            block=said.block,
            organisation=said.organisation,
            environment=said.environment,
            vmid_first=said.vmid_first,
            vmid_last=said.vmid_last,
            naming={"standard": "role-form"},
        )

    def lay_networks(self) -> None:
        try:
            self.segments = segments(self.answers.block, self.answers.segments)
        except NoRoom as refusal:
            self.problems["block"] = str(refusal)

    def add_router(self) -> None:
        """One interface for each network, named by its VLAN; the one of the management network is its own name."""
        routed = [segment for segment in self.segments if segment.gateway4]
        if not routed:
            self.problems.setdefault("segments", "A router needs a network; choose a segment that has one.")
            return
        home = self._home(routed)
        name = self._name("", "rt")
        interfaces = tuple(
            InterfaceFacts(
                name,
                f"vlan{segment.vlan}",
                mac=self.answers.router_mac if segment is home else None,
                segment=segment.name,
                addressing="static",
                ipv4=segment.gateway4,
                a_record=segment is home,
                management=segment is home,
                primary=segment is home,
            )
            for segment in sorted(routed, key=lambda segment: (segment is not home, segment.vlan or 0))
        )
        self.hosts.append(HostFacts(name, form="rt", interfaces=interfaces))

    def add_hypervisor(self) -> None:
        home = self._home(self._static())
        if home is None:
            self.problems.setdefault(
                "segments",
                "A hypervisor needs a network with static addresses; choose the segment management, or leave it out.",
            )
            return
        name = self._name("", "hv")
        self._add(HostFacts(name, form="hv"), home, self.answers.hypervisor_mac, "hypervisor")

    def add_host(self, wanted: FirstHost) -> None:
        segment = next((one for one in self._static() if one.name == wanted.segment), None)
        if segment is None:
            self.problems["host_segment"] = (
                f"{wanted.segment} is not among the chosen segments with static addresses; choose it above, or another."
            )
            return
        role = RoleFacts(wanted.role, FIRST_CODE)
        self.roles.append(role)
        host = HostFacts(self._name(wanted.role, wanted.form), form=wanted.form, role=wanted.role)
        mac = wanted.mac
        if wanted.form == "vm":
            carrier = next((one.name for one in self.hosts if one.form == "hv"), "")
            try:
                vmid = lowest_vmid(self.site, Taken())
                mac = macs.role_mac(self.site, role, "00", 1)
            except (Refused, macs.NoMac) as refusal:
                self.problems["host_form"] = str(refusal)
                return
            host = replace(host, hypervisor=carrier, vmid=vmid, status="provisioning", machine=MachineFacts())
        self._add(host, segment, mac, "host")

    def _add(self, host: HostFacts, segment: SegmentFacts, mac: str | None, what: str) -> None:
        taken = Taken(frozenset(i.ipv4 for one in self.hosts for i in one.interfaces if i.ipv4))
        try:
            address = lowest_address(segment, self.segments, taken)
        except Refused as refusal:
            self.problems[f"{what}_segment" if what == "host" else "segments"] = str(refusal)
            return
        interface = InterfaceFacts(
            host.name,
            "eth0",
            mac=mac,
            mac_kind="assigned" if host.form == "vm" else "observed",
            segment=segment.name,
            addressing="static",
            ipv4=address,
            a_record=True,
            reservation=bool(mac),
            management=True,
            primary=True,
        )
        self.hosts.append(replace(host, interfaces=(interface,)))

    def _name(self, role: str, form: str) -> str:
        try:
            return naming.next_name(self.site, role=role, form=form, taken=[host.name for host in self.hosts])
        except naming.NoName as refusal:
            self.problems["host_role"] = str(refusal)
            return f"{form}01"

    def _static(self) -> list[SegmentFacts]:
        return [segment for segment in self.segments if segment.static_range]

    def _home(self, among: Iterable[SegmentFacts]) -> SegmentFacts | None:
        found = list(among)
        return next((segment for segment in found if segment.name == HOME), found[0] if found else None)
