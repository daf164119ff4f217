"""The cache of collections and roles: each folder is made once, whole, and read only from then on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.projects.faults import ProjectError
from provisioning.projects.places import locked, make_folder

CACHE = "requirements"


def cached(
    data_dir: Path,
    key: str,
    fill: Callable[[Path, Path], None],
    *,
    parts: tuple[str, ...],
    seconds: float,
    check: Callable[[], None],
) -> Path:
    """The folder of *key*: whole, or not there. *fill* is given a new one that has *parts*, and scratch room."""
    cache = data_dir / CACHE
    place = cache / key
    make_folder(cache)
    with locked(cache / f"{key}.lock", seconds=seconds, check=check, what="the same requirements"):
        if place.is_dir():
            os.utime(place)  # what is used is kept
            return place
        with _scratch(cache) as scratch:
            new = scratch / "new"
            for part in parts:
                make_folder(new / part)
            try:
                fill(new, scratch)
            except OSError as error:
                raise ProjectError(
                    f"The cache of collections cannot be written: {error.strerror}.",
                    "See that the data directory has room.",
                    retryable=True,
                ) from None
            _set_writable(new, False)
            new.chmod(0o700)  # a folder that is not writable cannot be moved
            new.rename(place)
            place.chmod(0o500)
    return place


@contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    scratch = Path(tempfile.mkdtemp(prefix="new-", dir=cache))
    try:
        yield scratch
    finally:
        remove(scratch)


def _set_writable(top: Path, writable: bool) -> None:
    for folder, _, files in os.walk(top):
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                mode = path.stat().st_mode & 0o700
                path.chmod(mode | 0o200 if writable else mode & 0o500)
        Path(folder).chmod(0o700 if writable else 0o500)


def remove(place: Path) -> None:
    """Remove a folder of the cache, read only as it is."""
    _set_writable(place, True)
    shutil.rmtree(place, ignore_errors=True)


def forget(place: Path, check: Callable[[], None]) -> int:
    """Remove one folder of the cache, unless somebody is just about to use it; how many."""
    with locked(
        place.with_name(f"{place.name}.lock"), seconds=0.5, check=check, what="the same requirements"
    ):
        remove(place)
    return 1
