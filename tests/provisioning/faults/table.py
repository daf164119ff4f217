# ruff: noqa: E501 - a row is a line
"""The faults that jobs must survive, as data. ``docs/faults.md`` is made of it; the tests beside it carry it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SUCCEEDS, FAILS = "succeeded", "failed"


@dataclass(frozen=True)
class KindUnderTest:
    """One way of asking for a kind: the jobs that come *before*, and how the machine *ends*: running, stopped, gone.

    *smaller*: after those it is made less than declared. *leaves*, *removes*: a snapshot that is there afterwards, or not.
    *done*: what a second job may be refused with, since the first one did it. *once*: it is not begun again unseen.
    """

    title: str
    name: str
    ends: str
    parameters: dict[str, Any] = field(default_factory=dict)
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    smaller: bool = False
    leaves: str = ""
    removes: str = ""
    done: str = ""
    once: bool = False
    #: it makes a spare beside the machine, which a call that comes too late may leave there
    beside: bool = False
    #: so many backups of rebuilds are left; None: not looked at
    kept: int | None = None


Before = tuple[str, dict[str, Any]]
MADE: Before = ("create_vm", {})
OFF: Before = ("power", {"action": "stop"})
PARKED: Before = ("park_vm", {"timeout": 1})
REBUILT: Before = ("rebuild_vm", {"timeout": 1})
NAME = {"name": "earlier"}
KEPT: Before = ("snapshot_vm", NAME)
KINDS = (
    KindUnderTest("create_vm", "create_vm", "running"),
    KindUnderTest("create_vm parked", "create_vm", "running", before=(MADE, PARKED)),
    KindUnderTest("survey", "survey", "running", before=(MADE,)),
    KindUnderTest("power start", "power", "running", {"action": "start"}, (MADE, OFF)),
    KindUnderTest("power stop", "power", "stopped", {"action": "stop"}, (MADE,)),
    KindUnderTest("power shutdown", "power", "stopped", {"action": "shutdown", "timeout": 1}, (MADE,)),
    KindUnderTest("power reset", "power", "running", {"action": "reset"}, (MADE,)),
    KindUnderTest("backup_vm", "backup_vm", "running", before=(MADE,)),
    KindUnderTest("restore_vm", "restore_vm", "running", before=(MADE, ("backup_vm", {}))),
    KindUnderTest("park_vm", "park_vm", "stopped", {"timeout": 1}, (MADE,)),
    KindUnderTest("destroy_vm", "destroy_vm", "gone", {"typed": "netctrl-vm01"}, (MADE, PARKED)),
    KindUnderTest("resize_vm", "resize_vm", "running", {"restart": "yes"}, (MADE,), smaller=True),
    KindUnderTest("snapshot_vm", "snapshot_vm", "running", NAME, (MADE,), leaves="earlier", done="has a snapshot earlier already"),
    KindUnderTest("rollback_vm", "rollback_vm", "running", NAME, (MADE, KEPT), smaller=True, leaves="earlier", once=True),
    KindUnderTest("delete_snapshot_vm", "delete_snapshot_vm", "running", NAME, (MADE, KEPT), removes="earlier", done="has no snapshot earlier"),
    KindUnderTest("rebuild_vm", "rebuild_vm", "running", {"timeout": 1}, (MADE,), beside=True),
    KindUnderTest("delete_backups_vm", "delete_backups_vm", "running", before=(MADE, REBUILT, REBUILT), done="There is nothing to remove", kept=1),
)  # fmt: skip

# --- between us and the API, at one call ---


@dataclass(frozen=True)
class WireFault:
    """*reading*, *writing*: how the job ends when it strikes once at such a call; *lost*: whether a write was done is unknown.

    *done*: it was. *waited*: the call is sent again until it is done. *told*: it says something of our token, so that it ends the wait for a task too; anything else is
    silence there.
    """

    name: str
    said: str
    document: dict[str, Any]
    reading: str = FAILS
    writing: str = FAILS
    lost: bool = False
    done: bool = False
    told: bool = False
    waited: bool = False

    @property
    def blind(self) -> tuple[str, ...]:
        """Ends of the calls after which it fails, and a person decides whether it is asked for once more."""
        return (UNSEEN if self.done else (*ONCE, *UNSEEN)) if self.lost else ()

    def ends(self, method: str, path: str, *, once: bool = False) -> str:
        """*once*: of a kind that is not begun again."""
        if method == "GET":
            polled = "/tasks/" in path and path.endswith("/status") and not self.told
            return SUCCEEDS if polled or path.endswith("/log") else self.reading
        if once and not (self.done or self.waited):
            return FAILS
        return FAILS if path.endswith(self.blind) else self.writing


#: What is never asked for twice: where no task of it was begun, that is said.
ONCE = ("/vzdump", "/qemu")
#: What cannot be seen afterwards.
UNSEEN = ("/status/reset",)


def _status(number: int, reason: str) -> dict[str, Any]:
    return {"kind": "status", "status": number, "reason": reason}


_LOCKED = "can't lock file '/var/lock/qemu-server/lock-200.conf' - got timeout"
_CALLS = (SUCCEEDS, SUCCEEDS)
_LOST = (FAILS, SUCCEEDS)
WIRE = (
    WireFault("500", "HTTP 500", _status(500, "internal error, no reason known")),
    WireFault("locked", "HTTP 500, somebody holds the lock", _status(500, _LOCKED), *_CALLS, waited=True),
    WireFault("595", "HTTP 595", _status(595, "Connection refused"), *_CALLS),
    WireFault("596", "HTTP 596", _status(596, "Broken pipe"), *_CALLS, lost=True),
    WireFault("503", "HTTP 503", _status(503, "Service Unavailable"), *_CALLS, lost=True),
    WireFault("401", "HTTP 401, the token is not accepted", _status(401, "authentication failure"), told=True),
    WireFault("403", "HTTP 403, a privilege is missing", _status(403, "Permission check failed (/vms, VM.Audit)"), told=True),
    WireFault("html", "a web page with status 200", {"kind": "html"}, *_LOST, lost=True),
    WireFault("redirect", "a redirect", {"kind": "redirect"}, *_LOST, lost=True),
    WireFault("empty", "status 200 without a body", {"kind": "empty"}, *_LOST, lost=True),
    WireFault("null", "done, and the answer is null", {"kind": "null"}, *_LOST, lost=True, done=True),
    WireFault("hang", "no answer in time, nothing done", {"kind": "hang", "seconds": 3}, *_CALLS, lost=True),
    WireFault("reset", "connection reset, nothing done", {"kind": "reset"}, *_CALLS, lost=True),
    WireFault("lost", "done, and the answer lost", {"kind": "lost"}, *_CALLS, lost=True, done=True),
    WireFault("cut", "done, and half of the answer comes", {"kind": "cut"}, *_CALLS, lost=True, done=True),
)  # fmt: skip

# --- inside the worker, at each call ---


@dataclass(frozen=True)
class Interruption:
    """What befalls the worker *at* a call: when it is asked for, just before it is sent, or once it is done.

    *once*: how a job ends that is not begun again.
    """

    name: str
    said: str
    at: str
    ends: str
    outcome: str
    once: str = ""


INTERRUPTIONS = (
    Interruption("killed before", "the worker is killed, the call not sent", "sent", SUCCEEDS, "another worker takes it up from the start, and looks first", "lost"),
    Interruption("killed after", "the worker is killed, the call done", "done", SUCCEEDS, "another worker takes it up from the start, and looks first", "lost"),
    Interruption("cancelled", "somebody cancels", "asked", "cancelled", "nothing more is sent that changes something, but that a machine which was switched off and not changed is started again; what is done stays done, and is gone on with"),
    Interruption("overtaken", "the worker stands still, another does the job, it wakes up", "asked", SUCCEEDS, "nothing more of it reaches the node", "lost"),
    Interruption("overtaken late", "the same, between its last look and the call", "sent", SUCCEEDS, "at most that one call reaches the node, and makes no second machine; the job says which, and a survey that is asked for finds what it changed. A clone of `rebuild_vm` that comes so late leaves its spare: the survey has it as the drift `spare`, and the next rebuild takes or removes it. A backup that comes so late is a second one", "lost"),
    Interruption("no database", "the database does not answer for a moment", "asked", SUCCEEDS, "the job begins again after a pause", FAILS),
    Interruption("disk full", "the database has no room for a moment", "done", SUCCEEDS, "the job begins again after a pause", FAILS),
    Interruption("clock forward", "the worker's clock jumps a day ahead", "asked", SUCCEEDS, "leases are on the database's clock"),
    Interruption("clock back", "the worker's clock jumps a day back", "asked", SUCCEEDS, "leases are on the database's clock"),
)  # fmt: skip
