"""The machines that a site's declaration expects on its hypervisors. Pure."""

from __future__ import annotations

from inventory.snapshot import HostFacts, Snapshot
from provisioning.machines.declared import NotDeclared, machine_of
from provisioning.machines.owning import Owner
from provisioning.machines.spec import MachineSpec
from provisioning.surveying.drifting import Expected

#: of a machine whose declaration lacks something, what can be said all the same
_ALWAYS = frozenset({"missing", "node", "stopped", "name"})


def expected_of(snapshot: Snapshot) -> tuple[Expected, ...]:
    """Every live host with a hypervisor and a VMID; one whose declaration is not whole is compared in part."""
    return tuple(
        _expected(snapshot, host) for host in snapshot.live_hosts if host.hypervisor and host.vmid is not None
    )


def owners_of(snapshot: Snapshot) -> dict[str, str]:
    """Every declared MAC → its host."""
    return {
        interface.mac: host.name
        for host in snapshot.live_hosts
        for interface in host.interfaces
        if interface.mac
    }


def _expected(snapshot: Snapshot, host: HostFacts) -> Expected:
    runs = True if host.status == "active" else None
    awaited = host.status == "provisioning"
    try:
        machine = machine_of(snapshot, host.name)
    except NotDeclared:
        mac = host.primary.mac or "" if host.primary else ""
        known = _ALWAYS | {"mac"} if mac else _ALWAYS
        return Expected(
            host.name, host.hypervisor, _in_part(snapshot, host, mac), runs, awaited=awaited, compared=known
        )
    return Expected(host.name, host.hypervisor, machine.spec, runs, machine.template, awaited)


def _in_part(snapshot: Snapshot, host: HostFacts, mac: str) -> MachineSpec:
    owner = Owner(snapshot.site.slug, snapshot.site.uid, host.name)
    return MachineSpec(host.vmid or 0, host.name, mac, "", owner, agent=None)
