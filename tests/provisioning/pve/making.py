"""Clone, create, restore, destroy, back up: what makes and unmakes guests."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.provisioning.pve import configuring, operating
from tests.provisioning.pve.configuring import DRIVE, NET, size_text
from tests.provisioning.pve.formats import random_mac
from tests.provisioning.pve.refusals import TaskError, died, wrong
from tests.provisioning.pve.rights import Caller
from tests.provisioning.pve.schema import Schema
from tests.provisioning.pve.world import Guest, Storage, Volume, World

NOT_COPIED = frozenset(["lock", "parent", "snaptime", "template", "vmstate"])
#: what a machine says of itself until it is cloned
CLONING = " qmclone temporary file"
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")


def clone(world: World, caller: Caller, params: dict[str, Any]) -> str:
    template, vmid = world.guest(params["vmid"]), params["newid"]
    storage, full = params.get("storage"), params.get("full", 0) or not template.config.get("template")
    if storage and not full:
        raise wrong(storage="parameter 'storage' not allowed for linked clones")
    if params.get("pool") and params["pool"] not in world.pools:
        raise died(f"pool '{params['pool']}' does not exist")
    for value in template.config.values():
        caller.check_bridge(value)
    for value in template.disks().values():
        where = storage or value.split(":")[0]
        caller.require(f"/storage/{where}", "Datastore.AllocateSpace")
        world.storage_for(where, "images")
    if vmid in world.guests:
        raise died(f"unable to create VM {vmid}: config file already exists")
    world.unlocked(template.vmid)
    made = Guest(vmid, {"lock": "clone", "description": CLONING})
    world.guests[vmid] = made

    def effect() -> None:
        if made.vmid not in world.guests:
            raise TaskError("clone failed: the configuration is gone")
        made.config = {**_copied(world, template, vmid, storage, linked=not full), **_named(params)}
        made.pool = params.get("pool", "")  # last: until then no right on the pool reaches it

    return world.start_task("qmclone", template.vmid, caller.id, effect, lambda: _remove(world, vmid))


def _named(params: dict[str, Any]) -> dict[str, str]:
    return {key: params[key] for key in ("name", "description") if params.get(key)}


def _copied(world: World, source: Guest, vmid: int, storage: str | None, *, linked: bool) -> dict[str, str]:
    """A copy of a configuration with volumes and MACs of its own."""
    config = {}
    for key, value in source.config.items():
        if key in NOT_COPIED or key.startswith(("unused", "running")):
            continue
        if NET.match(key):
            value = _MAC.sub(random_mac(), value)
        elif DRIVE.match(key) and ":" in value.split(",")[0]:
            value = _copied_drive(world, value, vmid, storage, linked=linked)
        config[key] = value
    return {**config, "vmgenid": str(uuid.uuid4()), "smbios1": f"uuid={uuid.uuid4()}"}


def _copied_drive(world: World, value: str, vmid: int, storage: str | None, *, linked: bool) -> str:
    volume, _, options = value.partition(",")
    old = world.volumes[volume]
    where = storage or volume.split(":")[0]
    made = world.allocate(where, vmid, old.size, cloudinit="cloudinit" in volume)
    world.volumes[made].holds = old.holds
    if linked and "cloudinit" not in volume:
        world.volumes[made].parent = volume
    return f"{made},{options}" if options else made


def create(world: World, schema: Schema, caller: Caller, params: dict[str, Any]) -> str:
    vmid = params["vmid"]
    pool = params.get("pool")
    try:
        caller.require(f"/vms/{vmid}", "VM.Allocate")
    except Exception:
        if not pool:
            raise
        caller.require(f"/pool/{pool}", "VM.Allocate")
    if params.get("archive"):
        return _restore(world, caller, params)
    if vmid in world.guests:
        raise died(f"unable to create VM {vmid} - VM {vmid} already exists on node '{world.node}'")
    settings = configuring.settings_of(
        schema,
        {k: v for k, v in params.items() if k not in ("pool", "start", "unique", "storage", "archive")},
    )
    caller.check_settings(f"/vms/{vmid}" if not pool else f"/pool/{pool}", settings)
    if "tags" in settings:  # the pool does not count for them: the machine is no member yet
        caller.check_tags(vmid, "", settings["tags"])
    made = Guest(vmid, {"lock": "create"})
    world.guests[vmid] = made

    def effect() -> None:
        config = {}
        for key, value in settings.items():
            config[key] = configuring.attach(world, made, key, value) if DRIVE.match(key) else value
        made.config, made.pool = config, pool or ""

    return world.start_task("qmcreate", vmid, caller.id, effect, lambda: _remove(world, vmid))


def _restore(world: World, caller: Caller, params: dict[str, Any]) -> str:
    vmid, backup = params["vmid"], world.volumes.get(params["archive"])
    if backup is None or backup.content != "backup":
        raise died(f"unable to restore VM {vmid} - volume '{params['archive']}' does not exist")
    old = world.guests.get(vmid)
    if old is not None:
        if not params.get("force"):
            raise died(f"unable to restore VM {vmid} - VM {vmid} already exists on node '{world.node}'")
        caller.require(f"/vms/{vmid}", "VM.Backup")
        world.unlocked(vmid)
        if old.running:
            raise died(f"unable to restore VM {vmid} - unable to restore vm {vmid} - vm is running")
        if old.config.get("protection") == "1":
            raise died(f"unable to restore VM {vmid} - can't remove VM {vmid} - protection mode enabled")
    storage = params.get("storage")
    if storage:
        caller.require(f"/storage/{storage}", "Datastore.AllocateSpace")
        world.storage_for(storage, "images")
    if old is None:
        world.guests[vmid] = Guest(vmid, {"lock": "create"})
    else:
        old.config["lock"] = "create"

    held = {key: value for key, value in backup.config.items() if not _is_left_out(value)}

    def effect() -> None:
        guest = world.guests[vmid]
        for key, value in guest.disks().items():
            if key in held:  # what is not in the backup is kept, and attached to nothing
                world.free_volume(value.split(",")[0])
        for taken in guest.snapshots.values():
            world.free_volume(taken.get("vmstate", ""))
        guest.config, guest.pending, guest.snapshots = {"memory": "128", "lock": "create"}, {}, {}
        before = set(world.volumes)
        try:
            guest.config = filled()
        except TaskError:
            for volid in set(world.volumes) - before:
                world.free_volume(volid)
            raise
        _rescan(world, guest)
        guest.pool = params.get("pool") or guest.pool

    def filled() -> dict[str, str]:
        config = {}
        for key, value in held.items():
            if DRIVE.match(key) and ":" in value.split(",")[0]:
                value = _restored_drive(world, value, vmid, storage)
                world.volumes[value.split(",")[0]].holds = backup.contents.get(key, "")
            elif NET.match(key) and params.get("unique"):
                value = _MAC.sub(random_mac(), value)
            config[key] = value
        return config

    undo = (lambda: _remove(world, vmid)) if old is None else (lambda: _unlock(world, vmid))
    return world.start_task("qmrestore", vmid, caller.id, effect, undo)


def _rescan(world: World, guest: Guest) -> None:
    """Every volume of the machine that nothing names is listed as unused."""
    named = {value.split(",")[0] for value in guest.config.values()}
    own = (v for v in world.volumes.values() if v.vmid == guest.vmid and v.content == "images")
    lost = [volume.volid for volume in own if volume.volid not in named and "cloudinit" not in volume.volid]
    guest.config |= {f"unused{number}": volid for number, volid in enumerate(sorted(lost))}


def _restored_drive(world: World, value: str, vmid: int, storage: str | None) -> str:
    volume, _, options = value.partition(",")
    size = re.search(r"size=(\d+)([KMG])", value)
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    wanted = int(size[1]) * units[size[2]] if size else 0
    made = world.allocate(storage or volume.split(":")[0], vmid, wanted, cloudinit="cloudinit" in volume)
    return f"{made},{options}" if options else made


def destroy(world: World, caller: Caller, params: dict[str, Any]) -> str:
    guest = world.unlocked(params["vmid"])
    if guest.config.get("protection") == "1":
        raise died(f"can't remove VM {guest.vmid} - protection mode enabled")
    if guest.running:
        raise died(f"VM {guest.vmid} is running - destroy failed")

    own = {value.split(",")[0] for value in guest.disks().values()}
    used = [volume.parent for volume in world.volumes.values() if volume.parent in own]

    def refuse() -> None:
        raise TaskError(f"base volume '{used[0]}' is still in use by linked cloned")

    if used:
        return world.start_task("qmdestroy", guest.vmid, caller.id, refuse)
    undo = _emptied(world, guest)

    def effect() -> None:
        _remove(world, guest.vmid)
        for acl in (*world.users.values(), *(token["acl"] for token in world.tokens.values())):
            acl.pop(f"/vms/{guest.vmid}", None)

    return world.start_task("qmdestroy", guest.vmid, caller.id, effect, undo)


def _emptied(world: World, guest: Guest) -> Callable[[], None]:
    """Its volumes go first, and of its configuration a lock stays until everything else is gone; how to take that back."""
    config, pending = guest.config, guest.pending
    gone = [one for one in world.volumes.values() if one.vmid == guest.vmid and one.content != "backup"]
    for volume in gone:
        world.free_volume(volume.volid)
    guest.config, guest.pending = {"lock": "destroyed"}, {}

    def undo() -> None:
        guest.config, guest.pending = config, pending
        for volume in gone:
            world.volumes[volume.volid] = volume
            world.storages[volume.volid.split(":")[0]].free -= volume.size

    return undo


def _remove(world: World, vmid: int) -> None:
    """Configuration and every volume of its name; backups stay."""
    world.guests.pop(vmid, None)
    for volid in [v.volid for v in world.volumes.values() if v.vmid == vmid and v.content != "backup"]:
        world.free_volume(volid)


def backup(world: World, caller: Caller, params: dict[str, Any]) -> str:
    vmid, name = int(params["vmid"]), params.get("storage", "local")
    caller.require(f"/vms/{vmid}", "VM.Backup")
    caller.require(f"/storage/{name}", "Datastore.AllocateSpace")
    storage = world.storage_for(name, "backup")
    notes = _notes(world, vmid, params.get("notes-template", ""))
    unlimited = caller.has(f"/storage/{name}", "Datastore.Allocate")
    if vmid in world.guests:
        world.unlocked(vmid).config["lock"] = "backup"

    def effect() -> None:
        guest = world.guests.get(vmid)
        if guest is None:
            raise TaskError(f"unable to find VM '{vmid}'")
        guest.config.pop("lock", None)
        _check_limits(world, storage, vmid, protected=bool(params.get("protected")), unlimited=unlimited)
        if params.get("mode") == "stop":
            operating.off_and_on(world, guest)
        size = sum(world.volumes[v.split(",")[0]].size for v in guest.disks().values()) // 10
        if storage.free < size:
            raise TaskError("job errors")
        volid = _free_backup(world, name, vmid)
        storage.free -= size
        kept = {k: v for k, v in guest.config.items() if not k.startswith("unused")}
        made = Volume(volid, "backup", size, vmid, time.time(), notes, bool(params.get("protected")), kept)
        made.contents = {
            key: world.volumes[value.split(",")[0]].holds
            for key, value in guest.disks().items()
            if not _is_left_out(value)
        }
        world.volumes[volid] = made

    def undo() -> None:
        if vmid in world.guests:
            world.guests[vmid].config.pop("lock", None)

    return world.start_task("vzdump", vmid, caller.id, effect, undo)


def _check_limits(world: World, storage: Storage, vmid: int, *, protected: bool, unlimited: bool) -> None:
    """How many backups of one guest fit: nothing older is removed for a new one (``remove=0``)."""
    there = [
        one
        for one in world.volumes.values()
        if one.content == "backup" and one.vmid == vmid and one.volid.startswith(f"{storage.name}:")
    ]
    marked = sum(one.protected for one in there)
    keeps = dict(part.split("=") for part in filter(None, storage.prune_backups.split(",")))
    kept = 0 if keeps.pop("keep-all", "0") == "1" else sum(map(int, keeps.values()))
    most = storage.max_protected_backups
    most = (-1 if unlimited else 5) if most is None else most
    said = ""
    if protected and -1 < most <= marked:
        said = f"The number of protected backups per guest is limited to {most} on storage '{storage.name}'"
    elif not protected and kept and len(there) - marked >= kept:
        said = (
            f"There is a max backup limit of {kept} enforced by the target storage or the vzdump parameters. "
            "Either increase the limit or delete old backups."
        )
    if said:
        raise TaskError("job errors", f"ERROR: Backup of VM {vmid} failed - {said}")


def _is_left_out(value: str) -> bool:
    """Of such a disk a backup has the line and no data."""
    return "backup=0" in value.split(",")


def _unlock(world: World, vmid: int) -> None:
    """A restore over a machine that failed: Proxmox takes the lock away, and nothing else is put back."""
    if vmid in world.guests:
        world.guests[vmid].config.pop("lock", None)


def _free_backup(world: World, storage: str, vmid: int) -> str:
    """Named by the second, as Proxmox does; two within one second, which a real node never makes, get two names."""
    for second in itertools.count(int(time.time())):
        stamp = time.strftime("%Y_%m_%d-%H_%M_%S", time.localtime(second))
        volid = f"{storage}:backup/vzdump-qemu-{vmid}-{stamp}.vma.zst"
        if volid not in world.volumes:
            return volid
    raise AssertionError("there is always another second")


def _notes(world: World, vmid: int, template: str) -> str:
    for letter in re.findall(r"\\(.)", template):
        if letter not in "n\\":
            raise wrong(notes_template=f"invalid value - escape sequence '\\{letter}'")
    known = {
        "vmid": str(vmid),
        "node": world.node,
        "guestname": world.guests[vmid].name if vmid in world.guests else "",
    }
    for variable in re.findall(r"\{\{([^\s{}]+)\}\}", template):
        if variable not in known:
            raise wrong(notes_template=f"invalid value - unknown variable '{{{{{variable}}}}}'")
    plain = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], template)
    return re.sub(r"\{\{(\w+)\}\}", lambda found: known[found[1]], plain)


def extract_config(world: World, caller: Caller, params: dict[str, Any]) -> str:
    """The configuration in a backup, as its file has it: the description as encoded comments before everything."""
    backup = world.volumes.get(params["volume"])
    if backup is None or backup.content != "backup":
        raise died(f"volume '{params['volume']}' does not exist")
    caller.require(f"/storage/{params['volume'].split(':')[0]}", "Datastore.AllocateSpace")
    caller.require(f"/vms/{backup.vmid}", "VM.Backup")
    described = backup.config.get("description", "").splitlines()
    lines = ["#" + line.replace("%", "%25").replace(":", "%3A") for line in described]
    lines += [f"{key}: {value}" for key, value in sorted(backup.config.items()) if key != "description"]
    return "\n".join(lines) + "\n"


def resize(world: World, caller: Caller, params: dict[str, Any]) -> str:
    guest, key, text = world.unlocked(params["vmid"]), params["disk"], params["size"]
    if params.get("digest") and params["digest"] != guest.digest():
        raise died("detected modified configuration - file changed by other user? Try again.")

    def effect() -> None:
        value = guest.config.get(key)
        if value is None:
            raise TaskError(f"disk '{key}' does not exist")
        volume = world.volumes[value.split(",")[0]]
        units = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
        number, unit = re.fullmatch(r"\+?([\d.]+)([KMGT]?)", text).groups()
        size = int(float(number) * units[unit]) + (volume.size if text.startswith("+") else 0)
        if size < volume.size:
            raise TaskError("shrinking disks is not supported")
        storage = world.storages[volume.volid.split(":")[0]]
        if storage.free < size - volume.size:
            raise TaskError(f"lvextend '{volume.volid}' error:   Insufficient free space")
        storage.free -= size - volume.size
        volume.size = size
        guest.config[key] = re.sub(r"size=\w+", f"size={size_text(size)}", value)

    return world.start_task("resize", guest.vmid, caller.id, effect)


def move_disk(world: World, caller: Caller, params: dict[str, Any]) -> str:
    """Reassigning to another machine; moving to another storage is not modelled."""
    if "target-vmid" not in params:
        raise died("the stand-in does not move disks between storages")
    if params["vmid"] == params["target-vmid"]:
        raise wrong(target_vmid="must be different than source VMID to reassign disk")
    source, target = world.unlocked(params["vmid"]), world.unlocked(params["target-vmid"])
    caller.require(f"/vms/{target.vmid}", "VM.Config.Disk")
    key, new = params["disk"], params["target-disk"]
    _check_reassign(source, target, key, new)
    caller.require(f"/storage/{source.config[key].split(':')[0]}", "Datastore.AllocateSpace")

    def effect() -> None:
        value = source.config.pop(key)
        configuring.off_the_order(source, key)
        volid, _, options = value.partition(",")
        volume = world.volumes.pop(volid)
        fresh = world._free_name(volid.split(":")[0], target.vmid)
        moved = replace(volume, volid=f"{volid.split(':')[0]}:{fresh}", vmid=target.vmid)
        world.volumes[moved.volid] = moved
        target.config[new] = f"{moved.volid},{options}" if options else moved.volid

    return world.start_task("qmmove", f"{source.vmid}-{key}>{target.vmid}-{new}", caller.id, effect)


def _check_reassign(source: Guest, target: Guest, key: str, new: str) -> None:
    if key not in source.config:
        raise died(f"disk '{key}' for VM {source.vmid} does not exist")
    if "media=cdrom" in source.config[key]:
        raise died(f"disk '{key}' is a CD-ROM; it cannot be moved to another VM")
    if source.running and not key.startswith("unused"):
        raise died(f"Cannot move disk '{key}' to another VM while the source VM is running - detach first")
    volume = source.config[key].split(",")[0]
    if any(volume in str(taken["config"].values()) for taken in source.snapshots.values()):
        raise died("Can't move disk used by a snapshot to another VM")
    if new in target.config:
        raise wrong(target_disk=f"Target disk key '{new}' is already in use for VM '{target.vmid}'")
