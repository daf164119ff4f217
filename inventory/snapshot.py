"""A site as declared at one revision: frozen, ordered, without a database. Pure.

Everything that leaves the application (exports, findings, checks) is a function of a Snapshot. ``inventory.reading``
makes one from the rows; tests make one by hand.

Addresses, networks and MACs are canonical text. Dictionaries inside are read-only by agreement. Tuples are sorted:
hosts, groups, segments and services by name, interfaces by their declared position.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

from inventory.addressing import Range
from inventory.automating.automation_facts import JobTemplateFacts as JobTemplateFacts
from inventory.automating.automation_facts import ProjectFacts as ProjectFacts
from inventory.automating.schedule_facts import ScheduleFacts as ScheduleFacts
from inventory.identity import dns_name, is_ip_address
from inventory.kit_places import KitPlaceFacts as KitPlaceFacts
from inventory.machine_facts import HypervisorFacts as HypervisorFacts
from inventory.machine_facts import MachineFacts as MachineFacts
from inventory.way_facts import EmergencyUseFacts as EmergencyUseFacts
from inventory.way_facts import ServiceFacts as ServiceFacts

T = TypeVar("T")
Variables = Mapping[str, Any]
AuthorityMode = Literal["gateway", "bootstrap"]

#: What the interfaces of these segments are called, unless the segment says otherwise.
SHORT = {"management": "mgmt", "storage": "stor"}


@dataclass(frozen=True, slots=True)
class SiteFacts:
    slug: str
    root_domain: str
    name: str = ""
    block: str = ""
    organisation: str = ""
    environment: str = ""
    mac_encoding: str = "role"
    vmid_first: int | None = None
    vmid_last: int | None = None
    naming: Variables = field(default_factory=dict)
    variables: Variables = field(default_factory=dict)
    #: overrides of the table in ``inventory.ansible.nouns`` that says which Ansible variable means which noun
    mapping: Mapping[str, str] = field(default_factory=dict)
    #: how the imported tree wrote the site's own nouns (see ``inventory.ansible.shape``)
    written: Variables = field(default_factory=dict)
    #: the way in when nothing else works: who may, how, where its secret lies, what is done after
    emergency_who: str = ""
    emergency_how: str = ""
    emergency_secret: str = ""
    emergency_after: str = ""
    #: distinguishes a site from an earlier one of the same slug
    uid: str = ""
    #: how often another copy of the application became the one that writes
    epoch: int = 1
    #: that copy
    live_copy: str = ""

    @property
    def zone(self) -> str:
        """The site's DNS zone without the final dot: ``<slug>.<root domain>``."""
        return f"{self.slug}.{self.root_domain}" if self.root_domain else self.slug


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """Who serves DHCP and DNS: the newest declaration."""

    mode: AuthorityMode
    by: str
    at: str
    why: str
    bootstrap_host: str = ""


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """One line of the registry of RR codes."""

    slug: str
    code: str = ""
    title: str = ""
    #: names of the job templates that configure its hosts, and clean up behind them; empty: none
    configure_template: str = ""
    retire_template: str = ""


@dataclass(frozen=True, slots=True)
class OverrideFacts:
    """A severity that people lowered, until the day *expires* (ISO 8601, included). No subject: every one."""

    finding: str
    severity: Literal["warning", "info"]
    why: str
    expires: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    name: str
    vlan: int | None = None
    network4: str | None = None
    network6: str | None = None
    gateway4: str | None = None
    gateway6: str | None = None
    pool: Range | None = None
    static_range: Range | None = None
    delegated: tuple[Range, ...] = ()
    #: which addresses DHCP hands out here: reservations only, pool only, both, or no DHCP at all
    policy: Literal["static", "dynamic", "both", "none"] = "both"
    dns_servers: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()
    next_server: str | None = None
    #: hosts: the way in, one that does not cross the access switch, and who sends Wake-on-LAN here; empty: none
    jump_host: str = ""
    jump_alternative: str = ""
    wake_relay: str = ""
    trust: str = ""
    suffix: str = ""
    variables: Variables = field(default_factory=dict)
    written: Variables = field(default_factory=dict)

    def holds(self, address: str) -> bool:
        """True when *address* lies in one of the segment's networks."""
        value = ipaddress.ip_address(address)
        network = self.network4 if value.version == 4 else self.network6
        return network is not None and value in ipaddress.ip_network(network)

    @property
    def is_management(self) -> bool:
        """Whether it is the management plane's: its trust says so; where none is declared, its name does."""
        return (self.trust or self.name).strip().casefold() == "management"

    @property
    def interface_suffix(self) -> str:
        """What an interface here is called behind its host's name: ``pi01-mgmt``."""
        return self.suffix or SHORT.get(self.name) or self.name.replace("_", "-").lower()


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    host: str
    name: str
    mac: str | None = None
    mac_kind: Literal["observed", "assigned"] = "observed"
    segment: str | None = None
    addressing: Literal["static", "dhcp", "none"] = "none"
    ipv4: str | None = None
    ipv6: tuple[str, ...] = ()
    a_record: bool = False
    reservation: bool = False
    management: bool = False
    wake_on_lan: bool = False
    primary: bool = False
    #: the bootstrap node's address here while it is the authority; None: the same as ever
    bootstrap_ipv4: str | None = None
    pxe_server: str = ""
    pxe_file: str = ""
    switch: str | None = None
    switch_port: str = ""
    variables: Variables = field(default_factory=dict)
    written: Variables = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str, ...]:
        return ((self.ipv4,) if self.ipv4 else ()) + self.ipv6

    @property
    def subject(self) -> str:
        return f"interface {self.host}/{self.name}"


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """A name directly below the root domain that points at a service of the site."""

    name: str
    service: str


@dataclass(frozen=True)
class HostFacts:
    name: str
    form: str = ""
    role: str = ""
    status: str = "active"
    plane: str = "management"
    platform: str = ""
    location: str = ""
    notes: str = ""
    #: the host of form hv that carries this virtual machine
    hypervisor: str = ""
    #: hosts that it needs, as people declared it, in their order
    needs: tuple[str, ...] = ()
    vmid: int | None = None
    #: the API of a host of form hv
    proxmox: HypervisorFacts | None = None
    #: what a host of form vm is made from
    machine: MachineFacts | None = None
    access: Variables = field(default_factory=dict)
    out_of_band: Variables = field(default_factory=dict)
    console_kind: str = ""
    console_address: str = ""
    power_kind: str = ""
    power_address: str = ""
    power_outlet: str = ""
    #: public keys that somebody compared, a line each
    host_keys: str = ""
    variables: Variables = field(default_factory=dict)
    written: Variables = field(default_factory=dict)
    interfaces: tuple[InterfaceFacts, ...] = ()
    services: tuple[ServiceFacts, ...] = ()

    @property
    def subject(self) -> str:
        return f"host {self.name}"

    @property
    def is_retired(self) -> bool:
        return self.status == "retired"

    @cached_property
    def primary(self) -> InterfaceFacts | None:
        """The flagged interface, else the first with an A record, else the first with a static address."""
        for wanted in (
            lambda i: i.primary,
            lambda i: i.a_record and i.addresses,
            lambda i: i.addressing == "static" and i.addresses,
        ):
            for interface in self.interfaces:
                if wanted(interface):
                    return interface
        return None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """An Ansible group. ``hosts`` and ``children`` are direct members, by name. ``all`` is the site, not a group."""

    name: str
    children: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    variables: Variables = field(default_factory=dict)
    priority: int = 1


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """A workload profile: intent that is not bound to a host. Nobody has it: parked, not dead."""

    name: str
    hosts: tuple[str, ...] = ()
    variables: Variables = field(default_factory=dict)
    #: as a role's
    configure_template: str = ""
    retire_template: str = ""


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    kind: Literal["mac", "ip", "vmid", "name"]
    value: str
    state: Literal["held", "quarantined", "disputed"]
    host: str
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A whole-file vault whose password was not given: kept as it is, for ``ansible-tree`` alone."""

    owner_kind: Literal["group", "host"]
    owner: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ZoneSerial:
    serial: int
    content_hash: str


@dataclass(frozen=True)
class Snapshot:
    site: SiteFacts
    revision: int = 0
    authority: AuthorityFacts | None = None
    segments: tuple[SegmentFacts, ...] = ()
    hosts: tuple[HostFacts, ...] = ()
    groups: tuple[GroupFacts, ...] = ()
    profiles: tuple[ProfileFacts, ...] = ()
    roles: tuple[RoleFacts, ...] = ()
    overrides: tuple[OverrideFacts, ...] = ()
    #: every declaration of authority, oldest first; the last one is ``authority``
    authorities: tuple[AuthorityFacts, ...] = ()
    aliases: tuple[AliasFacts, ...] = ()
    #: oldest first
    emergency_uses: tuple[EmergencyUseFacts, ...] = ()
    schedules: tuple[ScheduleFacts, ...] = ()
    projects: tuple[ProjectFacts, ...] = ()
    templates: tuple[JobTemplateFacts, ...] = ()
    kit_places: tuple[KitPlaceFacts, ...] = ()
    identities: tuple[IdentityFacts, ...] = ()
    #: the plainly held ones, which the hosts themselves say; only with ``reading.with_ledger``, else empty
    held: tuple[IdentityFacts, ...] = ()
    sealed: tuple[SealedFile, ...] = ()
    #: zone name without final dot → what was last published
    serials: Mapping[str, ZoneSerial] = field(default_factory=dict)

    def once(self, make: Callable[[Snapshot], T]) -> T:
        """Return ``make(self)``, computed once for this Snapshot: exports and findings share what they plan."""
        made: dict[Any, Any] = self.__dict__.setdefault("_made", {})
        if make not in made:
            made[make] = make(self)
        return cast(T, made[make])

    @cached_property
    def segment_by_name(self) -> dict[str, SegmentFacts]:
        return {segment.name: segment for segment in self.segments}

    @cached_property
    def host_by_name(self) -> dict[str, HostFacts]:
        return {host.name: host for host in self.hosts}

    @cached_property
    def group_by_name(self) -> dict[str, GroupFacts]:
        return {group.name: group for group in self.groups}

    @cached_property
    def project_by_name(self) -> dict[str, ProjectFacts]:
        return {project.name: project for project in self.projects}

    @cached_property
    def template_by_name(self) -> dict[str, JobTemplateFacts]:
        return {template.name: template for template in self.templates}

    @cached_property
    def bootstrap_host(self) -> HostFacts | None:
        """The bootstrap node: whom the newest declaration of authority that names one names."""
        named = [authority.bootstrap_host for authority in self.authorities if authority.bootstrap_host]
        return self.host_by_name.get(named[-1]) if named else None

    @cached_property
    def live_hosts(self) -> tuple[HostFacts, ...]:
        """All but the retired ones: what every export speaks of."""
        return tuple(host for host in self.hosts if not host.is_retired)

    @cached_property
    def live_interfaces(self) -> tuple[InterfaceFacts, ...]:
        return tuple(interface for host in self.live_hosts for interface in host.interfaces)

    @cached_property
    def claimants(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """(kind, value) → the hosts that claim it, for what more than one host claims."""
        claims: dict[tuple[str, str], set[str]] = {}
        for kind, value, host in claims_of(self.live_hosts, self.segment_by_name):
            claims.setdefault((kind, value), set()).add(host)
        return {key: tuple(sorted(hosts)) for key, hosts in claims.items() if len(hosts) > 1}

    def is_disputed(self, kind: str, value: str) -> bool:
        """True when two hosts claim *value*: it is rendered for neither."""
        return (kind, value) in self.claimants

    def segment_of(self, interface: InterfaceFacts) -> SegmentFacts | None:
        return self.segment_by_name.get(interface.segment) if interface.segment else None

    def fqdn(self, host: str) -> str:
        """``<host>.<zone>``; a name that is already qualified, or an address, stays as it is."""
        if is_ip_address(host) or "." in host:
            return host
        return f"{host}.{self.site.zone}"

    def interface_label(self, host: HostFacts, interface: InterfaceFacts) -> str:
        return interface_label(host, interface, self.segment_by_name)


def interface_label(host: HostFacts, interface: InterfaceFacts, segments: Mapping[str, SegmentFacts]) -> str:
    """The name of one interface below the zone: the host's own for the primary, ``<host>-<suffix>`` else."""
    if interface is host.primary:
        return host.name
    segment = segments.get(interface.segment or "")
    suffix = segment.interface_suffix if segment else interface.name.replace("_", "-").lower()
    return f"{host.name}-{suffix}"


def claims_of(
    hosts: Iterable[HostFacts], segments: Mapping[str, SegmentFacts]
) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, value, host) for every MAC, address and name that *hosts* claim. Names in their DNS form."""
    for host in hosts:
        yield "name", dns_name(host.name) or host.name, host.name
        if host.vmid is not None:
            yield "vmid", str(host.vmid), host.name
        for interface in host.interfaces:
            if interface.mac:
                yield "mac", interface.mac, host.name
            for address in interface.addresses:
                yield "ip", address, host.name
            if interface.a_record:
                label = interface_label(host, interface, segments)
                yield "name", dns_name(label) or label, host.name
        for service in host.services:
            yield "name", dns_name(service.label) or service.label, host.name
