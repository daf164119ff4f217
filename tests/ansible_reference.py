"""What the real ``ansible-inventory`` makes of an inventory, compared with what it makes of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inventory import vault
from tests.importers.ansible_reference import ask

Listing = dict[str, Any]
#: What this application adds to hosts where nothing declares it.
ADDED = ("fqdn", "ansible_host")


def listing(source: Path, *, export: bool = False, password: str | None = None) -> Listing:
    """``ansible-inventory -i source --list [--export]``, keys in the order that Jinja sees."""
    answer = ask(source, *(["--export"] if export else []), password=password)
    assert answer.clean, answer.errors[-2000:]
    found: Listing = answer.output
    return found


def hosts_of(found: Listing) -> dict[str, dict[str, Any]]:
    """Host → variables, for every host that any group names."""
    named = {host for group, body in found.items() if group != "_meta" for host in body.get("hosts", [])}
    return {host: found["_meta"]["hostvars"].get(host, {}) for host in sorted(named)}


def groups_of(found: Listing) -> dict[str, tuple[list[str], list[str]]]:
    """Group → (hosts, children), in order; groups with neither do not show."""
    return {
        group: (body.get("hosts", []), body.get("children", []))
        for group, body in found.items()
        if group != "_meta" and (body.get("hosts") or body.get("children"))
    }


def group_variables_of(found: Listing) -> dict[str, dict[str, Any]]:
    """Group → variables, from a listing made with ``export``."""
    return {group: body["vars"] for group, body in found.items() if group != "_meta" and body.get("vars")}


def as_script(document: bytes, path: Path) -> Path:
    """An inventory script that prints *document*, as one that fetches it would."""
    data = path.with_suffix(".json")
    data.write_bytes(document)
    path.write_text(f"#!/bin/sh\nexec cat '{data}'\n")
    path.chmod(0o755)
    return path


def written(files: dict[str, bytes], root: Path) -> Path:
    """The files of a Document below *root*, which is returned."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


# --- comparing ---


def differences(
    theirs: Listing, ours: Listing, password: str | None = None, *, ordered: bool = True
) -> list[str]:
    """What differs for hosts and groups, beside the variables that are added; *ordered*: also top-level names."""
    wrong: list[str] = []
    mine, yours = hosts_of(ours), hosts_of(theirs)
    if mine.keys() != yours.keys():
        wrong.append(f"hosts: {sorted(mine.keys() ^ yours.keys())}")
    for host in sorted(mine.keys() & yours.keys()):
        added = {name: None for name in ADDED if name not in yours[host]}
        reduced = {name: value for name, value in mine[host].items() if name not in added}
        wrong += values_differ(yours[host], reduced, host, password, ordered=ordered)
    if groups_of(theirs) != groups_of(ours):
        wrong += [
            f"group {name}: {groups_of(theirs).get(name)} became {groups_of(ours).get(name)}"
            for name in sorted(groups_of(theirs).keys() | groups_of(ours).keys())
            if groups_of(theirs).get(name) != groups_of(ours).get(name)
        ]
    return wrong


def values_differ(
    theirs: Any, ours: Any, at: str, password: str | None = None, *, ordered: bool = True
) -> list[str]:
    """Where two values differ, with types and the order of keys; sealed values are compared in plain."""
    if _is_sealed(ours):
        if _is_sealed(theirs) and theirs == ours:
            return []
        assert password is not None, f"{at} is sealed"
        plain = _opened(ours, password)
        return [] if _plain(theirs, password) == plain else [f"{at}: sealed, and other than {theirs!r}"]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if theirs.keys() != ours.keys():
            missing, more = sorted(theirs.keys() - ours.keys()), sorted(ours.keys() - theirs.keys())
            return [f"{at}: missing {missing}, too many {more}"]
        if ordered and list(theirs) != list(ours):
            return [f"{at}: order {list(theirs)} became {list(ours)}"]
        return [
            line for key in theirs for line in values_differ(theirs[key], ours[key], f"{at}.{key}", password)
        ]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [line for i, (a, b) in pairs for line in values_differ(a, b, f"{at}[{i}]", password)]
    if type(theirs) is type(ours) and json.dumps(theirs) == json.dumps(ours):
        return []
    return [f"{at}: {theirs!r} became {ours!r}"]


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"__ansible_vault"}


def _opened(value: dict[str, str], password: str) -> str:
    return vault.decrypt(value["__ansible_vault"], password.encode()).decode()


def _plain(value: Any, password: str) -> str:
    """A value of a vaulted file as text: numbers can only be sealed so, and sealed text is never a template."""
    if _is_sealed(value):
        return _opened(value, password)
    if isinstance(value, dict) and set(value) == {"__ansible_unsafe"}:
        return str(value["__ansible_unsafe"])
    assert isinstance(value, str | int | float) and not isinstance(value, bool), value
    return str(value)
