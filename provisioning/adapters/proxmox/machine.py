"""What a node is told to do: every call that changes something, and waiting for what it started.

Nothing here is ever repeated blindly: a lost answer is Unanswered, and whoever called looks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from provisioning.adapters.base import (
    AdapterError,
    Busy,
    NotFound,
    Refused,
    StillRunning,
    Strange,
    TaskFailed,
    Unreachable,
    Unsendable,
)
from provisioning.adapters.proxmox import shapes, words
from provisioning.adapters.proxmox.reading import Reader
from provisioning.machines.properties import snapshot_name_problem
from provisioning.machines.sizes import disk_text

HOUR = 3600.0
LOG_TAIL = 20
_WARNINGS = re.compile(r"WARNINGS: (\d+)\Z")
#: Never sent when a machine is made: they would give it other MACs, or make it of something else.
_NEVER_CREATED_WITH = frozenset({"archive", "unique", "force", "start"})


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A task that did what it was for; *log* is its whole log where it warned, else empty."""

    upid: str
    status: str
    warnings: int = 0
    log: tuple[str, ...] = ()


class Proxmox(Reader):
    """One node's API, for looking and for changing. Methods that start a task return its UPID; see ``wait``."""

    # --- making and unmaking ---

    def clone(
        self,
        template: int,
        vmid: int,
        *,
        name: str,
        storage: str = "",
        pool: str = "",
        description: str = "",
    ) -> str:
        """Make *vmid* a full copy of *template*. The UPID bears the template's VMID; every MAC is a new one."""
        params = _set(name=name, storage=storage, pool=pool, description=description)
        return self._task("post", "qemu", template, "clone", newid=vmid, full=1, **params)

    def create(self, vmid: int, settings: Mapping[str, str], *, pool: str = "") -> str:
        """Make *vmid* of nothing but *settings*."""
        forbidden = sorted(_NEVER_CREATED_WITH & set(settings))
        if forbidden:
            raise Refused(f"A machine is never made with {', '.join(forbidden)}.")
        return self._task("post", "qemu", vmid=vmid, **settings, **_set(pool=pool))

    def restore(
        self, vmid: int, archive: str, *, storage: str = "", pool: str = "", over: bool = False
    ) -> str:
        """Make *vmid* what *archive* holds, MACs included. *over*: it exists, stopped, and is replaced."""
        params = _set(storage=storage, pool=pool, force=int(over))
        return self._task("post", "qemu", vmid=vmid, archive=archive, **params)

    def destroy(self, vmid: int) -> str:
        """Remove a stopped machine, its disks, and its entries in jobs and access lists."""
        params = {"purge": 1, "destroy-unreferenced-disks": 1}
        return self._task("delete", "qemu", vmid, **params)

    # --- changing ---

    def configure(
        self, vmid: int, changes: Mapping[str, str], *, delete: Iterable[str] = (), digest: str = ""
    ) -> None:
        """Set *changes*; Changed if *digest* is not the configuration's any more. Read back: success proves nothing."""
        params = {**changes, **_set(delete=",".join(delete), digest=digest)}
        self._write("put", "qemu", vmid, "config", **params)

    def add_disk(self, vmid: int, key: str, value: str, *, digest: str = "") -> str | None:
        """Make a volume and attach it as *key*; the UPID, or None where it was done at once."""
        call = f"POST /qemu/{vmid}/config"
        answer = self._write("post", "qemu", vmid, "config", **{key: value}, **_set(digest=digest))
        return None if answer is None else shapes.upid(answer, call)

    def resize(self, vmid: int, disk: str, size: int) -> str:
        """Grow *disk* to *size* bytes. That it cannot shrink, or is not there, is said by the task."""
        return self._task("put", "qemu", vmid, "resize", disk=disk, size=disk_text(size))

    def move_disk(self, vmid: int, disk: str, *, to: int, key: str) -> str:
        """Give the volume of *disk* to the machine *to*, as its *key*, on the same storage."""
        params: dict[str, Any] = {"disk": disk, "target-vmid": to, "target-disk": key}
        return self._task("post", "qemu", vmid, "move_disk", **params)

    def regenerate_cloudinit(self, vmid: int) -> None:
        """Write the cloud-init image anew: what was configured is in it only then."""
        self._write("put", "qemu", vmid, "cloudinit")

    # --- power ---

    def start(self, vmid: int) -> str:
        return self._task("post", "qemu", vmid, "status", "start")

    def stop(self, vmid: int) -> str:
        """Pull the plug."""
        return self._task("post", "qemu", vmid, "status", "stop")

    def shutdown(self, vmid: int, *, timeout: int, force: bool = False) -> str:
        """Ask the guest to switch off within *timeout* seconds; *force*: then pull the plug."""
        params = _set(timeout=timeout, forceStop=int(force))
        return self._task("post", "qemu", vmid, "status", "shutdown", **params)

    def reset(self, vmid: int) -> str:
        return self._task("post", "qemu", vmid, "status", "reset")

    def reboot(self, vmid: int, *, timeout: int) -> str:
        """Off and on again by the guest itself; what waits for a power cycle is applied."""
        return self._task("post", "qemu", vmid, "status", "reboot", timeout=timeout)

    # --- keeping ---

    def snapshot(self, vmid: int, name: str, *, description: str = "", ram: bool = False) -> str:
        """Keep the disks and settings as *name*; *ram*: of a running machine its memory too."""
        _check_name(name)
        params = _set(description=description, vmstate=int(ram))
        return self._task("post", "qemu", vmid, "snapshot", snapname=name, **params)

    def rollback(self, vmid: int, name: str, *, start: bool = False) -> str:
        """Everything since is lost. One with memory runs at once, whatever *start* says; the description stays."""
        _check_name(name)
        return self._task("post", "qemu", vmid, "snapshot", name, "rollback", **_set(start=int(start)))

    def delete_snapshot(self, vmid: int, name: str) -> str:
        _check_name(name)
        return self._task("delete", "qemu", vmid, "snapshot", name)

    def backup(
        self,
        vmid: int,
        storage: str,
        *,
        mode: Literal["snapshot", "suspend", "stop"] = "snapshot",
        notes: str = "",
        protected: bool = False,
    ) -> str:
        """Write a backup of *vmid* to *storage*; no older one is pruned for it. Find it with ``backups``."""
        params: dict[str, Any] = {
            "vmid": vmid,
            "storage": storage,
            "mode": mode,
            "compress": "zstd",
            "remove": 0,
        }
        noted = {"notes-template": _plain_notes(notes)} if notes else {}
        return self._task("post", "vzdump", **params, **noted, **_set(protected=int(protected)))

    def unprotect(self, volume: str) -> None:
        """From now on the backup *volume* can be removed; read back whether it is so."""
        storage = volume.partition(":")[0]
        self._write("put", "storage", storage, "content", volume, protected=0)

    def remove_volume(self, volume: str) -> str | None:
        """Remove what lies on a storage under *volume*, such as a failed clone's leftovers."""
        storage, separator, name = volume.partition(":")
        if not separator or not name:
            raise Refused(
                f"“{volume}” is no volume; it begins with its storage, such as local-lvm:vm-100-disk-0."
            )
        path = ("storage", storage, "content", volume)
        answer = self._write("delete", *path)
        return None if answer is None else shapes.upid(answer, f"DELETE /storage/{storage}/content")

    # --- tasks ---

    def stop_task(self, upid: str) -> None:
        """Ask a running task to end; it may end otherwise all the same: wait for it."""
        self.wire.write("delete", "nodes", shapes.node_of(upid), "tasks", upid)

    def wait(
        self,
        upid: str,
        *,
        limit: float = HOUR,
        check: Callable[[], None] | None = None,
        tell: Callable[[tuple[str, ...]], None] | None = None,
    ) -> TaskResult:
        """Wait until the task ended well, also with warnings. *limit* in seconds; *tell* gets new lines of its log.

        Its state not being told is silence, in whatever words, for ``patience.silence``. Raises TaskFailed, StillRunning
        after *limit*, what the last look met when the silence lasts, and whatever *check* raises.
        """
        shapes.task_of(upid)
        began, pause, heard, told = time.monotonic(), 0.2, time.monotonic(), 0
        while True:
            (check or self.wire.check)()
            try:
                state, heard = self._task_state(upid), time.monotonic()
            except (Unreachable, Busy, Strange, Refused) as error:
                if not _is_silence(error) or time.monotonic() - heard > self.access.patience.silence:
                    raise
                state = {}
            if tell is not None and state:
                told += self._tell(upid, told, tell)
            if state.get("status") == "stopped":
                return self._outcome(upid, str(state.get("exitstatus") or ""))
            if time.monotonic() - began + pause > limit:
                raise StillRunning(f"The task {upid} still runs after {limit:.0f} s.", upid=upid)
            self.wire.sleep(pause)
            pause = min(pause * 1.5, 5.0)

    def _task_state(self, upid: str) -> Mapping[str, Any]:
        call = f"GET /tasks/{upid}/status"
        state = shapes.row(self.wire.read("nodes", shapes.node_of(upid), "tasks", upid, "status"), call)
        if shapes.need(state, "status", call) not in ("running", "stopped"):
            raise Strange(f"A task that is “{state['status']}” is unknown.", call=call)
        return state

    def _tell(self, upid: str, told: int, tell: Callable[[tuple[str, ...]], None]) -> int:
        """Hand on the lines of the log from number *told* on; how many there were."""
        try:
            lines = self.task_log(upid, told)
        except AdapterError:  # the log is for people; the outcome does not hang on it
            return 0
        if lines:
            tell(lines)
        return len(lines)

    def _outcome(self, upid: str, status: str) -> TaskResult:
        warned = _WARNINGS.match(status)
        if status == "OK":
            return TaskResult(upid, status)
        if warned:
            return TaskResult(upid, status, int(warned[1]), self._log(upid))
        task = shapes.task_of(upid)
        raise TaskFailed(
            f"The task {task.kind} of {task.subject or task.user} failed: {status or 'it ended without a word'}.",
            upid=upid,
            status=status,
            log=self._log(upid)[-LOG_TAIL:],
            retryable=words.is_lock_timeout(status),
        )

    def _log(self, upid: str) -> tuple[str, ...]:
        try:
            return self.task_log(upid)
        except AdapterError:
            return ()

    # --- below ---

    def _write(self, method: str, *path: str | int, **params: Any) -> Any:
        return self.wire.write(method, "nodes", self.node, *path, **params)

    def _task(self, method: str, *path: str | int, **params: Any) -> str:
        call = f"{method.upper()} /{'/'.join(map(str, path))}"
        return shapes.upid(self._write(method, *path, **params), call)


def _set(**params: Any) -> dict[str, Any]:
    """Those that say something: empty text and 0 are the API's own defaults."""
    return {key: value for key, value in params.items() if value not in ("", 0, None)}


def _is_silence(error: AdapterError) -> bool:
    """Whether a task goes on though its state was not told: a proxy in between, or the node, stumbled."""
    if isinstance(error, NotFound | Unsendable):
        return False
    return error.retryable or isinstance(error, Strange | Refused)


def _check_name(name: str) -> None:
    if problem := snapshot_name_problem(name):
        raise Refused(problem)


def _plain_notes(notes: str) -> str:
    """*notes* as a template without variables: a backslash and a line break are escaped, braces do not open any."""
    return notes.replace("\\", r"\\").replace("\n", r"\n").replace("{{", "{ {")
