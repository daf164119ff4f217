"""What Proxmox VE's refusals mean. Pure.

Field errors stand in the body of a 400, the text in the reason phrase. Sources: qemu-server, pve-common and
pve-http-server of 8.4 and 9.1. Statuses 595 to 599 are AnyEvent::HTTP's: the node that was asked did not reach the node
that was named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from provisioning.adapters.base import (
    AdapterError,
    AlreadyThere,
    Busy,
    Changed,
    GuestSilent,
    NotFound,
    Refused,
    Strange,
    TagRefused,
    TokenRefused,
    Unanswered,
    Unauthorized,
    Unreachable,
)

#: Said before anything was done: somebody else holds the lock of a machine, of a file or of the cluster's database.
_LOCKED = re.compile(
    r"can't lock file .* - got timeout|got lock (?:request )?timeout|\b(?:VM|CT)(?: \d+)? is locked\b"
    r"|unable to acquire .*lock|trying to acquire (?:cfs )?lock .*timeout",
    re.IGNORECASE,
)
#: A time-out inside Proxmox that says nothing of what was done before it.
_TIMEOUT = re.compile(r"got timeout|timed out|timeout waiting", re.IGNORECASE)
_GUEST = re.compile(
    r"guest agent is not running|no qemu guest agent|\bqga\b|guest-ping|^(?:VM|CT) \d+ (?:is )?not running",
    re.IGNORECASE,
)
_NO_QUORUM = re.compile(r"no quorum", re.IGNORECASE)
_CHANGED = re.compile(
    r"detected modified configuration|checksum miss?match|file changed? by other user", re.IGNORECASE
)
_EXISTS = re.compile(r"already exists|already used|already in use", re.IGNORECASE)
_MISSING = re.compile(
    r"does not exist|no such (?:vm|storage|node|volume|file|task|snapshot|pool|disk)|not found|doesn't exist",
    re.IGNORECASE,
)
#: a field error, though the call was well formed: the node keeps the newest tasks only
_NO_TASK = re.compile(r"no such task", re.IGNORECASE)
_NODE_LOOKUP = re.compile(r"hostname lookup '(?P<node>[^']*)' failed", re.IGNORECASE)
_FORBIDDEN = re.compile(r"\((?P<path>/[^,)]*)(?:, (?P<privilege>[^)]+))?\)")
_TAG = re.compile(r"for modifying tag '(?P<tag>[^']*)'")
#: in the log of a backup whose exit status says “job errors”
_LIMIT = re.compile(
    r"(?:There is a max backup limit|The number of protected backups per guest is limited)[^\n]*",
    re.IGNORECASE,
)
_GATEWAY = frozenset({502, 503, 504, 596, 597, 598, 599})


def is_lock_timeout(text: str) -> bool:
    """Whether *text*, a refusal or a task's exit status, says that a lock was held for too long."""
    return bool(_LOCKED.search(text))


def backup_limit(log: Iterable[str]) -> str:
    """What the *log* of a backup says of the storage's limits; empty: nothing."""
    return next((found[0] for line in log if (found := _LIMIT.search(line))), "")


def refusal(
    status: int, text: str, fields: Mapping[str, str] | None, *, call: str, write: bool
) -> AdapterError:
    """The error that stands for HTTP *status* with the reason *text*; *write*: the call was to change something."""
    said = " ".join(text.split()) or "no reason given"
    if status == 401:
        return TokenRefused(
            f"Proxmox does not accept the API token for {call} ({said}): check the token's id, its secret and "
            "whether it expired.",
            call=call,
        )
    if status == 403:
        return _forbidden(said, call)
    if status == 595:
        return Unreachable(
            f"Proxmox could not reach the node that {call} names ({said}); is it declared under its real name?",
            call=call,
        )
    if status in _GATEWAY:
        return unanswered(f"status {status}, {said}", call=call, write=write)
    if status == 400:
        return _wrong_parameters(said, fields or {}, call)
    return _said(status, said, call, write)


def unanswered(what: str, *, call: str, write: bool) -> AdapterError:
    """No answer to something that was sent, or may have been."""
    if write:
        return Unanswered(
            f"The answer to {call} was lost ({what}): whether it was done is not known until somebody looks.",
            call=call,
        )
    return Unreachable(f"Proxmox did not answer {call} ({what}).", call=call)


def strange(what: str, *, call: str, write: bool) -> AdapterError:
    """An answer that is none, *what* without its full stop. A write may have been done all the same."""
    if write:
        return Unanswered(f"{what}: whether it was done is not known until somebody looks.", call=call)
    return Strange(f"{what}.", call=call)


def _forbidden(said: str, call: str) -> Unauthorized:
    if tag := _TAG.search(said):
        sentence = (
            f"The datacenter's rules do not let this API token set the tag {tag['tag']} ({call}): {said}."
        )
        return TagRefused(sentence, call=call)
    found = _FORBIDDEN.search(said)
    path, privilege = (found["path"], found["privilege"] or "") if found else ("", "")
    lacks = f"lacks {privilege.replace('|', ' or ')} on {path}" if privilege else "may not do this"
    return Unauthorized(
        f"The API token {lacks} ({call}): {said}. With privilege separation its owner needs the privilege too.",
        call=call,
        privilege=privilege,
        path=path,
    )


def _wrong_parameters(said: str, fields: Mapping[str, str], call: str) -> Refused:
    named = "; ".join(f"{name}: {' '.join(str(why).split())}" for name, why in sorted(fields.items()))
    sentence = f"Proxmox refused {call}: {named or said}."
    kind = AlreadyThere if _EXISTS.search(named) else NotFound if _NO_TASK.search(named) else Refused
    return kind(sentence, call=call, fields=fields)


def _said(status: int, said: str, call: str, write: bool) -> AdapterError:
    node = _NODE_LOOKUP.search(said)
    if node:
        return NotFound(
            f"There is no node {node['node']}: declare the hypervisor's node under its real name.", call=call
        )
    if _LOCKED.search(said):
        return Busy(f"Something else works on it: {said}.", call=call)
    if _GUEST.search(said):
        return GuestSilent(f"The machine does not answer {call}: {said}.", call=call)
    if _CHANGED.search(said):
        return Changed(f"It was changed in the meantime: {said}.", call=call)
    if _NO_QUORUM.search(said):
        return Refused(
            f"The cluster has no quorum, so nothing can be written: {said}.", call=call, retryable=True
        )
    if _TIMEOUT.search(said):
        return unanswered(said, call=call, write=write)
    if _EXISTS.search(said):
        return AlreadyThere(f"Proxmox refused {call}: {said}.", call=call)
    if status == 404 or _MISSING.search(said):
        return NotFound(f"Proxmox knows nothing of it: {said}.", call=call)
    if not 400 <= status <= 599:
        return strange(f"Proxmox answered {call} with status {status}: {said}", call=call, write=write)
    return Refused(f"Proxmox refused {call} (status {status}): {said}.", call=call)
