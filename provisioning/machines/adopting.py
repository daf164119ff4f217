"""Whether a machine that is there may become ours, and what differs from what is declared. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from inventory.acts import drafts, free
from inventory.identity import mac_problem
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot
from provisioning.machines.comparing import Difference, compare
from provisioning.machines.declared import NotDeclared, machine_of
from provisioning.machines.facts import Config
from provisioning.machines.owning import TAG, Owner, former, marked, owner_of, tagged
from provisioning.machines.preflight import World

NIC = "net0"
#: what an adoption writes into the machine, and nothing else
WRITTEN = frozenset(["description", "tags"])


@dataclass(frozen=True, slots=True)
class Adoption:
    """The declaration and the machine that it is to be: *mac* is what the card of the machine has now."""

    host: HostFacts
    card: InterfaceFacts
    owner: Owner
    mac: str

    @property
    def records(self) -> bool:
        """Whether another MAC is to be declared than is."""
        return self.mac != (self.card.mac or "")


def missing(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    """What must be declared before a machine can be adopted: far less than to make one."""
    host = snapshot.host_by_name.get(name)
    if host is None:
        return (f"Site {snapshot.site.slug} has no host {name}.",)
    return tuple(_missing(snapshot, host))


def _missing(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    if host.form != "vm":
        yield f"{host.name} is no virtual machine (form {host.form or 'not set'}); only those are adopted."
        return
    if host.is_retired:
        yield f"{host.name} is retired; reactivate it first."
    carrier = snapshot.host_by_name.get(host.hypervisor)
    if carrier is None or carrier.proxmox is None:
        yield f"{host.name} names no hypervisor with an API; choose one on its page, and declare the API on that one's."
    if host.vmid is None:
        yield f"{host.name} has no VMID; declare the one that the machine has."
    if host.primary is None:
        yield f"{host.name} has no primary interface to record a MAC on; declare one."


def adoption(snapshot: Snapshot, name: str, found: Config) -> Adoption:
    """What ``missing`` finds nothing of. Raises ValueError where the machine has no card to go by."""
    host = snapshot.host_by_name[name]
    card, nic = host.primary, found.running.nics.get(NIC)
    if card is None or nic is None or not nic.mac:
        raise ValueError(f"The machine has no card {NIC} with a MAC, so that nothing tells it apart.")
    owner = Owner(
        snapshot.site.slug, snapshot.site.uid, host.name, card.mac or "", frozenset(snapshot.host_by_name)
    )
    return Adoption(host, card, owner, nic.mac)


def refusals(
    snapshot: Snapshot, wanted: Adoption, found: Config, world: World, now: datetime
) -> tuple[str, ...]:
    """Everything that forbids it: whose the machine is, and who else has its MAC."""
    return tuple(_refusals(snapshot, wanted, found, world, now))


def _refusals(
    snapshot: Snapshot, wanted: Adoption, found: Config, world: World, now: datetime
) -> Iterator[str]:
    name, text = found.get("name") or "It", found.get("description")
    owner = owner_of(text)
    if found.is_template:
        yield f"{name} is a template: machines are made of it, and it is nobody's machine."
    if owner is not None and owner != wanted.owner and not former(found, wanted.owner):
        yield f"{name} belongs to {owner.host} of {owner.site} ({owner.uid}): only who marked it gives it up."
    elif owner is None and "mgmtplane: site=" in text:
        yield f"{name} carries more than one marker; look at its description, and leave the one that is true."
    if wanted.records and (problem := mac_problem(wanted.mac) or _held(snapshot, wanted, now)):
        yield problem
    for carrier, survey in sorted(world.surveys.items()):
        for guest in survey.guests_by_mac.get(wanted.mac, ()) if survey else ():
            if (carrier, guest.vmid) != (wanted.host.hypervisor, wanted.host.vmid):
                yield f"MAC {wanted.mac} is on {guest.name} ({guest.vmid}) on {carrier} as well; one of the two must change."


def _held(snapshot: Snapshot, wanted: Adoption, now: datetime) -> str:
    return free.ledger(snapshot, now).contest("mac", wanted.mac, mine=wanted.host.name)


def marking(wanted: Adoption, found: Config) -> Mapping[str, str]:
    """What to send: our marker beside what stands in the description, our tag beside the others."""
    changes = {}
    if owner_of(found.get("description")) != wanted.owner:
        changes["description"] = marked(found.get("description"), wanted.owner)
    if TAG not in found.tags:
        changes["tags"] = tagged(found.tags)
    return changes


def differing(snapshot: Snapshot, wanted: Adoption, found: Config) -> tuple[str, ...]:
    """What is otherwise than declared, or not declared yet, and stays so; in sentences."""
    card = replace(wanted.card, mac=wanted.mac, mac_kind="observed")
    host = drafts.with_interfaces(wanted.host, {card.name: card})
    try:
        spec = machine_of(drafts.with_hosts(snapshot, {host.name: host}), host.name).spec
    except NotDeclared as fault:
        return fault.problems
    differences: list[Difference] = [
        one for one in compare(spec, found) if one.field not in ("owner", "tags")
    ]
    return tuple(map(str, differences))
