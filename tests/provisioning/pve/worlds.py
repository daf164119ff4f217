"""Worlds to begin with: one node with templates of several versions, somebody else's guests, tokens."""

from __future__ import annotations

from typing import Any

from tests.provisioning.pve.world import GIB, Guest, Storage, Volume, World

READING = {"VM.Audit": 1, "Datastore.Audit": 1}
WRITE_TOKEN, READ_TOKEN, ROOT_TOKEN = "mgmtplane@pve!write", "mgmtplane@pve!read", "root@pam!all"
SECRETS = {
    WRITE_TOKEN: "8a0e9b9c-0000-4000-8000-00000000000a",
    READ_TOKEN: "8a0e9b9c-0000-4000-8000-00000000000b",
    ROOT_TOKEN: "8a0e9b9c-0000-4000-8000-00000000000c",
}
MACHINE = (
    *(
        "VM.Audit",
        "VM.Clone",
        "VM.Allocate",
        "VM.PowerMgmt",
        "VM.Snapshot",
        "VM.Snapshot.Rollback",
        "VM.Backup",
    ),
    *(
        f"VM.Config.{what}"
        for what in ("CPU", "Memory", "Disk", "Network", "Options", "Cloudinit", "HWType", "CDROM")
    ),
)
TEMPLATES = {9000: "debian-13-1.9", 9003: "debian-13-1.10", 9001: "debian-13-1.2", 9002: "fedora-44-1.1"}


def minimal(version: str) -> dict[str, dict[str, int]]:
    """The access list of a writing token with nothing too much."""
    agent = "VM.Monitor" if version.startswith("8") else "VM.GuestAgent.Audit"
    return {
        "/vms": dict.fromkeys((*MACHINE, agent), 1),
        "/storage": dict.fromkeys(("Datastore.AllocateSpace", "Datastore.Audit"), 1),
        "/sdn/zones/localnetwork/vmbr0": {"SDN.Use": 1},
    }


def make(version: str, *, node: str = "pve", task_seconds: float = 0.0, guests: int = 0) -> World:
    """A node with four templates, a router VM and a container of other people, and *guests* more machines."""
    world = World(version=version, node=node, task_seconds=task_seconds)
    world.storages = {
        "local": Storage("local", "dir", "backup,iso,vztmpl", 100 * GIB, 80 * GIB),
        "local-lvm": Storage("local-lvm"),
    }
    for vmid, name in TEMPLATES.items():
        make_machine(world, vmid, name, "1", {"template": "1"})
    make_machine(world, 100, "opnsense", "0", {"onboot": "1"})
    world.guests[100].running = True
    world.guests[100].booted = dict(world.guests[100].config)
    world.guests[101] = Guest(
        101,
        {"hostname": "pihole", "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:0A:0B:0C,ip=dhcp,type=veth"},
        kind="lxc",
        running=True,
    )
    for number in range(guests):
        make_machine(world, 1000 + number, f"guest-{number}", "1", {})
    hand_out_tokens(world)
    return world


def hand_out_tokens(world: World) -> None:
    """The three of ``SECRETS``; their owner may everything, so that each has what its own list says."""
    world.users = {"mgmtplane@pve": {"/": {**dict.fromkeys(_everything(world.version), 1)}}}
    world.tokens = _tokens(world.version)


def _tokens(version: str) -> dict[str, dict[str, Any]]:
    reading = {"/vms": {"VM.Audit": 1}, "/storage": {"Datastore.Audit": 1}}
    return {
        WRITE_TOKEN: {"secret": SECRETS[WRITE_TOKEN], "privsep": 1, "acl": minimal(version)},
        READ_TOKEN: {"secret": SECRETS[READ_TOKEN], "privsep": 1, "acl": reading},
        ROOT_TOKEN: {"secret": SECRETS[ROOT_TOKEN], "privsep": 1, "acl": {"/": {}}},
    }


def _everything(version: str) -> set[str]:
    held = {name for names in minimal(version).values() for name in names}
    return held | {"Sys.Audit", "Sys.Modify", "Pool.Allocate", "Datastore.Allocate", "Permissions.Modify"}


def make_machine(
    world: World, vmid: int, name: str, agent: str, more: dict[str, str], *, storage: str = "local-lvm"
) -> Guest:
    """A stopped machine with a disk of 10 GiB and a cloud-init drive; *more* are settings over the usual ones."""
    prefix = "base" if more.get("template") else "vm"
    disk, drive = f"{storage}:{prefix}-{vmid}-disk-0", f"{storage}:vm-{vmid}-cloudinit"
    world.volumes[disk] = Volume(disk, "images", 10 * GIB, vmid, holds=name)
    world.volumes[drive] = Volume(drive, "images", 4 << 20, vmid)
    config = {
        "name": name,
        "agent": f"{agent},fstrim_cloned_disks=1",
        "boot": "order=scsi0;net0",
        "cores": "2",
        "ide2": f"{drive},media=cdrom,size=4M",
        "memory": "2048",
        "net0": f"virtio={_mac(vmid)},bridge=vmbr0,firewall=1,mtu=1,queues=4",
        "ostype": "l26",
        "scsi0": f"{disk},discard=on,size=10G",
        "scsihw": "virtio-scsi-single",
        "serial0": "socket",
    }
    world.guests[vmid] = Guest(vmid, {**config, **more})
    return world.guests[vmid]


def _mac(vmid: int) -> str:
    return "BC:24:11:" + ":".join(f"{octet:02X}" for octet in vmid.to_bytes(3, "big"))
