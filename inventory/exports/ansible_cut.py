"""One host's or one group's share of a document that was rendered, as ``ansible`` would render it of the Snapshot."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from inventory.ansible.grouping import ALL, UNGROUPED
from inventory.exports.ansible import as_json, assembled, line

_KEY = json.JSONDecoder()

Groups = Mapping[str, Mapping[str, Any]]


def cut_host(document: bytes, name: str) -> bytes | None:
    """The variables of one host; None where the document leaves them out. Raises LookupError."""
    hosts, groups = _read(document)
    if name not in hosts:
        raise LookupError(f"Host “{name}” is not in the inventory that went out last.")
    variables = hosts[name][len(as_json(name)) + 1 :]
    if variables == b"{}" and name in groups:  # it may have some; see `AnsibleModel.script_variables`
        return None
    return variables + b"\n"


def cut_group(document: bytes, name: str) -> bytes:
    """The same document, limited to the hosts of group *name*. Raises LookupError."""
    hosts, groups = _read(document)
    if name not in groups:
        raise LookupError(f"Group “{name}” is not in the inventory that went out last.")
    only = set(hosts) if name == ALL else _members(groups, name)
    return assembled(
        [written for host, written in hosts.items() if host in only],
        [line(group, _limited(group, body, only)) for group, body in groups.items()],
    )


def _read(document: bytes) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """The line of each host, and the body of each group, in their order."""
    first, *lines = document.splitlines()
    end = -1 if first.endswith(b"}},") else lines.index(b"}},")
    hosts = (written.removesuffix(b",") for written in lines[: max(end, 0)])
    groups: dict[str, dict[str, Any]] = json.loads(b"{" + b"".join(lines[end + 1 :]))
    return {_KEY.raw_decode(written.decode())[0]: written for written in hosts}, groups


def _members(groups: Groups, name: str) -> set[str]:
    """The hosts of *name* and of every group below it."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            found.update(groups[current].get("hosts", ()))
            todo.extend(groups[current].get("children", ()))
    return found


def _limited(group: str, body: Mapping[str, Any], only: Collection[str]) -> dict[str, Any]:
    hosts = [host for host in body.get("hosts", ()) if host in only]
    limited = {key: hosts if key == "hosts" else value for key, value in body.items()}
    if not hosts and group != UNGROUPED:
        limited.pop("hosts", None)
    return limited or {"hosts": []}
