"""Takes away what nobody needs any more: mirrors of projects that are gone, commits and collections of long ago."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters.base import AdapterError
from provisioning.projects import cache, mirrors
from provisioning.projects.faults import ProjectError
from provisioning.projects.limits import Limits
from provisioning.projects.places import PROJECTS, WORK, Place, folder_name, locked

HOUR, DAY = 3600.0, 86_400.0
#: what a worker that died has left lies at least so long
LEFT = DAY
#: a run lasts a week at most, and reads its collections to its end
LEAST = 8 * DAY
#: seconds that somebody who is at a project is waited for; the next hour comes
PATIENCE = 0.5


@dataclass
class Tidied:
    mirrors: int = 0
    commits: int = 0
    caches: int = 0
    left: int = 0

    def __str__(self) -> str:
        return (
            f"removed {self.mirrors} mirrors of projects that are gone, {self.commits} old commits, {self.caches} sets "
            f"of collections and {self.left} folders that were left"
        )


def tidy(
    data_dir: Path,
    declared: Collection[tuple[str, str]],
    *,
    unused: float,
    kept: float,
    check: Callable[[], None],
) -> Tidied:
    """*declared*: (site, name). Mirrors of others go when nobody was at them for *unused* seconds, commits and
    collections when nobody asked for them for *kept* seconds."""
    now, done = time.time(), Tidied()
    known = {(folder_name(site), folder_name(name)) for site, name in declared}
    for place in _places(data_dir / PROJECTS):
        try:
            if (place.folder.parent.name, place.folder.name) in known:
                limits = Limits(seconds=PATIENCE)
                done.commits += mirrors.tidy(place, older_than=now - kept, limits=limits, check=check)
            elif _age(place.lock, now) > unused:
                done.mirrors += _remove(place, check)
        except (
            AdapterError,
            ProjectError,
        ):  # somebody is at it, or it cannot be read: not worth a failed hour
            continue
    done.left = sum(_gone(path, now) for path in _below(data_dir / PROJECTS / WORK))
    for path in _below(data_dir / cache.CACHE):
        if path.name.startswith("new-"):
            done.left += _gone(path, now)
        elif path.is_dir() and _age(path, now) > max(kept, LEAST):
            done.caches += cache.forget(path, check)
        elif path.suffix == ".lock" and not path.with_suffix("").exists() and _age(path, now) > LEFT:
            path.unlink(missing_ok=True)
    return done


def _places(top: Path) -> Iterator[Place]:
    for site in _below(top):
        if site.name != WORK and site.is_dir():
            yield from (Place(folder) for folder in _below(site) if folder.is_dir())


def _below(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return now


def _gone(path: Path, now: float) -> int:
    if _age(path, now) <= LEFT:
        return 0
    cache.remove(path)
    return 1


def _remove(place: Place, check: Callable[[], None]) -> int:
    """The lock goes last: whoever waits for it finds an empty folder, and makes the mirror anew."""
    with locked(place.lock, seconds=PATIENCE, check=check, what=place.folder.name):
        for path in place.folder.iterdir():
            if path != place.lock:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        place.lock.unlink()
    place.folder.rmdir()
    return 1
