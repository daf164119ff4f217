"""The virtual machine that a host's declaration asks for. Pure: what is missing is said in full, nothing is guessed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from inventory.dhcp.reasons import boot_of, next_server
from inventory.dhcp.segments import dns_servers_of, search_domains_of
from inventory.machine_facts import HypervisorFacts, MachineFacts
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot
from provisioning.machines import cards
from provisioning.machines.owning import Owner
from provisioning.machines.properties import IpConfig
from provisioning.machines.sizes import GIB
from provisioning.machines.spec import Card, DataDisk, MachineSpec


class NotDeclared(ValueError):
    """A machine cannot be made from what is declared; *problems* says everything that is missing."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


@dataclass(frozen=True, slots=True)
class Machine:
    """A declared virtual machine: where it belongs, what it is made from, what it must be afterwards."""

    host: str
    hypervisor: str
    template: str
    storage: str
    pool: str
    interface: str
    #: the address that it must hold once it runs; None where any will do
    address: str | None
    by_dhcp: bool
    spec: MachineSpec
    #: it has no template: it is made empty, and installed over the network
    from_network: bool = False

    @property
    def room(self) -> int:
        """Bytes that its disks take, at most."""
        data = self.spec.data.size if self.spec.data else 0
        return (self.spec.disk or 0) + data


def machine_of(snapshot: Snapshot, name: str) -> Machine:
    """The machine of the host *name*. Raises NotDeclared."""
    host = snapshot.host_by_name.get(name)
    if host is None:
        raise NotDeclared([f"Site {snapshot.site.slug} has no host {name}."])
    if problems := list(_missing(snapshot, host)):
        raise NotDeclared(problems)
    card = host.primary
    machine, carrier = host.machine, _carrier(snapshot, host)
    assert card and machine and carrier and host.vmid is not None, "looked for above"  # noqa: S101
    segment = snapshot.segment_of(card)
    where = _Where(machine, carrier)
    return Machine(
        host=host.name,
        hypervisor=host.hypervisor,
        template=machine.template,
        storage=where.storage,
        pool=where.pool,
        interface=card.name,
        address=(card.ipv4 or next(iter(card.ipv6), None)) if card.addressing == "static" else None,
        by_dhcp=_by_dhcp(card),
        from_network=machine.boot == "pxe",
        spec=_spec(snapshot, host, machine, card, segment, where),
    )


def standing(snapshot: Snapshot, name: str) -> Machine:
    """What the host *name* has on its hypervisor, as far as stopping and removing it takes: place, VMID and owner.

    It may be declared such that it can never be made: that is a reason more to stop it. Raises NotDeclared.
    """
    host = snapshot.host_by_name.get(name)
    if host is None:
        raise NotDeclared([f"Site {snapshot.site.slug} has no host {name}."])
    carrier = _carrier(snapshot, host)
    if problems := list(_missing_of_standing(host, carrier)):
        raise NotDeclared(problems)
    assert carrier and host.vmid is not None, "looked for above"  # noqa: S101
    mac = (host.primary.mac if host.primary else "") or ""
    owner = _owner(snapshot, host, mac)
    return Machine(
        host=host.name,
        hypervisor=host.hypervisor,
        template="",
        storage="",
        pool="",
        interface="",
        address=None,
        by_dhcp=False,
        spec=MachineSpec(vmid=host.vmid, name=host.name, mac=mac, bridge="", owner=owner),
    )


def _missing_of_standing(host: HostFacts, carrier: HypervisorFacts | None) -> Iterator[str]:
    if host.form != "vm":
        yield f"{host.name} is no virtual machine (form {host.form or 'not set'})."
        return
    if carrier is None:
        yield f"{host.name} names no hypervisor with an API; choose one on its page, and declare the API on that one's."
    if host.vmid is None:
        yield f"{host.name} has no VMID; declare the one that the machine has."


@dataclass(frozen=True, slots=True)
class _Where:
    """What the machine says of its place, else what its hypervisor does."""

    machine: MachineFacts
    carrier: HypervisorFacts

    @property
    def storage(self) -> str:
        return self.machine.storage or self.carrier.storage

    @property
    def bridge(self) -> str:
        return self.machine.bridge or self.carrier.bridge

    @property
    def pool(self) -> str:
        return self.machine.pool or self.carrier.pool


def _carrier(snapshot: Snapshot, host: HostFacts) -> HypervisorFacts | None:
    found = snapshot.host_by_name.get(host.hypervisor)
    return found.proxmox if found else None


def _missing(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    """Everything that must be declared first, and cannot be made up."""
    name = host.name
    if host.form != "vm":
        yield f"{name} is no virtual machine (form {host.form or 'not set'}); only those are made."
        return
    if host.is_retired:
        yield f"{name} is retired; set it to provisioning first."
    yield from _missing_place(snapshot, host)
    machine = host.machine
    if machine is None:
        yield f"{name} has no machine specification; declare cores, memory, disks and template on its page."
    elif machine.boot == "pxe":
        yield from _missing_boot(snapshot, host, machine)
    elif not machine.template:
        yield f"The specification of {name} names no template; write how its name begins, such as debian-13-."
    if host.vmid is None:
        yield f"{name} has no VMID; allocate one on its page."
    yield from cards.missing(snapshot, host)


def _missing_boot(snapshot: Snapshot, host: HostFacts, machine: MachineFacts) -> Iterator[str]:
    """What a machine that boots from the network needs of it: an address by DHCP, a server and a file."""
    if not machine.rng:
        yield (
            f"{host.name} boots from the network with UEFI, and has no random number device: it would never ask for an "
            "address. Switch the device on in its specification."
        )
    card = host.primary
    segment = snapshot.segment_of(card) if card else None
    if card is None or segment is None:
        return  # said of every machine
    if not _by_dhcp(card):
        yield (
            f"{card.host}/{card.name} has no reservation, and boot files are handed out by DHCP; "
            "give it a reservation, or set its addressing to dhcp."
        )
    boot, _ = boot_of(card, segment)
    server = boot.next_server or next_server(segment)
    if server is None:
        yield (
            f"Nothing says where {host.name} boots from: segment {segment.name} has no boot server (next-server), and "
            f"{card.host}/{card.name} no PXE server with an IPv4 address. Declare one of them."
        )
    if not boot.file:
        yield f"{card.host}/{card.name} names no boot file that can be rendered; declare its PXE file, such as grubx64.efi."


def _missing_place(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    carrier = snapshot.host_by_name.get(host.hypervisor)
    if carrier is None:
        yield f"{host.name} names no hypervisor; choose one on its page."
        return
    if carrier.proxmox is None:
        yield f"The API of {carrier.name} is not declared; add address, token and secret on its page."
    elif host.machine is not None:
        where = _Where(host.machine, carrier.proxmox)
        for what in ("storage", "bridge"):
            if not getattr(where, what):
                yield f"Neither {host.name} nor {carrier.name} names a {what}; declare the hypervisor's default."
    if host.plane == "tenant" and carrier.plane == "management":
        yield (
            f"{host.name} is a tenant's, {carrier.name} carries the management plane: tenants never land there. "
            "Choose a hypervisor of the tenant plane."
        )


def _by_dhcp(card: InterfaceFacts) -> bool:
    return card.addressing == "dhcp" or card.reservation


def _spec(
    snapshot: Snapshot,
    host: HostFacts,
    machine: MachineFacts,
    card: InterfaceFacts,
    segment: SegmentFacts | None,
    where: _Where,
) -> MachineSpec:
    size = (machine.data_disk or 0) * GIB
    return MachineSpec(
        **_cloud_init(snapshot, machine, card, segment),
        vmid=host.vmid or 0,
        name=host.name,
        mac=card.mac or "",
        bridge=where.bridge,
        owner=_owner(snapshot, host, card.mac or ""),
        tag=segment.vlan if segment else None,
        memory=machine.memory,
        cores=machine.cores,
        disk=machine.os_disk * GIB,
        data=DataDisk(machine.data_disk_serial, size, where.storage) if size else None,
        onboot=machine.start_on_boot,
        startup="" if machine.startup_order is None else f"order={machine.startup_order}",
        agent=machine.agent,
        cpu=machine.cpu,
        rng=machine.rng,
        upon=cards.vlans_upon(snapshot, host, card),
        more=tuple(_more(snapshot, host, machine, where)),
    )


def _owner(snapshot: Snapshot, host: HostFacts, mac: str) -> Owner:
    return Owner(snapshot.site.slug, snapshot.site.uid, host.name, mac, frozenset(snapshot.host_by_name))


def _more(snapshot: Snapshot, host: HostFacts, machine: MachineFacts, where: _Where) -> Iterator[Card]:
    """The cards besides the primary one; the way out of the machine is the primary one's alone."""
    for number, card in enumerate(cards.cards_of(host)[1:], 1):
        segment = snapshot.segment_of(card)
        told = replace(_ipconfig(card, segment), gateway="", gateway6="") if machine.boot != "pxe" else None
        tag = segment.vlan if segment else None
        upon = cards.vlans_upon(snapshot, host, card)
        yield Card(f"net{number}", card.mac or "", where.bridge, tag, told, upon)


def _cloud_init(
    snapshot: Snapshot, machine: MachineFacts, card: InterfaceFacts, segment: SegmentFacts | None
) -> dict[str, Any]:
    """What a clone is told by its cloud-init image; a machine that is installed over the network has none."""
    if machine.boot == "pxe":
        return {}
    return {
        "user": machine.ciuser,
        "ssh_keys": tuple(machine.ssh_keys.splitlines()),
        "ipconfig": _ipconfig(card, segment),
        "nameservers": dns_servers_of(segment) if segment else (),
        "search_domain": (search_domains_of(segment) or (snapshot.site.zone,))[0] if segment else "",
    }


def _ipconfig(card: InterfaceFacts, segment: SegmentFacts | None) -> IpConfig:
    """IPv4 by DHCP where the router reserves the address; else what is declared, with the segment's gateway.

    Nothing hands out IPv6 addresses: one that is declared is told to the machine either way.
    """
    by_dhcp = _by_dhcp(card)
    if segment is None:
        return IpConfig("dhcp" if by_dhcp else "")
    ip6 = _with_length(card.ipv6[0] if card.ipv6 else None, segment.network6)
    gateway6 = (segment.gateway6 or "") if ip6 else ""
    if by_dhcp:
        return IpConfig("dhcp", "", ip6, gateway6)
    ip = _with_length(card.ipv4, segment.network4)
    return IpConfig(ip, (segment.gateway4 or "") if ip else "", ip6, gateway6)


def _with_length(address: str | None, network: str | None) -> str:
    if not address or not network:
        return ""
    return f"{address}/{ipaddress.ip_network(network).prefixlen}"
