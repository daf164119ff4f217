"""The state of one fake node: guests, storages, volumes, tasks, tokens. Tasks end when their time has come."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.provisioning.pve.refusals import TaskError, died, no_config

GIB = 1 << 30
LOG_LIMIT = 50
_TALKING = ("qmclone", "qmrestore", "vzdump")
_DISK = re.compile(r"(?:ide|sata|scsi|virtio|efidisk|tpmstate)\d+\Z")


@dataclass
class Guest:
    vmid: int
    config: dict[str, str]
    kind: str = "qemu"
    node: str = ""
    running: bool = False
    pending: dict[str, str | None] = field(default_factory=dict)
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: what the cloud-init image on disk was made of
    image: dict[str, str] = field(default_factory=dict)
    #: {"absent": true}, {"delay": seconds}, {"addresses": […]}, {"extra": [interfaces]}
    agent: dict[str, Any] = field(default_factory=dict)
    started: float = 0.0
    #: what it had in memory when it was started: {key: value}
    booted: dict[str, str] = field(default_factory=dict)
    ignores_shutdown: bool = False
    pool: str = ""

    @property
    def name(self) -> str:
        return self.config.get("name") or self.config.get("hostname") or f"VM {self.vmid}"

    def effective(self) -> dict[str, str]:
        """The configuration with pending values merged in."""
        merged = {**self.config, **{key: value for key, value in self.pending.items() if value is not None}}
        return {key: value for key, value in merged.items() if self.pending.get(key, "") is not None}

    def digest(self) -> str:
        text = json.dumps([self.config, self.pending], sort_keys=True)
        return hashlib.sha1(text.encode()).hexdigest()

    def disks(self) -> dict[str, str]:
        """Key → value of every drive with a volume."""
        return {k: v for k, v in self.config.items() if _DISK.match(k) and ":" in v.split(",")[0]}


@dataclass
class Storage:
    name: str
    kind: str = "lvmthin"
    content: str = "images,rootdir"
    total: int = 500 * GIB
    free: int = 400 * GIB
    shared: bool = False
    active: bool = True
    server: str = ""
    #: as storage.cfg has it: ``keep-last=3``; empty: it does not say
    prune_backups: str = ""
    max_protected_backups: int | None = None


@dataclass
class Volume:
    volid: str
    content: str
    size: int
    vmid: int | None = None
    made: float = 0.0
    notes: str = ""
    protected: bool = False
    #: of a backup: the configuration in it
    config: dict[str, str] = field(default_factory=dict)
    #: of a linked clone: the base volume
    parent: str = ""
    #: what somebody wrote to it; of a backup: by key
    holds: str = ""
    contents: dict[str, str] = field(default_factory=dict)


@dataclass
class Task:
    upid: str
    kind: str
    subject: str
    user: str
    started: float
    ends: float
    effect: Callable[[], str | None]
    undo: Callable[[], None] = lambda: None
    log: list[str] = field(default_factory=list)
    status: str = ""
    ended: float | None = None
    told: int = 0

    def tell(self, now: float) -> None:
        """A line of its log for each quarter of its time that is over."""
        over = (now - self.started) / max(self.ends - self.started, 0.001)
        while self.kind in _TALKING and self.told < min(4, int(over * 4)):
            self.told += 1
            self.log.append(f"transferred {25 * self.told} % (a stand-in: nothing is really moved)")


@dataclass
class World:
    """Everything; ``tick`` before each look. *task_seconds*: how long a task takes."""

    version: str = "9.1"
    node: str = "pve"
    task_seconds: float = 0.0
    guests: dict[int, Guest] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    bridges: list[str] = field(default_factory=lambda: ["vmbr0"])
    pools: list[str] = field(default_factory=lambda: ["mgmt"])
    tasks: dict[str, Task] = field(default_factory=dict)
    #: id → {"secret", "privsep", "acl": {path: {privilege: propagate}}}
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: user → acl, which a token with privilege separation is cut by
    users: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    #: of the datacenter: ``{"allow": "free", "list": [tags], "registered": [tags]}``, each may be left out
    tag_rules: dict[str, Any] = field(default_factory=dict)
    #: MAC in lower case → the address that DHCP hands out
    leases: dict[str, str] = field(default_factory=dict)
    #: every start that was carried out: {"vmid", "config"} as it was booted
    boots: list[dict[str, Any]] = field(default_factory=list)
    pids: Any = field(default_factory=lambda: itertools.count(0x3E8))
    #: whether long tasks say how far they are
    talks: bool = False

    # --- time and tasks ---

    def tick(self) -> None:
        """End the tasks whose time has come, in order."""
        now = time.time()
        for task in sorted(self.tasks.values(), key=lambda task: task.ends):
            if not task.status and self.talks:
                task.tell(now)
            if not task.status and task.ends <= now:
                self.end(task)

    def end(self, task: Task) -> None:
        try:
            task.status = task.effect() or "OK"
        except TaskError as error:
            task.status = str(error)
            task.log += error.lines
            task.undo()
        task.ended = time.time()
        task.log.append("TASK OK" if task.status == "OK" else f"TASK {_verdict(task.status)}")

    def stop(self, task: Task) -> None:
        if not task.status:
            task.undo()
            task.status, task.ended = "unexpected status", time.time()

    def start_task(
        self,
        kind: str,
        subject: object,
        user: str,
        effect: Callable[[], str | None],
        undo: Callable[[], None] = lambda: None,
    ) -> str:
        now = time.time()
        pid = next(self.pids)
        upid = f"UPID:{self.node}:{pid:08X}:{random.randrange(1 << 32):08X}:{int(now):08X}:{kind}:{subject}:{user}:"
        self.tasks[upid] = Task(upid, kind, str(subject), user, now, now + self.task_seconds, effect, undo)
        return upid

    # --- guests and volumes ---

    def guest(self, vmid: int, kind: str = "qemu") -> Guest:
        """500 in Proxmox's words where there is none on this node."""
        found = self.guests.get(vmid)
        if found is None or found.kind != kind or (found.node or self.node) != self.node:
            raise no_config(self.node, vmid, kind)
        return found

    def unlocked(self, vmid: int) -> Guest:
        guest = self.guest(vmid)
        if guest.config.get("lock"):
            raise died(f"VM is locked ({guest.config['lock']})")
        return guest

    def storage_for(self, name: str, content: str) -> Storage:
        storage = self.storages.get(name)
        if storage is None:
            raise died(f"storage '{name}' does not exist")
        if content not in storage.content.split(","):
            raise died(f"storage '{name}' does not support content-type '{content}'")
        return storage

    def allocate(self, storage: str, vmid: int, size: int, *, cloudinit: bool = False) -> str:
        """A new volume; a task error where there is no room."""
        place = self.storages[storage]
        if place.free < size:
            raise TaskError(
                f"lvcreate 'pve/vm-{vmid}-disk-0' error:   Volume group has insufficient free space"
            )
        place.free -= size
        name = f"vm-{vmid}-cloudinit" if cloudinit else self._free_name(storage, vmid)
        volid = f"{storage}:{name}"
        self.volumes[volid] = Volume(volid, "images", size, vmid, time.time())
        return volid

    def free_volume(self, volid: str) -> None:
        volume = self.volumes.pop(volid, None)
        if volume is not None:
            self.storages[volid.split(":")[0]].free += volume.size

    def _free_name(self, storage: str, vmid: int) -> str:
        numbers = itertools.count()
        return next(
            name
            for name in (f"vm-{vmid}-disk-{number}" for number in numbers)
            if f"{storage}:{name}" not in self.volumes
        )


def _verdict(status: str) -> str:
    return status if status.startswith("WARNINGS") else f"ERROR: {status}"
