"""The inventory as an Ansible inventory script prints it with ``--list``.

Format: ansible-core, "Developing dynamic inventory": groups with ``hosts``, ``children``, ``vars``, and
``_meta.hostvars``. Sealed values are ``{"__ansible_vault": …}``, which Ansible's JSON reader turns back into secrets.
Groups stand in order of their names. Their hosts, children and variables keep the order of the imported tree, since
``groups.web[0]``, the ``varnames`` lookup and Jinja's loops can see it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import orjson

from inventory.ansible.grouping import ALL, UNGROUPED
from inventory.exports.ansible_model import AnsibleModel
from inventory.exports.registry import Document, Export
from inventory.findings import Finding
from inventory.snapshot import AuthorityMode, HostFacts, Snapshot


def model_of(snapshot: Snapshot) -> AnsibleModel:
    return AnsibleModel(snapshot)


def as_json(value: Any) -> bytes:
    """JSON bytes; numbers beyond 64 bits go the slow way."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "backslashreplace"
        )


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    """The whole site as one JSON document, a host or group a line."""
    model = model_of(snapshot)
    return Document({"inventory.json": _document(model, None)}, tuple(unrepresented(model)))


def group_document(snapshot: Snapshot, name: str) -> bytes:
    """The same document, limited to the hosts of group *name*. Raises LookupError."""
    model = model_of(snapshot)
    if name not in (ALL, UNGROUPED) and name not in model.tree.children:
        raise LookupError(f"Site {snapshot.site.slug} has no group “{name}”.")
    return _document(model, model.tree.members(name))


def host_document(snapshot: Snapshot, name: str) -> bytes:
    """The variables of one host, as in ``_meta.hostvars``. Raises LookupError."""
    host = snapshot.host_by_name.get(name)
    if host is None or host.is_retired:
        gone = "is retired" if host else "is not declared"
        raise LookupError(f"Host “{name}” {gone} in site {snapshot.site.slug}.")
    return as_json(model_of(snapshot).host_variables(host)) + b"\n"


def _document(model: AnsibleModel, only: Collection[str] | None) -> bytes:
    hosts = [h for h in model.snapshot.live_hosts if only is None or h.name in only]
    host_lines = [rendered_host(model, host) for host in hosts]
    group_lines = [line(name, body) for name, body in _groups(model, only).items()]
    return assembled(host_lines, group_lines)


def assembled(host_lines: list[bytes], group_lines: list[bytes]) -> bytes:
    """The document of these lines."""
    return b"".join(
        (
            b'{"_meta":{"hostvars":{\n' if host_lines else b'{"_meta":{"hostvars":{',
            b",\n".join(host_lines),
            b"\n}},\n" if host_lines else b"}},\n",
            b",\n".join(group_lines),
            b"\n}\n",
        )
    )


def rendered_host(model: AnsibleModel, host: HostFacts) -> bytes:
    """The line of one host in ``_meta.hostvars``, without the comma behind it."""
    return line(host.name, model.script_variables(host))


def rendered_name(host: HostFacts) -> bytes:
    """How a group names the host."""
    return as_json(host.name)


def line(name: str, body: Mapping[str, Any]) -> bytes:
    """A host or a group in the document."""
    return as_json(name) + b":" + as_json(body)


def _groups(model: AnsibleModel, only: Collection[str] | None) -> dict[str, dict[str, Any]]:
    tree = model.tree
    members = {**tree.hosts, ALL: tree.named_in_all, UNGROUPED: tree.ungrouped}
    children = {UNGROUPED: (), **tree.children, ALL: (*tree.top_level, UNGROUPED)}
    return {
        name: _body(
            model,
            name,
            [host for host in members[name] if only is None or host in only],
            list(children[name]),
        )
        for name in (ALL, *sorted(children.keys() - {ALL, UNGROUPED}), UNGROUPED)
    }


def _body(model: AnsibleModel, name: str, hosts: list[str], children: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if children:
        body["children"] = children
    if hosts or name == UNGROUPED:
        body["hosts"] = hosts
    variables = dict(model.group_variables.get(name, {}))
    priority = model.tree.priority.get(name, 1)
    if priority != 1:
        variables["ansible_group_priority"] = priority
    if variables:
        body["vars"] = variables
    return body or {"hosts": []}


def unrepresented(model: AnsibleModel) -> list[Finding]:
    """What this document cannot carry: files sealed as a whole, and hosts that share the name of a group."""
    snapshot = model.snapshot
    sealed = [
        Finding(
            "vault-sealed",
            "warning",
            f"{file.owner_kind} {file.owner}",
            f"{file.path} is sealed as a whole; its variables are in ansible-tree only.",
            "Import again with --vault-password-file, so that each value is sealed on its own.",
        )
        for file in snapshot.sealed
        if file.owner_kind == "group" or not snapshot.host_by_name[file.owner].is_retired
    ]
    return sealed + [
        Finding(
            "host-named-as-group",
            "error",
            host.subject,
            "has the name of a group, to which Ansible would give what an inventory script says of the host; so its own "
            "variables are in ansible-tree only.",
            "Rename the host or the group.",
        )
        for host in snapshot.live_hosts
        if model.shares_name(host) and not model.is_expressible(host, model.host_variables(host))
    ]


EXPORT = Export(
    name="ansible",
    title="Ansible inventory",
    purpose="What an inventory script prints: for `ansible -i`, AWX, and everything that reads `--list` JSON.",
    content_type="application/json",
    filename="inventory.json",
    is_directory=False,
    render=render,
)
