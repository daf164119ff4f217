"""Making a survey of one hypervisor: completely, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from provisioning.adapters.base import AdapterError, NotFound, Refused, Strange, Unauthorized
from provisioning.adapters.proxmox import Reader, privileges, shapes
from provisioning.machines.facts import GuestLine, StorageFacts
from provisioning.machines.transfers import REMOTE
from provisioning.surveying.survey import Guest, Survey

#: How often the whole is read again because guests came or went meanwhile.
TRIES = 3


class Incomplete(AdapterError):
    """A reading that shows a part, or that moved while it was read. Nothing may be concluded from it."""

    retryable = True


def survey(reader: Reader, *, hypervisor: str, taken: str, awaited: Iterable[int] = ()) -> Survey:
    """Everything on the node of *reader*. *taken* is the time to write on it, ISO 8601.

    *awaited*: VMIDs of which it is asked as well whether they are free, where no guest is seen that has one: of a path at
    which the token may nothing at all Proxmox does not say that it has an entry.

    Raises Unauthorized naming each missing privilege, Incomplete when the guests do not stand still, NotFound for a node
    of another name, and any AdapterError of a single call: a part is never returned.
    """
    version = reader.version()
    nodes = reader.check_node()
    verdict = reader.judge(privileges.for_survey(), privileges.allowed_for_reading(version))
    if verdict.missing:
        raise _blind(hypervisor, verdict.missing)
    guests = _standing_still(reader, hypervisor)
    _require_seen(reader, hypervisor, set(awaited) - {guest.line.vmid for guest in guests})
    storages = reader.storages()
    if not storages:
        raise Incomplete(
            f"{hypervisor} lists no storage at all; every node has one. Look at its token's privileges."
        )
    return Survey(
        hypervisor=hypervisor,
        taken=taken,
        version=version,
        node=reader.node,
        nodes=nodes,
        storages=_with_servers(reader, storages),
        guests=guests,
        excess=tuple(f"{name} on {path}" for path, name in verdict.excess),
    )


def _with_servers(reader: Reader, storages: tuple[StorageFacts, ...]) -> tuple[StorageFacts, ...]:
    """Where the storages of the network are. It is for plans alone, so that a refusal leaves it unknown."""
    if not any(one.kind in REMOTE for one in storages):
        return storages
    try:
        servers = reader.servers()
    except (NotFound, Refused, Strange, Unauthorized):
        return storages
    return tuple(
        replace(one, server=servers.get(one.name, "")) if one.kind in REMOTE else one for one in storages
    )


def _require_seen(reader: Reader, hypervisor: str, absent: set[int]) -> None:
    """Raise where a guest has one of the VMIDs *absent*."""
    for vmid in sorted(absent):
        if reader.is_free(vmid):
            continue
        if any(line.vmid == vmid for line in reader.guests()):
            raise Incomplete(f"The guests of {hypervisor} changed during the reading; try again.")
        raise _blind(hypervisor, (privileges.Need("VM.Audit", f"/vms/{vmid}"),))


def _standing_still(reader: Reader, hypervisor: str) -> tuple[Guest, ...]:
    """All guests with their configurations; the list is read before and after, and must be the same."""
    before = reader.guests()
    for _ in range(TRIES):
        try:
            guests = tuple(_guest(reader, line) for line in before)
        except NotFound:  # destroyed between the list and its configuration
            guests = ()
        after = reader.guests()
        if guests_key(before) == guests_key(after) and len(guests) == len(before):
            return guests
        before = after
    raise Incomplete(
        f"The guests of {hypervisor} changed during each of {TRIES} readings; try again when less is being made there."
    )


def guests_key(lines: tuple[GuestLine, ...]) -> tuple[tuple[object, ...], ...]:
    """What must not change during a reading; a guest may start or stop meanwhile."""
    return tuple((line.vmid, line.kind, line.node, line.name, line.is_template) for line in lines)


def _guest(reader: Reader, line: GuestLine) -> Guest:
    if line.node != reader.node:
        return Guest(line)
    config = reader.config(line.vmid, line.kind, pending=line.kind == "qemu" and line.status == "running")
    # a configuration names its parent once a snapshot was taken: most guests take no second call
    snapshots = reader.snapshots(line.vmid) if line.kind == "qemu" and config.get("parent") else ()
    both = (shapes.guest_macs(line.kind, one.values) for one in (config, config.running))
    return Guest(line, tuple(dict.fromkeys(mac for macs in both for mac in macs)), config, snapshots)


def _blind(hypervisor: str, missing: tuple[privileges.Need, ...]) -> Unauthorized:
    named = "; ".join(map(str, missing))
    return Unauthorized(
        f"The token for {hypervisor} would see only a part: it lacks {named}. "
        "With privilege separation its owner needs them too.",
        privilege=missing[0].privilege,
        path=missing[0].path,
    )
