"""Collections and roles that lie in a directory of this machine, for where there is no internet."""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory.yaml11 import YamlProblem, read
from provisioning.projects.confining import readable
from provisioning.projects.faults import ProjectError
from provisioning.projects.needs import COLLECTION, Need
from provisioning.projects.versions import Version, fits

_TARBALL = re.compile(r"([a-z_][a-z0-9_]*)-([a-z_][a-z0-9_]*)-(\d[^/]*)\.tar\.gz")
INSTALLED = "ansible_collections"
#: the manifest of a collection is a few lines; what unpacks to more is something else
LARGEST = 4 << 20


@dataclass(frozen=True)
class Artifact:
    """One collection as it lies there: a tarball or a source to be installed, or installed *in_place*."""

    name: str
    version: Version
    path: Path
    in_place: bool = False
    needs: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Chosen:
    """*install*: what has to be unpacked; *roles*: folders and tarballs by the role's name; *missing*: in words."""

    install: tuple[Artifact, ...]
    roles: Mapping[str, Path]
    missing: tuple[str, ...]


def check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ProjectError(
            f"There is no directory {readable(str(folder))} on this machine, which is declared for collections.",
            "Make it, or empty “collections at”.",
        )


def choose(folder: Path, needs: Iterable[Need], carried: Mapping[str, Version]) -> Chosen:
    """What of *folder* meets *needs*, with what those need in turn; *carried* is in the project itself."""
    needs = list(needs)
    wanted = {need.name: [(need.version, str(need))] for need in needs if need.kind == COLLECTION}
    chosen: dict[str, Artifact] = {}
    missing: dict[str, str] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        ranges = [version for version, _ in wanted[name]]
        if name in carried and all(fits(carried[name], one) for one in ranges):
            continue
        there = [one for one in found(folder, name) if all(fits(one.version, each) for each in ranges)]
        if not there:
            missing[name] = wanted[name][-1][1]
            continue
        best = max(there, key=lambda one: (one.version, one.in_place))
        if chosen.get(name) == best:
            continue
        chosen[name] = best
        for needed, version in best.needs.items():
            wanted.setdefault(needed, []).append(
                (version, f"collection {needed} ({version}), which {name} needs")
            )
            waiting.append(needed)
    roles, lacking = _roles(folder, [need for need in needs if need.kind != COLLECTION])
    install = tuple(sorted((one for one in chosen.values() if not one.in_place), key=lambda one: one.name))
    return Chosen(install, roles, (*sorted(missing.values()), *lacking))


def found(folder: Path, name: str) -> list[Artifact]:
    """Every version of collection *name* that *folder* has: installed, as a source, as tarballs."""
    space, _, short = name.partition(".")
    artifacts = []
    for place, in_place in ((folder / INSTALLED / space / short, True), (folder / space / short, False)):
        if place.is_dir() and (info := info_of_folder(place)):
            artifacts.append(_artifact(name, info, place, in_place))
    for tarball in _tarballs(folder):
        match = _TARBALL.fullmatch(tarball.name)
        if match and f"{match[1]}.{match[2]}" == name:
            artifacts.append(_artifact(name, _info_of_tarball(tarball), tarball, False))
    return [one for one in artifacts if one is not None]


def carried_by(folder: Path) -> dict[str, Version]:
    """The collections that lie installed in *folder*, with their versions; 0.0.0 where none is said."""
    versions: dict[str, Version] = {}
    for place in folder.glob(f"{INSTALLED}/*/*"):
        if place.is_dir():
            name = f"{place.parent.name}.{place.name}"
            artifact = _artifact(name, info_of_folder(place) or {}, place, True)
            versions[name] = artifact.version if artifact else Version("0.0.0")
    return versions


def _artifact(name: str, info: Mapping[str, Any], path: Path, in_place: bool) -> Artifact | None:
    try:
        version = Version(str(info.get("version") or "0.0.0"))
    except ValueError:
        return None
    needs = info.get("dependencies")
    return Artifact(
        name,
        version,
        path,
        in_place,
        {str(one): str(wanted) for one, wanted in needs.items()} if isinstance(needs, dict) else {},
    )


def _tarballs(folder: Path) -> list[Path]:
    return sorted(Path(one.path) for one in os.scandir(folder) if one.name.endswith(".tar.gz"))


def info_of_folder(place: Path) -> dict[str, Any] | None:
    """What its manifest says, or its galaxy.yml; None where it has neither."""
    try:
        if (manifest := place / "MANIFEST.json").is_file():
            return dict(json.loads(manifest.read_bytes())["collection_info"])
        if (source := place / "galaxy.yml").is_file():
            value, _ = read(source.read_bytes(), str(source))
            return value if isinstance(value, dict) else {}
    except (OSError, ValueError, KeyError, TypeError, YamlProblem) as error:
        raise ProjectError(
            f"{readable(str(place))} is no collection: {error}", "Put a whole one there."
        ) from None
    return None


def _info_of_tarball(path: Path) -> dict[str, Any]:
    try:
        with tarfile.open(path, "r:gz") as opened:
            for _ in range(50):  # it comes first; a collection may have thousands of files
                member = opened.next()
                if member is None:
                    break
                if member.name.removeprefix("./") == "MANIFEST.json" and member.size <= LARGEST:
                    content = opened.extractfile(member)
                    if content is not None:
                        return dict(json.loads(content.read())["collection_info"])
    except (OSError, tarfile.TarError, EOFError, ValueError, KeyError, TypeError):
        pass
    raise ProjectError(
        f"{readable(str(path))} is no tarball of a collection.",
        "Put one there that ansible-galaxy has built.",
    )


def _roles(folder: Path, needs: list[Need]) -> tuple[dict[str, Path], tuple[str, ...]]:
    roles, missing = {}, []
    for need in needs:
        places = [
            place
            for base in (folder / "roles", folder)
            for place in (
                base / need.name,
                base / f"{need.name}-{need.version}.tar.gz",
                base / f"{need.name}.tar.gz",
            )
        ]
        there = [place for place in places if _is_role(place)]
        if there:
            roles[need.name] = there[0]
        else:
            missing.append(str(need))
    return roles, tuple(missing)


def _is_role(place: Path) -> bool:
    if place.name.endswith(".tar.gz"):
        return place.is_file()
    return any((place / part / "main.yml").is_file() for part in ("tasks", "meta", "defaults"))
