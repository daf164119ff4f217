"""The program's source as it goes into a kit: what belongs to it, and nothing that an installation keeps for itself."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from mgmtplane import own_secrets

#: what the program consists of, at the top of its folder. Where git does not say what belongs to it, nothing else does:
#: beside it may lie ``.env``, an earlier data directory, somebody's keys.
TOP = frozenset(
    {
        ".ci",
        ".editorconfig",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "ansible",
        "clients",
        "docs",
        "inventory",
        "manage.py",
        "mgmtplane",
        "provisioning",
        "pyproject.toml",
        "requirements-dev.in",
        "requirements-dev.txt",
        "requirements.in",
        "requirements.txt",
        "templates",
        "tests",
        "tools",
    }
)
#: below those: caches, databases, and what a person hid there
NOT_SOURCE = re.compile(r"/\.|(^|/)(__pycache__|node_modules)(/|$)|\.pyc$|\.sqlite3")
#: so that the same source is the same archive
EPOCH = 0


def pack(place: Path) -> None:
    """The program as it runs here, without what it keeps, as a tar at *place*."""
    with tarfile.open(place, "w") as tar:
        for name in names():
            path = settings.BASE_DIR / name
            entry = tar.gettarinfo(path, arcname=name)
            entry.uid = entry.gid = EPOCH
            entry.uname = entry.gname = ""
            entry.mtime = EPOCH
            if entry.isfile():
                with path.open("rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)


def names() -> list[str]:
    """The files of the source, relative to BASE_DIR, sorted."""
    kept = _kept()
    found = (name for name in _known_to_git() or _at_the_top() if (settings.BASE_DIR / name).is_file())
    return sorted(name for name in found if not _is_kept((settings.BASE_DIR / name).resolve(), kept))


def _known_to_git() -> list[str]:
    """What git tracks, where BASE_DIR is its clone and git lets this user look; else nothing."""
    words = ["git", "-C", str(settings.BASE_DIR), "ls-files", "-z"]
    try:
        listed = subprocess.run(words, capture_output=True, check=True, timeout=60).stdout.decode()
    except (OSError, subprocess.SubprocessError):
        return []
    found = [name for name in listed.split("\0") if name]
    return found if "manage.py" in found else []  # inside a clone of something else


def _at_the_top() -> Iterator[str]:
    for top in TOP:
        place = settings.BASE_DIR / top
        for path in [place] if place.is_file() else place.rglob("*"):
            name = str(path.relative_to(settings.BASE_DIR))
            if not NOT_SOURCE.search(name):
                yield name


def _kept() -> frozenset[Path]:
    """Where this installation keeps what is its own, links followed: folders and files."""
    own = (settings.DATA_DIR, settings.KIT_DIR, settings.BACKUP_DIR, settings.WHEELS_DIR)
    folders = [place.resolve() for place in own]
    # A program that lies inside its data directory would leave nothing; TOP, and what git tracks, keep the rest out.
    around = [folder for folder in folders if not settings.BASE_DIR.resolve().is_relative_to(folder)]
    database = settings.DATABASES["default"]
    files = [Path(database["NAME"]).resolve()] if database["ENGINE"].endswith("sqlite3") else []
    return frozenset([*around, *files, *own_secrets.named_files(settings.BASE_DIR)])


def _is_kept(real: Path, kept: frozenset[Path]) -> bool:
    return real in kept or not kept.isdisjoint(real.parents)
