"""What a node says: every call that only looks. A token that may only read needs no more than this."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from provisioning.adapters.base import AlreadyThere, GuestSilent, NotFound, Strange
from provisioning.adapters.proxmox import privileges, shapes
from provisioning.adapters.proxmox.access import Access
from provisioning.adapters.proxmox.privileges import Need, Verdict
from provisioning.adapters.proxmox.wire import Wire
from provisioning.machines.facts import (
    BackupLimits,
    Config,
    GuestInterface,
    GuestKind,
    GuestLine,
    NodeFacts,
    SnapshotFacts,
    StorageFacts,
    TaskLine,
    Version,
    VolumeFacts,
)

LOG_PAGE = 500


class Reader:
    """One node's API, for looking. Safe to share between threads. Every method raises AdapterError.

    *check* is called between tries and polls, *fence* with every write just before it is sent; without one, *check* is.
    What they raise ends the call.
    """

    def __init__(
        self,
        access: Access,
        *,
        check: Callable[[], None] | None = None,
        fence: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.access = access
        self.node = access.node
        self.wire = Wire(access, check=check, fence=fence, sleep=sleep)
        #: told what was read of each machine: its configuration (None: there is none), its state
        self.told: Callable[[int, Config | GuestLine | None], None] = lambda vmid, seen: None

    # --- the node ---

    def version(self) -> Version:
        answer = shapes.row(self.wire.read("version"), "GET /version")
        text = str(shapes.need(answer, "version", "GET /version"))
        if not text[:1].isdigit():
            raise Strange(f"“{text}” is no version of Proxmox VE.", call="GET /version")
        return Version(text)

    def nodes(self) -> tuple[NodeFacts, ...]:
        found = shapes.rows(self.wire.read("nodes"), "GET /nodes")
        return tuple(sorted((shapes.node(row, "GET /nodes") for row in found), key=lambda node: node.name))

    def check_node(self) -> tuple[NodeFacts, ...]:
        """The nodes; NotFound unless the declared one is among them under its real name."""
        found = self.nodes()
        if self.node not in [node.name for node in found]:
            names = ", ".join(node.name for node in found) or "none"
            raise NotFound(f"There is no node {self.node} at {self.access.url}; it calls itself: {names}.")
        return found

    def storages(self) -> tuple[StorageFacts, ...]:
        """The node's storages, by name. Those on which the token has no privilege are not listed."""
        call = f"GET /nodes/{self.node}/storage"
        found = shapes.rows(self.wire.read("nodes", self.node, "storage"), call)
        return tuple(sorted((shapes.storage(row, call) for row in found), key=lambda storage: storage.name))

    def servers(self) -> Mapping[str, str]:
        """Storage → where its data lies, of the storages of the network; empty text where that is not said."""
        found = shapes.rows(self.wire.read("storage"), "GET /storage")
        return {
            str(shapes.need(row, "storage", "GET /storage")): next(
                (str(row[key]) for key in ("server", "monhost", "portal") if row.get(key)), ""
            )
            for row in found
        }

    def backup_limits(self, storage: str) -> BackupLimits:
        """How many backups of one guest *storage* takes of this token."""
        call, path = "GET /storage", f"/storage/{storage}"
        found = [row for row in shapes.rows(self.wire.read("storage"), call) if row.get("storage") == storage]
        if not found:
            raise NotFound(f"Proxmox declares no storage {storage}.", call=call)
        allocates = "Datastore.Allocate" in privileges.at(path, self.permissions(path))
        return shapes.backup_limits(found[0], call, allocates=allocates)

    def bridges(self) -> tuple[str, ...]:
        call = f"GET /nodes/{self.node}/network"
        found = shapes.rows(self.wire.read("nodes", self.node, "network", type="any_bridge"), call)
        return tuple(sorted(str(shapes.need(row, "iface", call)) for row in found))

    # --- privileges ---

    def permissions(self, path: str = "") -> Mapping[str, Mapping[str, bool]]:
        """Path → privilege → whether it holds below as well. With *path*, what holds exactly there."""
        params = {"path": path} if path else {}
        answer = shapes.row(self.wire.read("access", "permissions", **params), "GET /access/permissions")
        return {
            at: {name: bool(int(propagates)) for name, propagates in shapes.row(held, "permissions").items()}
            for at, held in answer.items()
        }

    def judge(self, needs: tuple[Need, ...], allowed: frozenset[str]) -> Verdict:
        """What the token lacks of *needs*, and what it has beyond *allowed*."""
        paths = sorted({need.path for need in needs})
        held = {path: privileges.at(path, self.permissions(path)) for path in paths}
        return privileges.judge(needs, held, self.permissions(), allowed)

    # --- guests ---

    def guests(self) -> tuple[GuestLine, ...]:
        """Every guest that the token may see, of every type and node, by VMID; the declared node speaks for itself."""
        found = {guest.vmid: guest for guest in self._guests_elsewhere()}
        for kind in ("qemu", "lxc"):
            call = f"GET /nodes/{self.node}/{kind}"
            for row in shapes.rows(self.wire.read("nodes", self.node, kind), call):
                guest = shapes.guest(row, kind, self.node, call)
                found[guest.vmid] = guest
        return tuple(found[vmid] for vmid in sorted(found))

    def _guests_elsewhere(self) -> list[GuestLine]:
        call = "GET /cluster/resources"
        found = []
        for row in shapes.rows(self.wire.read("cluster", "resources", type="vm"), call):
            node, kind = str(row.get("node") or ""), shapes.need(row, "type", call)
            if node != self.node and kind in ("qemu", "lxc"):
                found.append(shapes.guest(row, kind, node, call))
        return found

    def is_free(self, vmid: int) -> bool:
        """Whether no guest has *vmid*, also among those that the token may not see."""
        try:
            answer = self.wire.read("cluster", "nextid", vmid=vmid)
        except AlreadyThere:
            return False
        if str(answer) != str(
            vmid
        ):  # it says the VMID again where that is free; anything else proves nothing
            raise Strange(f"“{answer}” does not say that VMID {vmid} is free.", call="GET /cluster/nextid")
        return True

    def config(
        self, vmid: int, kind: GuestKind = "qemu", *, pending: bool = False, snapshot: str = ""
    ) -> Config:
        """The configuration; NotFound where there is no such guest. *pending*: also what waits for a power cycle.

        *snapshot*: as that one kept it; its description is the snapshot's own.
        """
        path, params = ("nodes", self.node, kind, vmid), {"snapshot": snapshot} if snapshot else {}
        try:
            answer = shapes.row(self.wire.read(*path, "config", **params), f"GET /{kind}/{vmid}/config")
        except NotFound:
            if not snapshot:
                self.told(vmid, None)
            raise
        call = f"GET /{kind}/{vmid}/pending"
        found = shapes.config(answer, shapes.rows(self.wire.read(*path, "pending"), call) if pending else [])
        if not snapshot:
            self.told(vmid, found)
        return found

    def macs(self, vmid: int, kind: GuestKind = "qemu") -> tuple[str, ...]:
        return shapes.guest_macs(kind, self.config(vmid, kind).values)

    def status(self, vmid: int) -> GuestLine:
        """Whether it runs, now: ``status`` is ``running`` or ``stopped``."""
        call = f"GET /qemu/{vmid}/status/current"
        answer = shapes.row(self.wire.read("nodes", self.node, "qemu", vmid, "status", "current"), call)
        shapes.need(answer, "status", call)
        found = shapes.guest({"vmid": vmid, **answer}, "qemu", self.node, call)
        self.told(vmid, found)
        return found

    def snapshots(self, vmid: int) -> tuple[SnapshotFacts, ...]:
        """Without ``current``, which is no snapshot."""
        call = f"GET /qemu/{vmid}/snapshot"
        found = shapes.rows(self.wire.read("nodes", self.node, "qemu", vmid, "snapshot"), call)
        return tuple(shapes.snapshot(row, call) for row in found if row.get("name") != "current")

    def volumes(self, storage: str, *, vmid: int | None = None, content: str = "") -> tuple[VolumeFacts, ...]:
        """What lies on *storage*, by name; *content* such as ``images`` or ``backup``."""
        params = {"vmid": vmid, "content": content or None}
        call = f"GET /storage/{storage}/content"
        found = shapes.rows(self.wire.read("nodes", self.node, "storage", storage, "content", **params), call)
        return tuple(sorted((shapes.volume(row, call) for row in found), key=lambda volume: volume.volume))

    def backups(self, storage: str, vmid: int) -> tuple[VolumeFacts, ...]:
        """The backups of *vmid* on *storage*, oldest first."""
        found = self.volumes(storage, vmid=vmid, content="backup")
        return tuple(sorted(found, key=lambda volume: (volume.made or 0, volume.volume)))

    def backup_config(self, volume: str) -> Config:
        """The configuration of the machine in a backup; its file has the description as encoded comments."""
        answer = self.wire.read("nodes", self.node, "vzdump", "extractconfig", volume=volume)
        if not isinstance(answer, str):
            raise Strange(f"The configuration in {volume} is no text.", call="GET /vzdump/extractconfig")
        lines = answer.partition("\n[")[0].splitlines()  # without the sections of its snapshots
        described = "\n".join(unquote(line[1:]) for line in lines if line.startswith("#"))
        pairs = (line.partition(":") for line in lines if not line.startswith("#"))
        values = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        return Config({**values, "description": described})

    # --- inside the guest ---

    def cloudinit(self, vmid: int, part: str = "user") -> str:
        """What the configuration says as ``user``, ``network`` or ``meta`` data; the image on disk may be older."""
        answer = self.wire.read("nodes", self.node, "qemu", vmid, "cloudinit", "dump", type=part)
        if not isinstance(answer, str):
            raise Strange(f"The cloud-init {part} data of {vmid} is no text.")
        return answer

    def cloudinit_pending(self, vmid: int) -> tuple[str, ...]:
        """The keys whose value is not yet in the cloud-init image: it must be regenerated."""
        call = f"GET /qemu/{vmid}/cloudinit"
        found = shapes.rows(self.wire.read("nodes", self.node, "qemu", vmid, "cloudinit"), call)
        return tuple(sorted(str(row.get("key")) for row in found if "pending" in row or row.get("delete")))

    def interfaces(self, vmid: int) -> tuple[GuestInterface, ...] | None:
        """What the guest's agent says of its network; None while there is no agent that answers."""
        path = ("nodes", self.node, "qemu", vmid, "agent", "network-get-interfaces")
        try:
            return shapes.interfaces(self.wire.read(*path), f"GET /qemu/{vmid}/agent/network-get-interfaces")
        except GuestSilent:
            return None

    # --- tasks ---

    def tasks(
        self, *, vmid: int | None = None, kind: str = "", since: int | None = None, running: bool = False
    ) -> tuple[TaskLine, ...]:
        """The node's tasks, newest first; those of other users only with Sys.Audit. *since* in seconds since 1970."""
        params = {
            "vmid": vmid,
            "typefilter": kind or None,
            "since": since,
            "source": "active" if running else "all",
            "limit": LOG_PAGE,
        }
        call = f"GET /nodes/{self.node}/tasks"
        found = [
            shapes.task(row, call)
            for row in shapes.rows(self.wire.read("nodes", self.node, "tasks", **params), call)
        ]
        wanted = [task for task in found if not (running and task.status)]
        return tuple(sorted(wanted, key=lambda task: (task.started, task.upid), reverse=True))

    def task_log(self, upid: str, start: int = 0) -> tuple[str, ...]:
        """The lines of a task's log from line *start* on (0: all of them)."""
        path = ("nodes", shapes.node_of(upid), "tasks", upid, "log")
        lines: list[str] = []
        while True:
            answer = self.wire.read(*path, start=start + len(lines), limit=LOG_PAGE)
            page = shapes.rows(answer, f"GET /tasks/{upid}/log")
            lines += [str(row.get("t") or "") for row in page]
            if len(page) < LOG_PAGE:
                return () if lines == ["no content"] else tuple(lines)
