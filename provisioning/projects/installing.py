"""The collections and roles that a project's requirements files name: installed once into a cache, read by every run.

The cache is keyed by what the files say and by what lies in the offline directory: the same words give the same folder,
and an open range (``>=8``) stays at what it was first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inventory.yaml11 import dump
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import Program, go_on
from provisioning.adapters.galaxy import Galaxy
from provisioning.projects import cache, paths, trees
from provisioning.projects import offline as offline_folder
from provisioning.projects.confining import readable
from provisioning.projects.faults import ProjectError
from provisioning.projects.limits import Limits
from provisioning.projects.needs import COLLECTION, ROLE, Need, Needs, needs_of
from provisioning.projects.places import make_folder
from provisioning.projects.versions import fits

COLLECTIONS, ROLES = "collections", "roles"
#: seconds for everything that one project needs
SECONDS = 900.0


@dataclass(frozen=True)
class Installed:
    """Where Ansible looks for collections and roles, the project's own first, those of this application last."""

    collections: tuple[Path, ...]
    roles: tuple[Path, ...]


def requirements(
    folder: Path,
    *,
    data_dir: Path,
    offline: str = "",
    check: Callable[[], None] = go_on,
    seconds: float = SECONDS,
    installs: bool = True,
) -> Installed:
    """What the laid out project *folder* needs is in the cache when this returns.

    With *offline*, an absolute path, nothing is asked of any server: tarballs, sources, installed collections and roles
    there are taken. Raises ProjectError, which names what is missing and both ways out. Where *installs* is not wanted,
    what is not in the cache is missing.
    """
    needs = needs_of(folder)
    own = paths.of_project(folder)
    there = Path(offline) if offline else None
    if there:
        offline_folder.check_folder(there)
    carried = {
        name: version
        for place in own.collections
        for name, version in offline_folder.carried_by(place).items()
    }
    open_needs = [
        need
        for need in needs.entries
        if not (need.kind == COLLECTION and need.name in carried and fits(carried[need.name], need.version))
        and not (need.kind == ROLE and any((place / need.name).is_dir() for place in own.roles))
    ]
    cached: list[Path] = []
    if open_needs:
        work = _Work(folder, there, open_needs, needs, carried, check, seconds)
        cached = [
            cache.cached(
                data_dir,
                work.key,
                work.install if installs else work.refuse,
                parts=(COLLECTIONS, ROLES),
                seconds=seconds,
                check=check,
            )
        ]
    return Installed(
        paths.unique(
            *own.collections,
            *(place / COLLECTIONS for place in cached),
            *([there] if there and (there / offline_folder.INSTALLED).is_dir() else []),
            *paths.ours(data_dir),
        ),
        paths.unique(
            *own.roles,
            *(place / ROLES for place in cached),
            *([there / ROLES] if there and (there / ROLES).is_dir() else []),
        ),
    )


class _Work:
    """One project's open needs, and how they are met."""

    def __init__(
        self,
        folder: Path,
        offline: Path | None,
        open_needs: list[Need],
        needs: Needs,
        carried: dict[str, offline_folder.Version],
        check: Callable[[], None],
        seconds: float,
    ) -> None:
        self.folder, self.offline, self.needs = folder, offline, open_needs
        self.check, self.seconds = check, seconds
        self.chosen = (
            offline_folder.choose(offline, [n for n in open_needs if not n.local], carried)
            if offline
            else None
        )
        if self.chosen and self.chosen.missing:
            raise _missing_offline(self.chosen.missing, readable(str(offline)))
        self.key = self._key(needs)

    def _key(self, needs: Needs) -> str:
        whole = hashlib.sha256(b"mgmtplane requirements 1\0")
        for name, text in sorted(needs.texts.items()):
            whole.update(name.encode() + b"\0" + hashlib.sha256(text).digest())
        whole.update(repr(sorted((need.kind, need.name) for need in self.needs)).encode())
        local = [need.local for need in self.needs if need.local]
        if self.chosen:
            local += [one.path for one in self.chosen.install] + sorted(self.chosen.roles.values())
        else:
            servers = self.folder / "ansible.cfg"
            local += [servers] if servers.is_file() else []
        for path in local:
            whole.update(_content(path))
        return whole.hexdigest()

    def refuse(self, into: Path, scratch: Path) -> None:
        raise ProjectError(
            f"The project needs {self._listed(self.needs)}, not installed yet.", "Update the project first."
        )

    def install(self, into: Path, scratch: Path) -> None:
        galaxy = Galaxy(self.folder, scratch, Program({}, seconds=self.seconds, check=self.check))
        try:
            if self.chosen is None:
                self._from_servers(galaxy, into, scratch)
            else:
                self._from_here(galaxy, into, scratch, self.chosen)
        except AdapterError as fault:
            raise self._not_installed(fault) from None

    def _from_servers(self, galaxy: Galaxy, into: Path, scratch: Path) -> None:
        for kind, noun, run in (
            (COLLECTION, "collections", galaxy.collections),
            (ROLE, "roles", galaxy.roles),
        ):
            entries = [need.entry for need in self.needs if need.kind == kind]
            if entries:
                run(_written(scratch / f"{noun}.yml", noun, entries), into / noun)

    def _from_here(self, galaxy: Galaxy, into: Path, scratch: Path, chosen: offline_folder.Chosen) -> None:
        artifacts = [one.path for one in chosen.install]
        artifacts += [need.local for need in self.needs if need.kind == COLLECTION and need.local]
        if artifacts:
            galaxy.artifacts(artifacts, into / COLLECTIONS)
        archives = {name: path for name, path in chosen.roles.items() if path.is_file()}
        archives |= {need.name: need.local for need in self.needs if need.kind == ROLE and need.local}
        if archives:
            entries = [{"name": name, "src": str(path)} for name, path in sorted(archives.items())]
            galaxy.role_archives(_written(scratch / "roles.yml", "roles", entries), into / ROLES)
        for name, path in sorted(chosen.roles.items()):
            if path.is_dir() and path.parent.name != ROLES:
                make_folder(into / ROLES)
                trees.copy(path, into / ROLES / name, Limits())

    @staticmethod
    def _listed(named: list[Need]) -> str:
        return _and([str(need) for need in named[:5]] + (["others"] if len(named) > 5 else []))

    def _not_installed(self, fault: AdapterError) -> ProjectError:
        said = fault.sentence.rstrip(".")
        named = [need for need in self.needs if need.name in said] or self.needs
        listed = self._listed(named)
        if self.offline:
            return ProjectError(
                f"The project needs {listed}, and {said}.", "Put it there.", retryable=fault.retryable
            )
        return ProjectError(
            f"The project needs {listed}, and {said}.",
            "Let this machine reach the server of collections (galaxy.ansible.com, or the one in the project's "
            "ansible.cfg); or put it into a directory here and declare that as the project's “collections at”.",
            retryable=fault.retryable,
        )


def _missing_offline(missing: tuple[str, ...], folder: str) -> ProjectError:
    return ProjectError(
        f"The project needs {_and(list(missing))}, and {folder} has none that fits.",
        "Put its tarball there (ansible-galaxy collection download makes it); or empty “collections at”, and let this "
        "machine reach the server of collections.",
    )


def _and(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]


def _written(file: Path, noun: str, entries: Sequence[object]) -> Path:
    file.write_text(dump({noun: entries}))
    return file


def _content(path: Path) -> bytes:
    if path.is_dir():
        return trees.digest(path, Limits()).encode()
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError as error:
        raise ProjectError(f"{readable(str(path))} cannot be read: {error.strerror}.") from None
