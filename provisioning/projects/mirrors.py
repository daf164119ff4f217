"""A git project: what is declared is looked for there, taken into a mirror here, and kept as long as somebody needs it.

In the mirror, ``refs/mgmtplane/<commit>`` keeps a commit that was handed out, whatever becomes of it upstream;
``refs/fetched/<digest>`` is what was fetched last for one location and ref.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters import ssh_agent
from provisioning.adapters.commands import Program
from provisioning.adapters.git import Commit, Mirror, Remote
from provisioning.adapters.git_faults import NoRef
from provisioning.projects import locations, trees
from provisioning.projects.confining import readable
from provisioning.projects.faults import ProjectError
from provisioning.projects.limits import Limits
from provisioning.projects.locations import PATH, SSH, Location
from provisioning.projects.places import Place, locked, make_folder

KEPT, FETCHED = "refs/mgmtplane", "refs/fetched"
#: between an old commit and a new one, at most
MOST_COMMITS = 200
EVERYTHING = ("refs/heads", "refs/tags")


@dataclass(frozen=True)
class Upstream:
    """One project's repository: where it lies, its *ref*, and how to get in."""

    name: str
    site: str
    location: Location
    ref: str
    key: Callable[[], str] | None

    @property
    def fetched(self) -> str:
        told = f"{self.location.url}\0{self.ref}"
        return f"{FETCHED}/{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def obtain(
    upstream: Upstream,
    place: Place,
    *,
    at: str,
    last_fetched: bool,
    limits: Limits,
    check: Callable[[], None],
) -> str:
    """The commit; it is in the mirror of *place* by then, and kept. See ``sources.obtain``."""
    make_folder(place.folder)
    with locked(place.lock, seconds=limits.seconds, check=check, what=f"project {upstream.name}") as lock:
        mirror = mirror_of(place, limits, check, hold=(lock,))
        mirror.prepare()
        commit = _commit(mirror, upstream, place, at=at, last_fetched=last_fetched)
        mirror.point(f"{KEPT}/{commit}", commit)
        return commit


def mirror_of(place: Place, limits: Limits, check: Callable[[], None], hold: tuple[int, ...] = ()) -> Mirror:
    def watch() -> None:
        if _size(place.mirror) > limits.bytes:
            raise ProjectError(
                f"The repository is larger than {limits.bytes >> 20} MiB.",
                "Keep what is large outside of it, or raise PROJECT_MAX_MEGABYTES.",
            )

    return Mirror(place.mirror, Program({}, seconds=limits.seconds, check=check, watch=watch, hold=hold))


def _commit(mirror: Mirror, upstream: Upstream, place: Place, *, at: str, last_fetched: bool) -> str:
    if last_fetched:
        found = mirror.commit(upstream.fetched)
        if not found:
            raise ProjectError(
                f"Nothing was fetched yet for project {upstream.name} from there.",
                "Update the project first: manage.py project update.",
            )
        return found
    wanted = at or (upstream.ref if locations.is_commit(upstream.ref) else "")
    if wanted and not locations.is_commit(wanted):
        raise ProjectError(f"“{wanted}” is no commit: 40 hex digits are.")
    if wanted and mirror.commit(wanted) == wanted:
        return _noted(mirror, upstream, wanted, at)
    _check_path(upstream.location)
    with remote_of(upstream, place) as remote:
        if wanted:
            _fetch_commit(mirror, remote, wanted)
            return _noted(mirror, upstream, wanted, at)
        full = _full_name(mirror, remote, upstream.ref)
        mirror.fetch(remote, f"+{full}:{upstream.fetched}")
    mirror.program.watch()
    if commit := mirror.commit(upstream.fetched):
        return commit
    mirror.forget(upstream.fetched)
    raise ProjectError(f"{full} leads to no commit.", "Declare a branch, or a tag of a commit.")


def _noted(mirror: Mirror, upstream: Upstream, commit: str, at: str) -> str:
    if not at:
        mirror.point(upstream.fetched, commit)
    return commit


def _full_name(mirror: Mirror, remote: Remote, ref: str) -> str:
    """The full name of *ref* over there; HEAD where none is declared. Raises ProjectError, NoRef."""
    if not ref:
        offered = mirror.offered(remote, "HEAD")
        if "HEAD" in offered:
            return "HEAD"
        if mirror.offered(remote):
            raise NoRef(f"{remote.url} has no default branch. Declare a ref.", call="git ls-remote")
        raise ProjectError(f"The repository {remote.url} is empty.", "Push a first commit to it.")
    names = (ref,) if ref.startswith("refs/") else tuple(f"{kind}/{ref}" for kind in EVERYTHING)
    offered = mirror.offered(remote, *names)
    found = [name for name in names if name in offered]
    if len(found) == 1:
        return found[0]
    if found:
        raise ProjectError(
            f"{remote.url} has a branch and a tag called {ref}.", f"Declare {' or '.join(found)}."
        )
    if not mirror.offered(remote):
        raise ProjectError(f"The repository {remote.url} is empty.", "Push a first commit to it.")
    if locations.is_short_commit(ref):
        raise NoRef(
            f"{remote.url} has no branch or tag called {ref}. A commit is declared by all 40 of its digits.",
            call="git ls-remote",
        )
    raise NoRef(f"{remote.url} has no branch or tag called {ref}.", call="git ls-remote")


def _fetch_commit(mirror: Mirror, remote: Remote, commit: str) -> None:
    """By its name, where the other side gives out single commits; else with everything that it has."""
    try:
        mirror.fetch(remote, f"+{commit}:{KEPT}/{commit}")
    except NoRef:
        mirror.fetch(remote, *(f"+{kind}/*:refs/passing/{kind}/*" for kind in EVERYTHING))
        if mirror.commit(commit) != commit:
            raise NoRef(
                f"{remote.url} has no commit {commit}, on no branch and under no tag.", call="git fetch"
            ) from None


def _check_path(location: Location) -> None:
    """A repository by path is one itself: git follows a file ``.git`` to wherever it points."""
    if location.protocol != PATH:
        return
    pointer = Path(location.url) / ".git"
    if pointer.is_file() or pointer.is_symlink():
        raise ProjectError(
            f"{location.url} is no repository itself: its .git is a file or a link that points elsewhere.",
            "Declare the repository that it belongs to.",
        )


@contextmanager
def remote_of(upstream: Upstream, place: Place) -> Iterator[Remote]:
    """The way in; over ssh with the key in an agent, where one is declared."""
    location = upstream.location
    if location.protocol == SSH:
        command = ssh_command(place.known_hosts)
        if upstream.key is None:
            yield Remote(location.url, SSH, ssh=command)
            return
        with ssh_agent.agent_with(upstream.key()) as agent:
            yield Remote(location.url, SSH, ssh=command, agent=agent)
    else:
        yield Remote(location.url, location.protocol)


def ssh_command(known_hosts: Path) -> tuple[str, ...]:
    """Nothing of the user's or the system's ssh: no configuration, no key but the agent's, no host key but accepted ones."""
    quoted = '"' + str(known_hosts).replace("%", "%%") + '"'
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": quoted,
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "IdentityFile": "none",
        "PreferredAuthentications": "publickey",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
        "ControlMaster": "no",
        "ControlPath": "none",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
    }
    return (
        "ssh",
        "-F",
        "/dev/null",
        *(part for name in options for part in ("-o", f"{name}={options[name]}")),
    )


def lay_out(place: Place, commit: str, into: Path, limits: Limits, check: Callable[[], None]) -> None:
    """The files of *commit* in the new folder *into*."""
    with _read(place, limits, check) as mirror:
        entries = mirror.tree(commit)
        if len(entries) > limits.files:
            raise trees.too_large(place.folder, f"more than {limits.files} files")
        if sum(entry.size for entry in entries) > limits.bytes:
            raise trees.too_large(place.folder, f"more than {limits.bytes >> 20} MiB")
        into.mkdir(mode=0o700)
        index = into.with_name(f".{into.name}.index")
        try:
            mirror.check_out(commit, into, index)
        finally:
            index.unlink(missing_ok=True)


def files(
    place: Place,
    commit: str,
    limits: Limits,
    wanted: Callable[[str], bool],
    largest: int,
    check: Callable[[], None],
) -> list[tuple[str, bytes]]:
    """Path and content of the plain files of *commit* that are *wanted* by their path; larger ones are left out."""
    with _read(place, limits, check) as mirror:
        found = [
            entry
            for entry in mirror.tree(commit)
            if entry.is_file and entry.size <= largest and wanted(entry.path)
        ]
        contents = mirror.contents([entry.id for entry in found])
        return [(entry.path, content) for entry, content in zip(found, contents, strict=True)]


def since(
    place: Place, old: str, new: str, limits: Limits, check: Callable[[], None]
) -> tuple[list[Commit], bool]:
    """The commits between, newest first, and whether *old* is none that leads to *new*."""
    with _read(place, limits, check) as mirror:
        if mirror.commit(old) != old:
            return [], False
        return mirror.log(new, old, MOST_COMMITS), not mirror.is_ancestor(old, new)


def notes(place: Place, commit: str, limits: Limits, check: Callable[[], None]) -> list[str]:
    """What a copy of *commit* lacks: submodules are not fetched, and neither is what lies outside of git."""
    with _read(place, limits, check) as mirror:
        tree = mirror.tree(commit)
        modules = [entry.path for entry in tree if entry.is_submodule]
        attributes = [
            entry.id for entry in tree if entry.is_file and entry.path.split("/")[-1] == ".gitattributes"
        ]
        large = any(b"filter=lfs" in content for content in mirror.contents(attributes))
    said = []
    if modules:
        said.append(
            f"Submodules are not fetched, their folders are empty: {', '.join(map(readable, modules[:5]))}."
        )
    if large:
        said.append("Files of Git LFS are not fetched; in their place lies a line that names each.")
    return said


@contextmanager
def _read(place: Place, limits: Limits, check: Callable[[], None]) -> Iterator[Mirror]:
    """The mirror, while nobody collects in it or removes it."""
    what = f"project {place.folder.name}"
    with locked(place.lock, seconds=limits.seconds, check=check, what=what, shared=True) as lock:
        mirror = mirror_of(place, limits, check, hold=(lock,))
        if not mirror.is_there:
            raise ProjectError(f"The mirror of {what} is gone.", "Update the project, then run this again.")
        yield mirror


def tidy(place: Place, *, older_than: float, limits: Limits, check: Callable[[], None]) -> int:
    """Forget the commits that nobody asked for since *older_than* (seconds since the epoch); how many."""
    with locked(place.lock, seconds=limits.seconds, check=check, what=place.folder.name) as lock:
        mirror = mirror_of(place, limits, check, hold=(lock,))
        if not mirror.is_there:
            return 0
        mirror.prepare()
        old = [
            path
            for path in (*mirror.folder.glob(f"{KEPT}/*"), *mirror.folder.glob("refs/passing/**/*"))
            if path.is_file() and path.stat().st_mtime < older_than
        ]
        for path in old:
            mirror.forget(os.fspath(path.relative_to(mirror.folder)))
        if old:
            mirror.collect()
        return len(old)


def _size(folder: Path) -> int:
    """Bytes of what was fetched; the rest is small."""
    total = 0
    try:
        for file in os.scandir(folder / "objects" / "pack"):
            total += file.stat().st_size
    except FileNotFoundError:  # not made yet, or renamed in between
        pass
    return total
