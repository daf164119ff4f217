"""Data directories that earlier landed states of this project made: ``python -m tests.upgrading.states COMMIT`` adds one.

Each is a ``.tar.xz`` with ``data/`` (the database with the demo's two sites, and a backup where that state made backups)
and ``before/`` (every export as that state rendered it). No secret key is in it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from mgmtplane.upgrading import inside
from mgmtplane.upgrading.journal import Source
from mgmtplane.upgrading.sources import lay_out
from tests import unpacking
from tests.shared_data import REPOSITORY

FOLDER = Path(__file__).with_name("states")


def names() -> list[str]:
    return sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))


def unpack(name: str, into: Path) -> Path:
    """The folder with ``data`` and ``before`` of the state *name*."""
    unpacking.unpack(FOLDER / f"{name}.tar.xz", into)
    return into


def make(commit: str) -> Path:
    """Have *commit* make a data directory and render everything; the archive of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = lay_out(REPOSITORY, Source(commit), folder / "source")
        data, before = folder / "data", folder / "before"
        environment = {"PATH": os.environ["PATH"], "HOME": name, "DATA_DIR": str(data)}

        def run(*words: str) -> None:
            subprocess.run([sys.executable, *words], cwd=source, env=environment, check=True)

        run("manage.py", "migrate", "-v0")
        run("manage.py", "demo")
        run(inside.__file__, "render", str(before))
        if (source / "provisioning/backups").is_dir():
            run("manage.py", "backup", "create")
        with sqlite3.connect(data / "mgmtplane.sqlite3") as database:
            database.execute("PRAGMA journal_mode=DELETE")
            database.execute("VACUUM")
        database.close()
        for left in ("secret_key", "broker", "renderings"):
            path = data / left
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return _packed(folder, FOLDER / f"{commit}.tar.xz")


def _packed(folder: Path, place: Path) -> Path:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(place, "w:xz", preset=9) as tar:
        for name in ("before", "data"):
            tar.add(folder / name, name, filter=plain)
    return place


if __name__ == "__main__":
    print(make(sys.argv[1]))
