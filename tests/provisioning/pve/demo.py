"""The world of ``make demo``: what its site declares as there already, a guest of nobody's, and last night's backups.

``world.json`` says what is there, as ``provisioning.standins`` writes it: ``templates`` and ``others`` (VMID → name), and
``machines``, a list of ``{"vmid", "settings", "storage", "disk", "data"}``; sizes in bytes, ``data`` null or
``[serial, size]``.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.provisioning.pve import keeping
from tests.provisioning.pve.configuring import cloudinit_values, size_text
from tests.provisioning.pve.server import Standin
from tests.provisioning.pve.world import GIB, Guest, Storage, Volume, World
from tests.provisioning.pve.worlds import hand_out_tokens, make_machine

STORAGE = "local-zfs"


class KeptStandin(Standin):
    """A node whose machines are still there after a restart; its *folder* has ``world.json``, and gets ``state.json``.

    ``leases.json`` beside the folder says which addresses the site's DHCP server hands out: MAC → address.
    """

    has_door = False

    def __init__(self, folder: Path, node: str, seconds: float, **how: Any) -> None:
        self.folder, self.node, self.seconds = folder, node, seconds
        self.kept = ""
        super().__init__(("127.0.0.1", 0), options={}, **how)

    def reset(self) -> None:
        super().reset()
        self.world = make_demo(self.schema.version, self.node, self.folder / "world.json", self.seconds)
        if self._state.exists():
            keeping.put_back(self.world, self._state.read_text())

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def before_call(self) -> None:
        leases = self.folder.parent / "leases.json"
        if leases.exists():
            self.world.leases = json.loads(leases.read_text())

    def after_call(self) -> None:
        self.log.clear()  # nobody reads it
        text = keeping.as_text(self.world)
        if text != self.kept:
            keeping.write(self._state, text)
            self.kept = text


def make_demo(version: str, node: str, file: Path, seconds: float) -> World:
    """A node as on the morning of the demo; *seconds*: how long each task takes."""
    said = json.loads(file.read_text())
    world = World(version=version, node=node, task_seconds=seconds, pools=list(said["pools"]), talks=True)
    world.storages = {
        "local": Storage("local", "dir", "backup,iso,vztmpl", 100 * GIB, 80 * GIB),
        STORAGE: Storage(STORAGE, "zfspool", "images,rootdir", 2000 * GIB, 1500 * GIB),
    }
    for vmid, name in said["templates"].items():
        make_machine(world, int(vmid), name, "1", {"template": "1"}, storage=STORAGE)
    for vmid, name in said["others"].items():
        _run(make_machine(world, int(vmid), name, "1", {"onboot": "1"}, storage=STORAGE))
    for each in said["machines"]:
        _backed_up(world, _declared(world, each))
    hand_out_tokens(world)
    return world


def _declared(world: World, document: dict[str, Any]) -> Guest:
    vmid, settings, storage = document["vmid"], document["settings"], document["storage"]
    guest = make_machine(world, vmid, settings["name"], "1", settings, storage=storage)
    volume = world.volumes[f"{storage}:vm-{vmid}-disk-0"]
    volume.size = document["disk"]
    guest.config["scsi0"] = f"{volume.volid},discard=on,size={size_text(volume.size)}"
    if document["data"]:
        serial, size = document["data"]
        guest.config["scsi1"] = (
            f"{world.allocate(storage, vmid, size)},serial={serial},size={size_text(size)}"
        )
    _run(guest)
    return guest


def _backed_up(world: World, guest: Guest) -> None:
    made = time.time() - 86_400
    stamp = time.strftime("%Y_%m_%d-%H_%M_%S", time.gmtime(made))
    volid = f"local:backup/vzdump-qemu-{guest.vmid}-{stamp}.vma.zst"
    kept = dict(guest.config)
    world.volumes[volid] = Volume(
        volid, "backup", 2 * GIB, guest.vmid, made, f"{guest.name}, nightly", config=kept
    )


def _run(guest: Guest) -> None:
    guest.running, guest.booted, guest.image = True, dict(guest.config), cloudinit_values(guest)
