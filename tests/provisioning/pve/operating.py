"""Power, snapshots, cloud-init and the guest's own agent."""

from __future__ import annotations

import re
import time
from typing import Any

from tests.provisioning.pve import configuring
from tests.provisioning.pve.refusals import TaskError, died, no_config
from tests.provisioning.pve.rights import Caller
from tests.provisioning.pve.world import Guest, World

#: kinds of storage whose disks, as they are made here, can be snapped
SNAPSHOTS = frozenset(["lvmthin", "zfspool", "rbd", "btrfs"])
#: what a snapshot with memory keeps of the process that ran
RUNNING = {"runningmachine": "pc-i440fx-9.2+pve1", "runningcpu": "kvm64,enforce"}


def power(world: World, caller: Caller, params: dict[str, Any], how: str) -> str:
    guest = world.unlocked(params["vmid"])
    if how == "start" and guest.config.get("template") == "1":
        raise died("you can't start a vm if it's a template")
    effects = {"start": _start, "stop": _stop, "shutdown": _shutdown, "reset": _reset, "reboot": _reboot}
    return world.start_task(f"qm{how}", guest.vmid, caller.id, lambda: effects[how](world, guest, params))


def _start(world: World, guest: Guest, params: dict[str, Any]) -> str | None:
    if guest.running:
        raise TaskError(f"VM {guest.vmid} already running")
    _check_bridges(world, guest)
    configuring.power_cycle(guest)
    without = guest.config.get("bios") == "ovmf" and "efidisk0" not in guest.config
    guest.image = configuring.cloudinit_values(guest)
    guest.running, guest.started, guest.booted = True, time.time(), dict(guest.config)
    world.boots.append({"vmid": guest.vmid, "config": dict(guest.config)})
    return "WARNINGS: 1" if without else None  # “no efidisk configured! Using temporary efivars disk.”


def off_and_on(world: World, guest: Guest) -> None:
    """What a backup with ``mode=stop`` does to a running machine: it is started again with what waited for that."""
    if guest.running:
        _stop(world, guest, {})
        _start(world, guest, {})


def _check_bridges(world: World, guest: Guest) -> None:
    for key, value in guest.config.items():
        bridge = re.search(r"(?:^|,)bridge=([^,]+)", value) if configuring.NET.match(key) else None
        if bridge and bridge[1] not in world.bridges:
            raise TaskError(f"bridge '{bridge[1]}' does not exist")


def _stop(world: World, guest: Guest, params: dict[str, Any]) -> None:
    guest.running = False
    configuring.power_cycle(guest)


def _shutdown(world: World, guest: Guest, params: dict[str, Any]) -> None:
    if not guest.running:
        raise TaskError(f"VM {guest.vmid} not running")
    if guest.ignores_shutdown and not params.get("forceStop"):
        raise TaskError("VM quit/powerdown failed - got timeout")
    _stop(world, guest, params)


def _reset(world: World, guest: Guest, params: dict[str, Any]) -> None:
    if not guest.running:
        raise TaskError(f"VM {guest.vmid} not running")
    guest.started = time.time()


def _reboot(world: World, guest: Guest, params: dict[str, Any]) -> None:
    if not guest.running:
        raise TaskError(f"VM {guest.vmid} not running")
    if guest.ignores_shutdown:
        raise TaskError("VM quit/powerdown failed - got timeout")
    _stop(world, guest, params)
    _start(world, guest, params)


def _unlocked(world: World, guest: Guest) -> None:
    """What a worker finds out for itself, other than what the call checks before it forks one."""
    if guest.vmid not in world.guests:
        raise TaskError(no_config(world.node, guest.vmid).reason)
    if guest.config.get("lock"):
        raise TaskError(f"VM is locked ({guest.config['lock']})")


def snapshot(world: World, caller: Caller, params: dict[str, Any]) -> str:
    """Only the reserved names are refused at once; everything else is said by the task."""
    guest, name = world.guest(params["vmid"]), params["snapname"]
    if name in ("current", "pending"):
        raise died(f"unable to use snapshot name '{name}' (reserved name)")

    def effect() -> None:
        _unlocked(world, guest)
        if guest.config.get("template") == "1":
            raise TaskError("you can't take a snapshot if it's a template")
        if name in guest.snapshots:
            raise TaskError(f"snapshot name '{name}' already used")
        kinds = {world.storages[value.split(":")[0]].kind for value in _own_disks(guest).values()}
        if kinds - SNAPSHOTS:
            raise TaskError("snapshot feature is not available")
        kept = {key: value for key, value in guest.config.items() if _is_snapped(key)}
        state = {}
        if params.get("vmstate") and guest.running:
            place = guest.config.get("vmstatestorage") or next(
                value.split(":")[0] for value in _own_disks(guest).values()
            )
            volid = world.allocate(place, guest.vmid, int(kept.get("memory", "512")) << 20)
            state = {"vmstate": volid}
            kept |= _running(world, kept)
        guest.snapshots[name] = {
            "name": name,
            "description": params.get("description", ""),
            "snaptime": int(time.time()),
            "config": kept,
            "parent": guest.config.get("parent", ""),
            **state,
        }
        guest.config["parent"] = name

    return world.start_task("qmsnapshot", guest.vmid, caller.id, effect)


def _running(world: World, config: dict[str, str]) -> dict[str, str]:
    cards = ",".join(f"{key}=1500" for key in sorted(config) if configuring.NET.match(key))
    return RUNNING | ({"running-nets-host-mtu": cards} if world.version.startswith("9") else {})


def rollback(world: World, caller: Caller, params: dict[str, Any]) -> str:
    """The description stays, disks that came later become unused, a machine with its memory runs at once."""
    guest, name = world.guest(params["vmid"]), params["snapname"]

    def effect() -> None:
        if name not in guest.snapshots:
            raise TaskError(f"snapshot '{name}' does not exist")
        _unlocked(world, guest)
        taken = guest.snapshots[name]
        ran = _running(world, taken["config"])
        config, before = {k: v for k, v in taken["config"].items() if k not in ran}, guest.config
        for key in ("description", *(key for key in before if key.startswith("unused"))):
            if key in before:
                config[key] = before[key]
        used = {value.split(",")[0] for value in config.values()}
        for value in _own_disks(guest).values():
            if value.split(",")[0] not in used:
                number = next(n for n in range(256) if f"unused{n}" not in config)
                config[f"unused{number}"] = value.split(",")[0]
        guest.config, guest.pending = {**config, "parent": name}, {}
        for value in _own_disks(guest).values():
            _shrink(world, value)
        guest.running, guest.booted = False, {}
        if taken.get("vmstate") or params.get("start"):
            guest.running, guest.started, guest.booted = True, time.time(), dict(guest.config)

    return world.start_task("qmrollback", guest.vmid, caller.id, effect)


def _shrink(world: World, value: str) -> None:
    volid, _, options = value.partition(",")
    size = re.search(r"(?:^|,)size=(\d+)([KMG])", options)
    if volid in world.volumes and size:
        world.volumes[volid].size = int(size[1]) * {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[size[2]]


def _own_disks(guest: Guest) -> dict[str, str]:
    return {key: value for key, value in guest.disks().items() if "media=cdrom" not in value}


def _is_snapped(key: str) -> bool:
    """``__snapshot_copy_config`` of PVE::AbstractConfig."""
    return key not in ("lock", "description", "parent") and not key.startswith("unused")


def delete_snapshot(world: World, caller: Caller, params: dict[str, Any]) -> str:
    guest, name = world.guest(params["vmid"]), params["snapname"]

    def effect() -> None:
        _unlocked(world, guest)
        if name not in guest.snapshots:
            raise TaskError(f"snapshot '{name}' does not exist")
        gone = guest.snapshots.pop(name)
        if gone.get("vmstate"):
            world.free_volume(gone["vmstate"])
        for each in guest.snapshots.values():
            if each["parent"] == name:
                each["parent"] = gone["parent"]
        if guest.config.get("parent") == name:
            guest.config.pop("parent")
            if gone["parent"]:
                guest.config["parent"] = gone["parent"]

    return world.start_task("qmdelsnapshot", guest.vmid, caller.id, effect)


def snapshots(guest: Guest) -> list[dict[str, Any]]:
    listed = []
    for each in guest.snapshots.values():
        row = {key: value for key, value in each.items() if key != "config" and value != ""}
        listed.append(row | {"vmstate": int("vmstate" in each)})
    current = {
        "name": "current",
        "description": "You are here!",
        "running": int(guest.running),
        "digest": guest.digest(),
    }
    parent = guest.config.get("parent")
    return [*listed, current | ({"parent": parent} if parent else {})]


def config_of(guest: Guest, name: str) -> dict[str, Any]:
    """``GET config`` with ``snapshot``: as it was taken, with the snapshot's own description."""
    if name not in guest.snapshots:
        raise died(f"snapshot '{name}' does not exist")
    taken = guest.snapshots[name]
    own = {key: str(taken[key]) for key in ("description", "snaptime", "vmstate", "parent") if taken.get(key)}
    return configuring.read(Guest(guest.vmid, {**taken["config"], **own}), current=True)


def regenerate(guest: Guest) -> None:
    if not any("cloudinit" in value for value in guest.disks().values()):
        raise died("no cloudinit drive found")
    guest.image = configuring.cloudinit_values(guest)


def interfaces(world: World, guest: Guest) -> dict[str, Any]:
    """What the agent says: loopback, then each card with the address that it was given."""
    if not guest.running:
        raise died(f"VM {guest.vmid} is not running")
    if not re.match(r"(?:enabled=)?1(?:,|$)", guest.config.get("agent", "0")):
        raise died("No QEMU guest agent configured")
    late = time.time() - guest.started < guest.agent.get("delay", 0)
    if guest.agent.get("absent") or late or boots_from_network(guest):
        raise died("QEMU guest agent is not running")
    listed = [_interface("lo", "00:00:00:00:00:00", ["127.0.0.1", "::1"])]
    for number, (key, value) in enumerate(sorted(guest.booted.items())):
        mac = (
            re.search(r"=((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})", value)
            if configuring.NET.match(key)
            else None
        )
        if mac:
            listed.append(
                _interface(f"ens{18 + number}", mac[1].lower(), _given(world, guest, key, mac[1].lower()))
            )
    return {"result": [*listed, *guest.agent.get("extra", [])]}


def boots_from_network(guest: Guest) -> bool:
    """It was started with the network first: whatever runs in it then is no installed system."""
    return guest.booted.get("boot", "").startswith("order=net")


def _given(world: World, guest: Guest, key: str, mac: str) -> list[str]:
    if key == "net0" and "addresses" in guest.agent:
        return list(guest.agent["addresses"])
    static = re.search(r"(?:^|,)ip=(\d[\d.]+)/", guest.image.get("ipconfig" + key[3:], ""))
    mute = guest.booted.get("bios") == "ovmf" and "rng0" not in guest.booted
    address = static[1] if static else "" if mute else world.leases.get(mac, "")
    return [address, "fe80::1"] if address else ["fe80::1"]


def _interface(name: str, mac: str, addresses: list[str]) -> dict[str, Any]:
    listed = [
        {"ip-address": a, "ip-address-type": "ipv6" if ":" in a else "ipv4", "prefix": 64 if ":" in a else 24}
        for a in addresses
    ]
    return {"name": name, "hardware-address": mac, "ip-addresses": listed}
