"""What the requirements files of a project name. Pure but for reading them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.yaml11 import YamlProblem, read
from provisioning.projects.confining import inside, named, readable
from provisioning.projects.faults import ProjectError

FILES = tuple(
    f"{folder}requirements.{ending}"
    for folder in ("", "collections/", "roles/")
    for ending in ("yml", "yaml")
)
COLLECTION, ROLE = "collection", "role"
_SCP = re.compile(r"[\w.-]+@[\w.-]+:")
_NAME = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Need:
    """One collection or role. *name* as playbooks use it, where that is known; *entry* is as the file has it."""

    kind: str
    name: str
    version: str
    file: str
    entry: Any
    #: from a server of collections or roles, so that an offline directory may have it in its place
    by_name: bool = True
    #: where it lies in the project itself
    local: Path | None = None

    def __str__(self) -> str:
        return f"{self.kind} {readable(self.name)}{f' ({self.version})' if self.version else ''}"


@dataclass(frozen=True)
class Needs:
    """Everything that is named, and the *texts* of the files that name it."""

    entries: tuple[Need, ...]
    texts: Mapping[str, bytes]


def needs_of(folder: Path) -> Needs:
    """What the requirements files of the laid out project *folder* name. Raises ProjectError, Outside."""
    texts: dict[str, bytes] = {}
    found = [need for name in FILES if (folder / name).is_file() for need in _of_file(folder, name, texts)]
    return Needs(tuple(found), texts)


def _of_file(folder: Path, name: str, texts: dict[str, bytes]) -> list[Need]:
    if name in texts:  # included twice, or by itself
        return []
    try:
        texts[name] = inside(folder, name).read_bytes()
        value, _ = read(texts[name], name)
    except YamlProblem as problem:
        raise ProjectError(f"{problem}") from None
    except OSError as error:
        raise ProjectError(f"{name} cannot be read: {error.strerror}.") from None
    if value is None:
        return []
    if isinstance(value, list):  # as it was written before there were collections
        value = {"collections" if name.startswith("collections/") else "roles": value}
    if not isinstance(value, dict) or set(value) - {"collections", "roles"}:
        raise ProjectError(
            f"{name} is no requirements file.", "It has a list collections, a list roles, and nothing else."
        )
    found = [_collection(folder, entry, name) for entry in _list(value, "collections", name)]
    for entry in _list(value, "roles", name):
        if isinstance(entry, Mapping) and "include" in entry:
            found += _of_file(folder, str(named(str(entry["include"]))), texts)
        else:
            found.append(_role(folder, entry, name))
    return found


def _list(value: Mapping[str, Any], noun: str, name: str) -> list[Any]:
    entries = value.get(noun) or []
    if not isinstance(entries, list):
        raise ProjectError(f"{name}: {noun} is no list.", "Write each one with “- ” before it.")
    return entries


def _collection(folder: Path, entry: Any, file: str) -> Need:
    if isinstance(entry, str):
        name, _, version = entry.partition(":") if _NAME.match(entry) else (entry, "", "")
        entry = {"name": name, **({"version": version} if version else {})}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ProjectError(f"{file}: a collection has no name.", "Write “- name: namespace.collection”.")
    name, version = entry["name"], str(entry.get("version") or "")
    kind = entry.get("type") or ("galaxy" if _NAME.fullmatch(name) else "")
    if not _NAME.fullmatch(name) and (kind == "galaxy" or not any(mark in name for mark in ":/.")):
        raise ProjectError(
            f"{file}: “{readable(name)}” names no collection.", "Write “- name: namespace.collection”."
        )
    local = None
    if kind in ("file", "dir", "subdirs") or (not kind and _is_local(name)):
        local = inside(folder, name.removeprefix("./"))
        entry = {**entry, "name": str(local)}
    _check_fetched(name, file)
    version = "" if version == "*" else version
    return Need(COLLECTION, name, version, file, dict(entry), by_name=kind == "galaxy", local=local)


def _role(folder: Path, entry: Any, file: str) -> Need:
    if isinstance(entry, str):
        source, version, name, *_ = [*(part.strip() for part in entry.split(",")), "", ""]
        entry = {
            "src": source,
            **({"version": version} if version else {}),
            **({"name": name} if name else {}),
        }
    if not isinstance(entry, Mapping) or not (entry.get("src") or entry.get("name") or entry.get("role")):
        raise ProjectError(f"{file}: a role has no name.", "Write “- name: …” or “- src: …”.")
    source = str(entry.get("src") or entry.get("role") or entry["name"])
    name = str(entry.get("name") or source.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git"))
    local = inside(folder, source.removeprefix("./")) if _is_local(source) else None
    if local:
        entry = {**entry, "src": str(local)}
    _check_fetched(source, file)
    by_name = "/" not in source and ":" not in source and not local
    return Need(ROLE, name, str(entry.get("version") or ""), file, dict(entry), by_name=by_name, local=local)


def _is_local(name: str) -> bool:
    return name.startswith((".", "/", "~")) or (name.endswith((".tar.gz", ".tgz")) and "://" not in name)


def _check_fetched(source: str, file: str) -> None:
    """What is fetched is fetched in a way that nobody can change on the way, and by no program that it names."""
    plain = source.removeprefix("git+")
    if plain.startswith("-") or "::" in plain.split("/", 1)[0]:
        raise ProjectError(f"{file}: “{readable(source)}” would be read as a command.", "Write https://….")
    scheme, mark, _ = plain.partition("://")
    if (mark and scheme == "ssh") or (not mark and _SCP.match(plain)):
        raise ProjectError(
            f"{file}: {readable(source)} is reached by ssh, and no key is given to what a project names.",
            "Write https://…, put it into the project, or declare a directory that has it as “collections at”.",
        )
    if mark and scheme != "https":
        raise ProjectError(
            f"{file}: {readable(source)} is reached by {readable(scheme)}://, for which nobody vouches.",
            "Write https://…, or put it into the project.",
        )
