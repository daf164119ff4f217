"""A machine of ours on its node, as every job comes near it: whose it is, whether it is locked, how its tasks end.

What carries no marker of ours is never touched, and what another task holds is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from provisioning.adapters.base import NotFound, TaskFailed, Unanswered, Unauthorized
from provisioning.adapters.proxmox import Proxmox
from provisioning.engine.faults import JobFailed
from provisioning.engine.turns import Turn
from provisioning.machines.comparing import compare
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config
from provisioning.machines.owning import is_being_made, is_going, is_wreck, not_ours

#: seconds
CLONE_LIMIT, TASK_LIMIT, BOOT_LIMIT, SETTLE_LIMIT = 3 * 3600.0, 1800.0, 600.0, 30.0
#: how often a configuration that somebody changed meanwhile is read anew
TRIES = 3


#: A machine is put into its pool last, and taken out of it before it is gone. What is seen of it meanwhile:
UNSEEN = Config({"lock": "create"})
_UNSEEN_DURING = frozenset({"qmclone", "qmcreate", "qmrestore", "qmdestroy"})


@dataclass(frozen=True)
class Patience:
    """Seconds: how long the guest may take, and the first pause between two looks."""

    boot: float = BOOT_LIMIT
    settle: float = SETTLE_LIMIT
    pause: float = 2.0


@dataclass
class Watcher:
    """Looks at *machine* through *proxmox*, and waits for what is begun there, as *turn* allows."""

    turn: Turn
    proxmox: Proxmox
    machine: Machine
    patience: Patience = field(default_factory=Patience)
    #: whether what a failed restore left counts as the machine: a restore alone goes over it
    over_wreck: bool = False

    @property
    def vmid(self) -> int:
        return self.machine.spec.vmid

    def config(self) -> Config | None:
        """The machine's configuration, if there is one; JobFailed where it is somebody else's."""
        found = self._read()
        if found is None:
            return None
        unmarked = is_being_made(found) or is_going(found) or (self.over_wreck and is_wreck(found))
        if not unmarked:
            self.check_ours(found)
            self._check_readable(found)
        return found

    def _read(self) -> Config | None:
        """As it is there, ``UNSEEN`` while a task of ours may be at it, None where nothing has the VMID."""
        for _ in range(2):  # between two looks a task may end, and the machine be in its pool
            hidden = False
            try:
                return self.proxmox.config(self.vmid)
            except NotFound:
                pass
            except Unauthorized as fault:
                if not may_be_absent(fault, self.vmid):
                    raise
                hidden = True
            if self.proxmox.is_free(self.vmid):
                if hidden:
                    self.proxmox.told(self.vmid, None)
                return None
            if hidden and self._is_at_work():
                return UNSEEN
        lacks = " (it lacks VM.Audit on it)" if hidden else ""
        raise JobFailed(
            f"VMID {self.vmid} is taken by a guest that the token may not see{lacks}, or of another kind.",
            "Free it, give the machine another VMID, or put it into the pool of the token.",
        )

    def _is_at_work(self) -> bool:
        """Whether a task of ours runs that makes or removes a machine; that of a clone names its template alone."""
        own = self.proxmox.access.token_id
        running = self.proxmox.tasks(running=True)
        return any(task.kind in _UNSEEN_DURING and task.user == own for task in running)

    def existing(self) -> Config:
        """As ``config``, but it is there, and ours: nothing is done to one that is being made or destroyed."""
        found = self.config()
        if found is None:
            raise JobFailed(
                f"{self.machine.host} ({self.vmid}) is not on {self.machine.hypervisor}.", "Create it first."
            )
        self.check_ours(found)
        return found

    def check_ours(self, found: Config) -> None:
        """Raise JobFailed unless it carries this machine's marker."""
        if found.is_template:
            raise JobFailed(f"{self.vmid} is a template; a template is never configured.")
        if is_going(found):
            raise JobFailed(
                f"{self.machine.host} ({self.vmid}) is being destroyed, or that broke off.",
                _unlocking(self.vmid, found.lock),
            )
        if refusal := not_ours(found, self.machine.spec.owner):
            raise JobFailed(f"VMID {self.vmid}: {refusal}")

    def _check_readable(self, found: Config) -> None:
        if said := found.unreadable:
            raise JobFailed(
                f"The configuration of {self.machine.host} ({self.vmid}) cannot be read: {said}",
                "Correct it on its hypervisor, then run this again.",
            )

    def runs(self) -> bool:
        return self.proxmox.status(self.vmid).status == "running"

    # --- waiting ---

    def becomes(self, status: str, *, told: bool, within: float = 0.0) -> None:
        """Wait until it is *status*, *within* seconds more than usual; *told*: the node said that it was done."""
        self.seen(
            lambda: self.proxmox.status(self.vmid).status == status,
            f"{self.machine.host} is {status}",
            told=told,
            within=within,
        )

    def seen(
        self, predicate: Callable[[], object], what: str, *, told: bool = False, within: float = 0.0
    ) -> None:
        """Wait until *predicate* sees *what*. After a lost answer the job may begin again, for it looks first."""
        try:
            self.turn.wait(
                predicate, timeout=self.patience.settle + within, pause=self.patience.pause, what=what
            )
        except JobFailed as fault:
            said = "though its task ended well" if told else "and the answer to asking for it was lost"
            raise JobFailed(
                f"That {what} was not seen, {said}.",
                f"Look at the tasks of {self.machine.hypervisor}, then run this again.",
                retryable=not told,
            ) from fault

    def appears(self, lost: Unanswered, what: str) -> None:
        """After a lost answer: wait until the machine shows up, or it is clear that it never began."""
        try:
            self.turn.wait(
                lambda: self.config() is not None,
                timeout=self.patience.settle,
                pause=self.patience.pause,
                what=f"the {what} to appear",
            )
        except JobFailed as fault:
            self.config()  # somebody else's: that is the fault to tell
            raise JobFailed(
                f"The answer was lost ({lost.call}), and no {what} appeared.",
                "Nothing was made; ask again.",
                retryable=True,
            ) from fault

    def settled(self) -> Config | None:
        """The configuration once no other task holds its lock: a clone of an earlier attempt may still be going on.

        Whose it is is seen only then. None: there is none, or what was being made or destroyed is gone.
        """
        found = self.config()
        if found is None or not found.lock:
            return found
        tasks = [task for task in self.proxmox.tasks(running=True) if not task.status]
        self.turn.event("info", f"It is locked ({found.lock}); {len(tasks)} tasks run on the node.")

        def free() -> bool:
            now = self.config()
            return now is None or not now.lock

        try:
            self.turn.wait(
                free,
                timeout=CLONE_LIMIT if tasks else self.patience.settle,
                pause=self.patience.pause,
                what=f"the lock “{found.lock}” of {self.vmid} to be released",
            )
        except JobFailed as fault:
            self.config()  # somebody else's: that is the fault to tell
            raise JobFailed(
                f"{self.vmid} stays locked ({found.lock}) "
                + (
                    f"for {CLONE_LIMIT:.0f} s, and tasks still run on the node."
                    if tasks
                    else "though no task is at it: something ended half done."
                ),
                _unlocking(self.vmid, found.lock),
            ) from fault
        return self.config()

    # --- tasks ---

    def task(self, begin: Callable[[], str | None], what: str, *, limit: float = TASK_LIMIT) -> bool:
        """Begin a task and wait for it. False: its answer was lost, nothing is repeated, and the caller looks."""
        try:
            upid = begin()
        except Unanswered as lost:
            self.turn.event("warning", f"{lost} Looking what is there.")
            self.turn.sleep(self.patience.pause)
            self.settled()
            return False
        if upid:
            self.finish(upid, limit)
        self.turn.event("debug", f"{what}: done.")
        return True

    def finish(self, upid: str, limit: float = TASK_LIMIT) -> None:
        """Wait until the task ended well; its log goes into the job."""
        try:
            result = self.proxmox.wait(upid, limit=limit, tell=self._tell)
        except TaskFailed as fault:
            for line in fault.log:
                self.turn.event("error", line)
            raise
        if result.warnings:
            self.turn.event("warning", f"The task ended with {result.warnings} warnings.")
            for line in result.log:
                if "WARN" in line.upper():
                    self.turn.event("warning", line)

    def _tell(self, lines: tuple[str, ...]) -> None:
        for line in lines:
            self.turn.event("debug", line)


def _unlocking(vmid: int, lock: str) -> str:
    """What a person does on the node; only of a machine that never was is everything removed."""
    if lock in ("clone", "create"):
        return (
            "Look on the node whose it is. If it is ours: "
            f"qm unlock {vmid} && qm destroy {vmid}; then run this again."
        )
    if lock == "destroyed":
        return (
            "Look on the node whether a task is still at it. If none is, its disks are gone, and as root "
            f"qm destroy {vmid} --skiplock removes the rest; then run this again."
        )
    return f"Look on the node whether something is still at it. If nothing is: qm unlock {vmid}; then run this again."


def may_be_absent(fault: Unauthorized, vmid: int) -> bool:
    """Whether *fault* is what a token with rights on a pool alone gets where there is no machine *vmid*.

    Such a token has rights on the members of the pool; that there is no such machine is not looked at before that.
    """
    return fault.privilege == "VM.Audit" and fault.path == f"/vms/{vmid}"


def compare_grave(machine: Machine, found: Config) -> tuple[str, ...]:
    """Why *machine* must not be started as it is."""
    return tuple(str(one) for one in compare(machine.spec, found) if one.grave)
