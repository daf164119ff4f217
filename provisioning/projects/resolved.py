"""What a run finds beside its project: which collections and roles, as they lie on this machine at this moment.

The text of a requirements file leaves that open (``>=8``), and a declared directory may change under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from provisioning.adapters.commands import go_on
from provisioning.projects import offline, trees
from provisioning.projects.faults import ProjectError
from provisioning.projects.installing import Installed
from provisioning.projects.limits import Limits
from provisioning.projects.paths import OURS

#: digits of a digest that are kept: these tell two trees apart, and nobody forges one here
DIGITS = 24


def resolved(installed: Installed, project: Path, *, check: Callable[[], None] = go_on) -> dict[str, str]:
    """Such as ``collection acme.tools`` → ``1.2.0 (5f…)``: version, and digest of names and contents of what lies there.

    What lies in *project* itself belongs to its commit and is left out. Of one name the first counts, as for Ansible.
    """
    found: dict[str, str] = {}
    inside: set[str] = set()
    for name, path, version in (*_collections(installed.collections), *_roles(installed.roles)):
        if path.is_relative_to(project):
            inside.add(name)
        elif name not in found and name not in inside:
            check()
            found[name] = f"{version} ({_digest(path, trees.signature(path, Limits()))})".strip()
    return dict(sorted(found.items()))


def _collections(places: tuple[Path, ...]) -> Iterator[tuple[str, Path, str]]:
    for place in places:
        for path in sorted(place.glob(f"{offline.INSTALLED}/*/*")):
            if path.is_dir() and not path.name.startswith("."):
                ours = "own " if path.resolve() == OURS else ""
                yield f"{ours}collection {path.parent.name}.{path.name}", path, _version(path)


def _version(path: Path) -> str:
    try:
        return str((offline.info_of_folder(path) or {}).get("version") or "")
    except ProjectError:  # its digest tells
        return ""


def _roles(places: tuple[Path, ...]) -> Iterator[tuple[str, Path, str]]:
    for place in places:
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.is_dir() and not path.name.startswith("."):
                yield f"role {path.name}", path, ""


@lru_cache(maxsize=512)
def _digest(path: Path, signature: str) -> str:
    """*signature* has moved where anything below *path* has."""
    return trees.digest(path, Limits(), modes=False).removeprefix("tree:")[:DIGITS]
