"""Answers of the API as our values; what has another shape is Strange. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inventory.identity import canonical_mac
from provisioning.adapters.base import Strange
from provisioning.adapters.proxmox import words
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
    VolumeFacts,
)

Row = Mapping[str, Any]
#: what Proxmox takes of those who may not allocate on a storage that does not say how many
PROTECTED = 5
#: the list's own word for a task that has no status yet
_RUNNING = "RUNNING"
_UPID = re.compile(
    r"UPID:(?P<node>[A-Za-z0-9.-]+):[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:(?P<started>[0-9A-Fa-f]{8}):"
    r"(?P<kind>[^:\s]+):(?P<subject>[^:\s]*):(?P<user>[^:\s]+):\Z"
)


def rows(answer: Any, call: str) -> list[Row]:
    """*answer* as a list of objects."""
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise Strange(f"{call} did not answer with a list of objects.", call=call)
    return answer


def row(answer: Any, call: str) -> Row:
    if not isinstance(answer, dict):
        raise Strange(f"{call} did not answer with an object.", call=call)
    return answer


def need(source: Row, key: str, call: str) -> Any:
    """The value of *key*, which Proxmox always sends."""
    if source.get(key) is None:
        raise Strange(f"{call} answered without “{key}”.", call=call)
    return source[key]


def upid(answer: Any, call: str, *, write: bool = True) -> str:
    """*answer* as the id of a task that was started. Raises Unanswered for a *write*, else Strange."""
    if not isinstance(answer, str) or not _UPID.match(answer):
        raise words.strange(f"{call} did not answer with the id of a task", call=call, write=write)
    return answer


def task_of(text: str) -> TaskLine:
    """What a UPID says by itself. Raises Strange."""
    found = _UPID.match(text)
    if not found:
        raise Strange(f"“{text}” is no id of a task.")
    return TaskLine(text, found["kind"], found["subject"], found["user"], int(found["started"], 16))


def node_of(text: str) -> str:
    """The node on which the task of UPID *text* runs."""
    task_of(text)
    return text.split(":")[1]


def guest(source: Row, kind: GuestKind, node: str, call: str) -> GuestLine:
    return GuestLine(
        vmid=int(need(source, "vmid", call)),
        kind=kind,
        node=node,
        name=str(source.get("name") or ""),
        status=str(source.get("status") or "unknown"),
        is_template=_flag(source.get("template")),
        lock=str(source.get("lock") or ""),
    )


def node(source: Row, call: str) -> NodeFacts:
    return NodeFacts(str(need(source, "node", call)), source.get("status") == "online")


def storage(source: Row, call: str) -> StorageFacts:
    return StorageFacts(
        name=str(need(source, "storage", call)),
        kind=str(need(source, "type", call)),
        content=frozenset(filter(None, str(source.get("content") or "").split(","))),
        enabled=_flag(source.get("enabled", 1)),
        active=_flag(source.get("active", 0)),
        shared=_flag(source.get("shared", 0)),
        total=_number(source.get("total")),
        free=_number(source.get("avail")),
    )


def config(answer: Row, pending: list[Row]) -> Config:
    """``GET config`` and ``GET pending`` as one value."""
    values = {key: _text(value) for key, value in answer.items() if key != "digest"}
    waits = [line for line in pending if _waits(line)]
    held = {str(line.get("key")): _text(line["value"]) if "value" in line else None for line in waits}
    return Config(values, str(answer.get("digest") or ""), dict(map(_pending, waits)), held)


def snapshot(source: Row, call: str) -> SnapshotFacts:
    return SnapshotFacts(
        name=str(need(source, "name", call)),
        description=str(source.get("description") or "").strip(),
        taken=_number(source.get("snaptime")),
        parent=str(source.get("parent") or ""),
        has_ram=_flag(source.get("vmstate")),
    )


def volume(source: Row, call: str) -> VolumeFacts:
    return VolumeFacts(
        volume=str(need(source, "volid", call)),
        content=str(source.get("content") or ""),
        size=int(source.get("size") or 0),
        vmid=_number(source.get("vmid")),
        made=_number(source.get("ctime")),
        notes=str(source.get("notes") or ""),
        is_protected=_flag(source.get("protected")),
    )


def backup_limits(source: Row, call: str, *, allocates: bool) -> BackupLimits:
    """*source*: a storage as declared; *allocates*: the token has Datastore.Allocate on it."""
    said = _number(source.get("max-protected-backups"))
    most = (-1 if allocates else PROTECTED) if said is None else said
    return BackupLimits(None if most < 0 else most, _kept(source.get("prune-backups"), call))


def _kept(said: Any, call: str) -> int | None:
    """The sum of ``keep-last=3,keep-weekly=2``; None where everything is kept, or nothing is said."""
    try:
        keeps = {
            key: int(number)
            for key, _, number in (part.partition("=") for part in str(said or "").split(",") if part)
        }
    except ValueError:
        raise Strange(f"“{said}” says not how many backups are kept.", call=call) from None
    return None if keeps.pop("keep-all", 0) else sum(keeps.values()) or None


def task(source: Row, call: str) -> TaskLine:
    return TaskLine(
        upid=upid(need(source, "upid", call), call, write=False),
        kind=str(source.get("type") or ""),
        subject=str(source.get("id") or ""),
        user=str(source.get("user") or ""),
        started=int(source.get("starttime") or 0),
        status="" if source.get("status") == _RUNNING else str(source.get("status") or ""),
    )


def interfaces(answer: Any, call: str) -> tuple[GuestInterface, ...]:
    """``network-get-interfaces``; interfaces without a MAC (loopback in some guests) are left out."""
    found = []
    for source in rows(need(row(answer, call), "result", call), call):
        mac = str(source.get("hardware-address") or "")
        if mac and mac != "00:00:00:00:00:00":
            found.append(GuestInterface(str(source.get("name") or ""), _mac(mac, call), _addresses(source)))
    return tuple(found)


def guest_macs(kind: GuestKind, values: Mapping[str, str]) -> tuple[str, ...]:
    """Every MAC of a guest's configuration, in the order of its cards."""
    keys = sorted((key for key in values if re.fullmatch(r"net\d+", key)), key=lambda key: int(key[3:]))
    pattern = re.compile(r"(?:^|,)[\w-]+=((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})(?=,|$)")
    return tuple(canonical_mac(mac) for key in keys for mac in pattern.findall(values[key]))


def _addresses(source: Row) -> tuple[str, ...]:
    listed = source.get("ip-addresses") or ()
    return tuple(
        str(line["ip-address"]) for line in listed if isinstance(line, dict) and line.get("ip-address")
    )


def _mac(text: str, call: str) -> str:
    try:
        return canonical_mac(text)
    except ValueError as error:
        raise Strange(f"{call}: {error}", call=call) from None


def _waits(line: Row) -> bool:
    return "pending" in line or bool(line.get("delete"))


def _pending(line: Row) -> tuple[str, str | None]:
    return str(line.get("key")), None if line.get("delete") else _text(line["pending"])


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _flag(value: Any) -> bool:
    return str(value) in ("1", "True", "true")


def _number(value: Any) -> int | None:
    return None if value is None or value == "" else int(value)
