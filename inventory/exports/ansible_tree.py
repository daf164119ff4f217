"""The inventory as a plain directory: ``hosts.yml``, ``group_vars/``, ``host_vars/``; works without this application.

Layout and reading order: ansible-core, ``host_group_vars`` plugin and ``DataLoader.find_vars_files``. Wholly vaulted files
that were never opened lie beside the variables of their owner as they came.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from inventory import yaml11
from inventory.ansible.grouping import ALL, UNGROUPED
from inventory.exports.ansible import model_of
from inventory.exports.ansible_model import AnsibleModel
from inventory.exports.registry import Document, Export
from inventory.snapshot import AuthorityMode, SealedFile, Snapshot

HEADER = (
    "# Made by mgmtplane from the declaration of site {site}. Changes here are lost: change them there.\n"
)
#: Names that can be files everywhere, and that Ansible finds again under just this name.
_FILE_NAME = re.compile(r"(?!.*\.(?:ya?ml|json)\Z)[^\W.][\w.@+-]*\Z")
_LONGEST_FILE_NAME = 200  # bytes
#: Deeper nesting than this is spelled at the top: YAML readers have limits, and people too.
_DEEPEST = 20

Variables = dict[str, Any]
Owner = tuple[str, str]  # "group" or "host", name


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    model = model_of(snapshot)
    header = HEADER.format(site=snapshot.site.slug)
    sealed: dict[Owner, list[SealedFile]] = defaultdict(list)
    for file in snapshot.sealed:
        sealed[file.owner_kind, file.owner].append(file)
    owned: dict[Owner, Variables] = {
        ("group", name): variables for name, variables in model.group_variables.items()
    }
    owned |= {("host", host.name): model.host_variables(host) for host in snapshot.live_hosts}
    inline = _inline(owned)
    files: dict[str, str] = {}
    for owner, variables in owned.items():
        plain = {} if owner in inline else variables
        late = _late(snapshot, owner)
        base = f"{owner[0]}_vars/{owner[1]}"
        files.update(_variable_files(base, plain, late, _in_reading_order(sealed[owner]), header))
    files["hosts.yml"] = header + yaml11.dump(_hosts(model, inline))
    return Document({path: files[path].encode() for path in sorted(files)})


def _inline(owned: Mapping[Owner, Variables]) -> dict[Owner, Variables]:
    """What must stand in ``hosts.yml``, since its owner's name can be no file, or another's differs from it in case alone.

    All groups or none: Ansible reads the inline variables of every group before the files of any.
    """
    many = Counter((kind, name.casefold()) for (kind, name), variables in owned.items() if variables)
    found = {
        (kind, name): variables
        for (kind, name), variables in owned.items()
        if variables and not (_fits(name) and many[kind, name.casefold()] == 1)
    }
    if any(kind == "group" for kind, _ in found):
        found |= {owner: variables for owner, variables in owned.items() if owner[0] == "group"}
    return found


def _fits(name: str) -> bool:
    return bool(_FILE_NAME.match(name)) and len(name.encode()) <= _LONGEST_FILE_NAME


# --- files ---


def _in_reading_order(sealed: list[SealedFile]) -> list[SealedFile]:
    return sorted(sealed, key=lambda file: PurePosixPath(file.path).parts)


def _late(snapshot: Snapshot, owner: Owner) -> Mapping[str, int]:
    """Variable → how many sealed files Ansible read before the one that it stood in, where any."""
    kind, name = owner
    if kind == "host":
        found = snapshot.host_by_name[name].written.get("late", {})
    else:
        found = snapshot.site.written.get("late", {}).get(name, {})
    return found if isinstance(found, Mapping) else {}


def _variable_files(
    base: str, variables: Variables, late: Mapping[str, int], sealed: list[SealedFile], header: str
) -> dict[str, str]:
    """One file, or a directory where sealed files must lie beside it."""
    if not sealed:
        return {f"{base}.yml": header + yaml11.dump(variables)} if variables else {}
    parts: list[Variables] = [{} for _ in range(len(sealed) + 1)]
    for key, value in variables.items():
        parts[min(late.get(key, 0), len(sealed))][key] = value
    names = [_flat_name(file.path) for file in sealed]
    simple = not any(parts[1:]) and ["main.yml", *names] == sorted({"main.yml", *names})
    files: dict[str, str] = {}
    for at, part in enumerate(parts):
        if part:
            name = "main.yml" if simple else f"{2 * at:02}-plain.yml"
            files[f"{base}/{name}"] = header + yaml11.dump(part)
        if at < len(sealed):
            name = names[at] if simple else f"{2 * at + 1:02}-{names[at]}"
            files[f"{base}/{name}"] = sealed[at].text.rstrip("\n") + "\n"
    return files


def _flat_name(path: str) -> str:
    """The path of a sealed file below its owner, in one name: ``group_vars/all/a/vault.yml`` → ``a-vault.yml``."""
    parts = PurePosixPath(path).parts[2:] or (PurePosixPath(path).name,)
    return "-".join(parts)


# --- hosts.yml ---


def _hosts(model: AnsibleModel, inline: Mapping[Owner, Variables]) -> dict[str, Any]:
    """The group tree. A group that stands below several is spelled out once and named in the other places."""
    tree = model.tree
    spelled: set[str] = set()
    later: list[str] = []

    def body(name: str, depth: int) -> dict[str, Any]:
        if name in spelled:
            return {}
        if depth > _DEEPEST:
            later.append(name)
            return {}
        spelled.add(name)
        out: dict[str, Any] = {}
        variables = dict(inline.get(("group", name), {}))
        if tree.priority.get(name, 1) != 1:
            variables["ansible_group_priority"] = tree.priority[name]
        if variables:
            out["vars"] = variables
        if hosts := members.get(name):
            out["hosts"] = {host: inline.get(("host", host), {}) for host in hosts}
        if children := below.get(name):
            out["children"] = {child: body(child, depth + 1) for child in children}
        return out

    members = {**tree.hosts, ALL: tree.named_in_all, UNGROUPED: tree.ungrouped}
    below = {**tree.children, ALL: tuple(tree.top_level)}
    if tree.ungrouped or UNGROUPED in tree.children or ("group", UNGROUPED) in inline:
        below[ALL] += (UNGROUPED,)
    out = {ALL: body(ALL, 0)}
    for name in later:  # grows while it is walked
        if name not in spelled:
            out[name] = body(name, 0)
    return {name: group for name, group in out.items() if group or name == ALL}


EXPORT = Export(
    name="ansible-tree",
    title="Ansible inventory as a directory",
    purpose="The same inventory as plain files: for a git repository, a USB stick, or Ansible without this application.",
    content_type="application/gzip",
    filename="ansible-tree",
    is_directory=True,
    render=render,
)
