"""From a declared project to its code: which commit it is, and a clean copy of exactly that commit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from provisioning.adapters.commands import go_on
from provisioning.adapters.git import Commit
from provisioning.projects import listing, locations, mirrors, trees
from provisioning.projects.confining import confine, readable
from provisioning.projects.faults import Moved, ProjectError
from provisioning.projects.limits import Limits
from provisioning.projects.places import Place, make_folder, place_of

DIRECTORY, GIT = "directory", "git"
#: how the commit of a directory begins
TREE = "tree:"


class Declared(Protocol):
    """What is declared of a project, as far as its code goes; ``ProjectFacts`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Obtained:
    """*commit*: 40 hex digits of git, or ``tree:<sha256>`` of a directory's content. *folder*: the project's own in the
    data directory, or the directory itself; nobody but this package reads it."""

    commit: str
    folder: Path
    limits: Limits = field(default=Limits())

    @property
    def is_directory(self) -> bool:
        return self.commit.startswith(TREE)


def obtain(
    project: Declared,
    *,
    site: str,
    data_dir: Path,
    at: str = "",
    key: Callable[[], str] | None = None,
    last_fetched: bool = False,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    check: Callable[[], None] = go_on,
) -> Obtained:
    """The code of *project* as it is now; with *at*, exactly that commit, as somebody froze it.

    A git project is fetched, unless *at* is here already; *last_fetched* takes what was fetched last and asks nobody.
    *key* gives the SSH key and is called only where one is declared and needed. *check*
    raises when to stop. A directory cannot be taken back in time: where it no longer is *at*, Moved is raised.
    Raises ProjectError, and the faults of the adapter.
    """
    if project.source == DIRECTORY:
        return _directory(project, data_dir, at, limits)
    if project.source != GIT:
        raise ProjectError(
            f"Project {project.name} has the unknown source “{project.source}”.", "Declare directory or git."
        )
    location = locations.parse(project.location)
    if location.protocol == locations.PATH:
        not_our_own(Path(location.url), data_dir)
    upstream = mirrors.Upstream(
        project.name, site, location, locations.check_ref(project.ref), key if project.key else None
    )
    place = place_of(data_dir, site, project.name)
    commit = mirrors.obtain(upstream, place, at=at, last_fetched=last_fetched, limits=limits, check=check)
    return Obtained(commit, place.folder, limits)


def lay_out(obtained: Obtained, into: Path, *, check: Callable[[], None] = go_on) -> None:
    """Make *into*, a clean copy of exactly that commit for one run; nothing is left of it where that fails.

    Raises Moved where a directory has changed since, Outside for links that lead out of the project.
    """
    make_folder(into.parent)
    try:
        if obtained.is_directory:
            if trees.copy(obtained.folder, into, obtained.limits) != obtained.commit:
                raise _moved(obtained.folder)
        else:
            mirrors.lay_out(Place(obtained.folder), obtained.commit, into, obtained.limits, check)
        confine(into)
    except FileExistsError:
        raise ProjectError(f"{into} exists already.", "Remove it.") from None
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise


def playbooks(obtained: Obtained, *, check: Callable[[], None] = go_on) -> list[str]:
    """The playbooks of that commit by their path from the top, sorted; told from their text, nothing is executed."""
    if obtained.is_directory:
        files = trees.files(obtained.folder, obtained.limits, listing.may_be_one, listing.LARGEST)
        return listing.listed(files)
    place = Place(obtained.folder)
    return listing.listed(
        mirrors.files(place, obtained.commit, obtained.limits, listing.may_be_one, listing.LARGEST, check)
    )


@dataclass(frozen=True)
class Since:
    """*commits* between an older commit and this, newest first; *rewritten*: the older one does not lead to this one."""

    commits: tuple[Commit, ...] = ()
    rewritten: bool = False


def since(obtained: Obtained, old: str, *, check: Callable[[], None] = go_on) -> Since:
    """What came after *old*; nothing where that is not known here, or is no commit of git."""
    if obtained.is_directory or old == obtained.commit or not locations.is_commit(old):
        return Since()
    commits, rewritten = mirrors.since(Place(obtained.folder), old, obtained.commit, obtained.limits, check)
    return Since(tuple(commits), rewritten)


def notes(obtained: Obtained, *, check: Callable[[], None] = go_on) -> list[str]:
    """What a person may miss in a copy of that commit, a sentence each."""
    if obtained.is_directory:
        return []
    return mirrors.notes(Place(obtained.folder), obtained.commit, obtained.limits, check)


def _directory(project: Declared, data_dir: Path, at: str, limits: Limits) -> Obtained:
    root = directory_of(project.location, data_dir)
    commit = trees.digest(root, limits)
    if at and at != commit:
        raise _moved(root)
    return Obtained(commit, root, limits)


def _moved(root: Path) -> Moved:
    return Moved(
        f"{readable(str(root))} has changed since this was planned.",
        "Look at what changed, then ask for it anew.",
    )


def directory_of(location: str, data_dir: Path) -> Path:
    """The folder that *location* names on this machine. Raises ProjectError."""
    path = Path(location)
    if not path.is_absolute() or "\0" in location:
        raise ProjectError(
            f"“{readable(location)}” is no absolute path.", "Declare one that begins with “/”."
        )
    not_our_own(path, data_dir)
    real = Path(os.path.realpath(path))
    if not real.exists():
        raise ProjectError(
            f"There is no directory {readable(location)} on this machine.", "See how it is spelt."
        )
    if not real.is_dir():
        raise ProjectError(
            f"{readable(location)} is no directory.", "Name the folder that has the playbooks."
        )
    return real


def not_our_own(path: Path, data_dir: Path) -> None:
    """Raise ProjectError where *path* leads to what this application keeps for itself, or holds it."""
    real, own = Path(os.path.realpath(path)), Path(os.path.realpath(data_dir))
    if real.is_relative_to(own) or own.is_relative_to(real):
        raise ProjectError(
            f"{readable(str(path))} holds, or lies in, the folder that this application keeps for itself (DATA_DIR).",
            "Put the project elsewhere.",
        )
