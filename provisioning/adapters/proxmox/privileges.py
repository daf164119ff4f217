"""Which privileges a token needs, which it lacks and which it had better not have. Pure.

Sources: the permission checks in the API description of 8.4 and 9.1, and PVE::API2::Qemu for those in its code.
Missing privileges shrink lists instead of failing them, so that they are asked for, not found out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from provisioning.machines.facts import Version

Held = Mapping[str, Mapping[str, bool]]

#: What looking may know. ``*.Audit`` changes nothing anywhere.
AUDITS = frozenset(
    [
        "VM.Audit",
        "Datastore.Audit",
        "Sys.Audit",
        "Pool.Audit",
        "SDN.Audit",
        "Mapping.Audit",
        "VM.GuestAgent.Audit",
    ]
)
_MACHINE = (
    "VM.Audit",
    "VM.Clone",
    "VM.Allocate",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
    "VM.Backup",
    *(
        f"VM.Config.{what}"
        for what in ("CPU", "Memory", "Disk", "Network", "Options", "Cloudinit", "HWType", "CDROM")
    ),
)
_STORAGE = ("Datastore.Audit", "Datastore.AllocateSpace")
_WHY = {
    "VM.Audit": "guests, their VMIDs and MACs stay invisible",
    "VM.Clone": "no machine can be made of a template",
    "VM.Allocate": "no machine can be made or destroyed",
    "VM.PowerMgmt": "nothing can be started or stopped",
    "VM.Snapshot": "no snapshot can be taken",
    "VM.Snapshot.Rollback": "no snapshot can be gone back to",
    "VM.Backup": "nothing can be backed up or restored",
    "VM.Config.CPU": "cores and the type of the processor cannot be set",
    "VM.Config.Memory": "memory cannot be set",
    "VM.Config.Disk": "disks cannot be grown or added, the boot order cannot be turned",
    "VM.Config.Network": "the MAC cannot be set",
    "VM.Config.Options": "name, onboot, tags and description cannot be set",
    "VM.Config.Cloudinit": "user, keys and addresses cannot be set",
    "VM.Config.HWType": "firmware and the random number device cannot be set",
    "VM.Config.CDROM": "the cloud-init drive cannot be made",
    "Datastore.Audit": "the storage and its room stay invisible",
    "Datastore.AllocateSpace": "no disk and no backup can be made there",
    "SDN.Use": "no card can be put on the bridge",
    "VM.Monitor": "the guest's addresses cannot be read",
    "VM.GuestAgent.Audit": "the guest's addresses cannot be read",
    "Sys.Audit": "tasks of other users stay invisible",
}


@dataclass(frozen=True, slots=True)
class Need:
    """A privilege that must hold at *path*; *below*: also for everything under it.

    *whole*: for what has an entry of its own there too, which replaces what is handed down.
    """

    privilege: str
    path: str
    below: bool = False
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.privilege} on {self.path}: without it {_WHY.get(self.privilege, 'something fails')}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """*missing* needs, and *excess* privileges as (path, privilege); both in order."""

    missing: tuple[Need, ...] = ()
    excess: tuple[tuple[str, str], ...] = ()


def agent_privilege(version: Version) -> str:
    """What reading a guest's addresses takes; naming the other one to that version is an error there."""
    return "VM.Monitor" if version.major < 9 else "VM.GuestAgent.Audit"


def for_survey() -> tuple[Need, ...]:
    """Without these a survey would show a part and not say so."""
    return (
        Need("VM.Audit", "/vms", below=True, whole=True),
        Need("Datastore.Audit", "/storage", below=True, whole=True),
    )


def for_machine(
    version: Version,
    path: str,
    *,
    storages: Iterable[str] = (),
    bridge: str = "",
    tag: int | None = None,
) -> tuple[Need, ...]:
    """What making and keeping a machine takes. *path*: ``/vms``, ``/vms/<vmid>`` or ``/pool/<pool>``.

    Without a *tag* the whole *bridge*: a clone takes the right to each card of its template as that has it.
    """
    below = path == "/vms" or path.startswith("/pool/")
    needs = [Need(privilege, path, below) for privilege in (*_MACHINE, agent_privilege(version))]
    needs += [Need(name, f"/storage/{storage}") for storage in sorted(set(storages)) for name in _STORAGE]
    if bridge:
        needs.append(Need("SDN.Use", network_path(bridge, tag), below=tag is None))
    return tuple(needs)


def for_template(vmid: int) -> tuple[Need, ...]:
    return Need("VM.Audit", f"/vms/{vmid}"), Need("VM.Clone", f"/vms/{vmid}")


def network_path(bridge: str, tag: int | None = None) -> str:
    """Where the right to use *bridge*, or one VLAN of it, is looked for."""
    return f"/sdn/zones/localnetwork/{bridge}" + (f"/{tag}" if tag is not None else "")


def allowed_for_reading(version: Version) -> frozenset[str]:
    return AUDITS - ({"VM.GuestAgent.Audit"} if version.major < 9 else frozenset())


def allowed_for_writing(version: Version) -> frozenset[str]:
    return AUDITS | {*_MACHINE, *_STORAGE, "SDN.Use", agent_privilege(version)}


def at(path: str, listed: Held) -> Mapping[str, bool]:
    """What holds at *path*: its own entry, else what the nearest one above hands down.

    Proxmox VE answers for the path that was asked for; a server that lists everything instead is read as well.
    """
    above = path
    while above not in listed and above != "/":
        above = above.rpartition("/")[0] or "/"
    return {name: below for name, below in listed.get(above, {}).items() if below or above == path}


def judge(needs: Iterable[Need], held: Held, everywhere: Held, allowed: frozenset[str]) -> Verdict:
    """*held*: what holds exactly at each path of *needs*; *everywhere*: all that the token has."""
    missing = [one for need in needs for one in _lacking(need, held, everywhere)]
    excess = {(path, name) for path, names in everywhere.items() for name in names if name not in allowed}
    return Verdict(tuple(dict.fromkeys(missing)), tuple(sorted(excess)))


def _lacking(need: Need, held: Held, everywhere: Held) -> Iterator[Need]:
    if not _holds(need, held.get(need.path, {})):
        yield need
    elif need.whole:
        deeper = sorted(path for path in everywhere if path.startswith(f"{need.path}/"))
        yield from (Need(need.privilege, path) for path in deeper if need.privilege not in everywhere[path])


def _holds(need: Need, held: Mapping[str, bool]) -> bool:
    return held.get(need.privilege, False) if need.below else need.privilege in held
