"""Writes trees, and compares what we resolve with what the real ``ansible-inventory`` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inventory.importers.tree import Secret, Tree, read_tree
from tests.importers.ansible_reference import ask

PASSWORD = "example"


def write_tree(root: Path, files: dict[str, str | bytes]) -> Path:
    """Files by their path below *root*, which is returned."""
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def messages(tree: Tree, severity: str = "error") -> str:
    return "\n".join(
        f"{problem.path}:{problem.line}: {problem.message} {problem.hint}"
        for problem in tree.problems
        if problem.severity == severity
    )


def listing(tree: Tree, *, export: bool) -> dict[str, Any]:
    """*tree* in the shape of ``ansible-inventory --list [--export]`` (InventoryCLI.json_inventory)."""
    result: dict[str, Any] = {}
    seen: set[str] = set()

    def add(name: str) -> None:
        group = tree.groups[name]
        parts: dict[str, Any] = {"children": group.children}
        if name != "all":
            parts["hosts"] = group.hosts
        if export:
            parts["vars"] = tree.merged_vars(name)
        if parts := {key: value for key, value in parts.items() if value}:
            result[name] = parts
        for child in group.children:
            if child not in seen:
                seen.add(child)
                add(child)

    add("all")
    variables = {
        name: {**host.inline, **host.files} if export else tree.resolved(name)
        for name, host in tree.hosts.items()
    }
    result["_meta"] = {
        "hostvars": {name: values for name, values in variables.items() if values},
        "profile": "inventory_legacy",
    }
    return result


def assert_like_ansible(root: Path, hosts: str, *, password: str | None = None) -> Tree:
    """The tree at *root*, after comparing all of it with what Ansible resolves."""
    tree = read_tree(root / hosts, vault_password=password.encode() if password else None)
    assert not tree.errors, messages(tree)
    for export in (False, True):
        answer = ask(root / hosts, *(["--export"] if export else []), password=password)
        assert answer.clean, answer.errors
        ours, theirs = listing(tree, export=export), answer.output
        assert not (wrong := differences(ours, theirs)), "\n".join(wrong[:20])
    return tree


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where two JSON values differ, types included; a Secret equals its text or number."""
    if isinstance(ours, Secret):
        text = theirs.get("__ansible_unsafe") if isinstance(theirs, dict) else str(theirs)
        return [] if ours.plain == text else [f"{at}: the secret is not {theirs!r}"]
    if isinstance(ours, dict) and isinstance(theirs, dict):
        wrong = [f"{at}: only we have {key!r}" for key in ours.keys() - theirs.keys()]
        wrong += [f"{at}: only Ansible has {key!r}: {theirs[key]!r}" for key in theirs.keys() - ours.keys()]
        for key in ours.keys() & theirs.keys():
            wrong += differences(ours[key], theirs[key], f"{at}/{key}")
        return wrong
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for index, (a, b) in pairs for line in differences(a, b, f"{at}[{index}]")]
    if type(ours) is type(theirs) and ours == theirs:
        return []
    return [f"{at}: we have {_shown(ours)}, Ansible has {_shown(theirs)}"]


def _shown(value: Any) -> str:
    return json.dumps(value, default=repr)
