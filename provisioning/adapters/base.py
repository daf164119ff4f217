"""What can go wrong between us and a machine that answers over a network. Pure.

Each error is a sentence for people. ``retryable``: the same step may be tried again later, after looking. ``maybe_done``:
a write whose effect is not known; look before anything else. ``way_out``: what a person does when the job that met it
has failed. No error holds a payload, a header or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class AdapterError(Exception):
    """A call that did not do what was asked. *call* is the method and path, such as ``GET /version``."""

    retryable = False
    way_out = "Look at the node, then run this again."

    def __init__(
        self, sentence: str, *, call: str = "", retryable: bool | None = None, maybe_done: bool = False
    ) -> None:
        super().__init__(sentence)
        self.call = call
        self.maybe_done = maybe_done
        if retryable is not None:
            self.retryable = retryable

    @property
    def sentence(self) -> str:
        return str(self.args[0])


class Unreachable(AdapterError):
    """Nothing was done: no connection, or a reading that got no answer in time."""

    retryable = True
    way_out = "See that the node is up and can be reached from here, then run this again."


class Untrusted(AdapterError):
    """The other side's certificate is not the one that was declared; nothing was sent."""

    way_out = ""


class Unanswered(AdapterError):
    """A write was sent and its answer lost, or is none: done or not, nobody knows. Look, never repeat blindly."""

    way_out = "Run this again: it looks first."

    def __init__(self, sentence: str, *, call: str = "") -> None:
        super().__init__(sentence, call=call, maybe_done=True)


class Busy(AdapterError):
    """Somebody else holds the lock, also after waiting; nothing was done."""

    retryable = True
    way_out = "Wait until the other work is done, then run this again."


class Refused(AdapterError):
    """The other side understood and said no. *fields*: what it said of single parameters."""

    def __init__(
        self,
        sentence: str,
        *,
        call: str = "",
        fields: Mapping[str, str] | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(sentence, call=call, retryable=retryable)
        self.fields = dict(fields or {})


class Unsendable(Refused):
    """What was asked for fits into no call: nothing was sent, and the other side said nothing."""


class Changed(Refused):
    """What was read is no longer what stands there: read again, then decide again."""

    retryable = True
    way_out = "Run this again when nobody else works on it."


class AlreadyThere(Refused):
    """What was to be made exists."""

    way_out = "Look whose it is, then run this again."


class NotFound(Refused):
    """What was asked for does not exist there."""

    way_out = "Look on the node whether it was moved, renamed or removed, then run this again."


class GuestSilent(Refused):
    """The machine itself does not answer: switched off, still starting, or without a guest agent."""

    retryable = True
    way_out = "Look at its console, then run this again."


class Unauthorized(AdapterError):
    """The credential is not accepted, or it lacks *privilege* on *path*."""

    way_out = "Give the token what it lacks, then run this again."

    def __init__(self, sentence: str, *, call: str = "", privilege: str = "", path: str = "") -> None:
        super().__init__(sentence, call=call)
        self.privilege = privilege
        self.path = path


class TokenRefused(Unauthorized):
    """The credential is not accepted at all: it lacks nothing."""

    way_out = "Correct it where the hypervisor is declared, or the token in Proxmox, then run this again."


class TagRefused(Unauthorized):
    """The datacenter has rules for tags, and they keep one from us. The right that stands above them is far too much."""

    way_out = (
        "In the options of the datacenter let users set that tag: under “User Tag Access” any mode but none, with the tag "
        "in its list; and not among the “Registered Tags”. Then run this again."
    )


class Strange(AdapterError):
    """An answer to a reading that is none: HTML, a redirect, nothing, or another shape than documented."""

    way_out = (
        "See that its address leads to the API itself, and to no proxy or sign-in page, then run this again."
    )


class TaskFailed(AdapterError):
    """A task ended otherwise than well. *status* is its own word, *log* its last lines."""

    way_out = "Look at the log of the task, then run this again."

    def __init__(
        self, sentence: str, *, upid: str, status: str, log: Sequence[str] = (), retryable: bool = False
    ) -> None:
        super().__init__(sentence, call=upid, retryable=retryable)
        self.upid = upid
        self.status = status
        self.log = tuple(log)


class StillRunning(AdapterError):
    """A task outlasted the limit and goes on; *upid* finds it again."""

    retryable = True
    way_out = "Wait until it ends, then run this again."

    def __init__(self, sentence: str, *, upid: str) -> None:
        super().__init__(sentence, call=upid, maybe_done=True)
        self.upid = upid
