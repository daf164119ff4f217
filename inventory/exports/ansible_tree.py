"""The inventory as a plain directory: ``hosts.yml``, ``group_vars/``, ``host_vars/``; works without this application.

Layout and reading order: ansible-core, ``host_group_vars`` plugin and ``DataLoader.find_vars_files``. Wholly vaulted files
that were never opened lie beside the variables of their owner as they came.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from inventory import yaml11
from inventory.exports.ansible import model_of
from inventory.exports.ansible_model import AnsibleModel
from inventory.exports.registry import Document, Export
from inventory.grouping import ALL, UNGROUPED
from inventory.snapshot import AuthorityMode, SealedFile, Snapshot

HEADER = (
    "# Made by mgmtplane from the declaration of site {site}. Changes here are lost: change them there.\n"
)
#: Names that can be files and that Ansible finds again under just this name.
_FILE_NAME = re.compile(r"(?!.*\.(?:ya?ml|json)\Z)[^\W.][\w.:@+-]{0,200}\Z", re.UNICODE)


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    model = model_of(snapshot)
    header = HEADER.format(site=snapshot.site.slug)
    files: dict[str, str] = {}
    inline: dict[str, dict[str, Any]] = {}
    owned: list[tuple[str, str, dict[str, Any]]] = [
        ("group", name, dict(sorted(variables.items()))) for name, variables in model.group_variables.items()
    ]
    owned += [("host", host.name, model.host_variables(host)) for host in snapshot.live_hosts]
    for kind, name, variables in owned:
        sealed = (
            [file for file in snapshot.sealed if (file.owner_kind, file.owner) == (kind, name)]
            if snapshot.sealed
            else []
        )
        if not _FILE_NAME.match(name):
            inline[f"{kind} {name}"] = variables
        else:
            files.update(_variable_files(f"{kind}_vars/{name}", variables, sealed, header))
    files["hosts.yml"] = header + yaml11.dump(_hosts(model, inline))
    return Document({path: files[path].encode() for path in sorted(files)})


def _variable_files(
    base: str, variables: dict[str, Any], sealed: list[SealedFile], header: str
) -> dict[str, str]:
    """One file, or a directory where sealed files must lie beside it."""
    text = header + yaml11.dump(variables)
    if not sealed:
        return {f"{base}.yml": text} if variables else {}
    files = {f"{base}/{_plain_name(sealed)}": text} if variables else {}
    for file in sealed:
        files[f"{base}/{_flat_name(file.path)}"] = file.text if file.text.endswith("\n") else f"{file.text}\n"
    return files


def _flat_name(path: str) -> str:
    """The path of a sealed file below its owner, in one name: ``group_vars/all/a/vault.yml`` → ``a-vault.yml``."""
    parts = PurePosixPath(path).parts[2:] or (PurePosixPath(path).name,)
    return "-".join(parts)


def _plain_name(sealed: list[SealedFile]) -> str:
    """A name that Ansible reads before the sealed files, unless one of them has it."""
    taken = {_flat_name(file.path) for file in sealed}
    return next(name for name in ("main.yml", "vars.yml", "plain.yml", "00-plain.yml") if name not in taken)


def _hosts(model: AnsibleModel, inline: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The group tree. A group that stands below several is spelled out once and named in the other places."""
    tree = model.tree
    spelled: set[str] = set()

    def body(name: str) -> dict[str, Any]:
        if name in spelled:
            return {}
        spelled.add(name)
        out: dict[str, Any] = {}
        variables = dict(inline.get(f"group {name}", {}))
        if tree.priority.get(name, 1) != 1:
            variables["ansible_group_priority"] = tree.priority[name]
        if variables:
            out["vars"] = variables
        hosts = sorted(tree.hosts.get(name, ()) if name != UNGROUPED else tree.ungrouped)
        if hosts:
            out["hosts"] = {host: inline.get(f"host {host}", {}) for host in hosts}
        if tree.children.get(name):
            out["children"] = {child: body(child) for child in sorted(tree.children[name])}
        return out

    top = {name: body(name) for name in tree.top_level}
    if tree.ungrouped:
        top[UNGROUPED] = body(UNGROUPED)
    return {ALL: {"children": top}}


EXPORT = Export(
    name="ansible-tree",
    title="Ansible inventory as a directory",
    purpose="The same inventory as plain files: for a git repository, a USB stick, or Ansible without this application.",
    content_type="application/gzip",
    filename="ansible-tree",
    is_directory=True,
    render=render,
)
