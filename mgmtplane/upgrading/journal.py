"""Where an upgrade stands: one file, replaced in one step before each thing that could not be told from outside."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FOLDER, FILE, INSTALLED = "upgrade", "journal.json", "source.json"

#: nothing that runs was touched but the venv: begin again, or put the venv back
PREPARING = "preparing"
#: the database is being brought to the new schema: go on, or go back
MIGRATING = "migrating"
DONE = "done"
#: on the way back: go on with that
RETURNING = "returning"
RETURNED = "returned"
UNFINISHED = (MIGRATING, RETURNING)


class Refused(Exception):
    """Why nothing is done; a sentence with the way out."""


@dataclass(frozen=True)
class Source:
    """A version: a commit (and the branch that it was on) of the clone, or a directory of its own."""

    commit: str = ""
    branch: str = ""
    directory: str = ""

    def __str__(self) -> str:
        if self.directory:
            return self.directory
        return f"{self.commit[:10]}{f' ({self.branch})' if self.branch else ''}"


@dataclass(frozen=True)
class Journal:
    state: str = RETURNED
    old: Source = field(default_factory=Source)
    new: Source = field(default_factory=Source)
    #: the old one is ``.venv``, or ``.venv.previous`` once it is (being) exchanged
    venv_exchanged: bool = False
    vendor: str = ""
    #: path of the SQLite file
    database: str = ""
    #: path of the archive that was made with the old version; empty where that one makes none
    archive: str = ""
    began: str = ""


class Desk:
    """The folder of upgrades in a data directory, and the journal in it."""

    def __init__(self, data: Path) -> None:
        self.data, self.folder = data, data / FOLDER
        #: a copy of this folder
        self.tool = self.folder / "tool"

    def read(self) -> Journal:
        found = _read(self.folder / FILE)
        if not found:
            return Journal()
        found["old"], found["new"] = Source(**found["old"]), Source(**found["new"])
        return Journal(**found)

    def write(self, journal: Journal) -> Journal:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        store(self.folder / FILE, asdict(journal))
        return journal

    def move(self, **changed: Any) -> Journal:
        return self.write(replace(self.read(), **changed))

    def installed(self) -> Source | None:
        """The version that ran last over this data directory, where one wrote it down."""
        found = _read(self.data / INSTALLED)
        return Source(found.get("commit", ""), found.get("branch", "")) if found.get("commit") else None

    def note_installed(self, source: Source) -> None:
        if source.commit:
            store(self.data / INSTALLED, {"commit": source.commit, "branch": source.branch})

    @contextlib.contextmanager
    def alone(self) -> Iterator[int]:
        """Hold the supervisor's lock, so that nothing starts meanwhile. Raises Refused where something runs."""
        descriptor = os.open(self.data / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise Refused(
                f"It is running over {self.data} (process {owner}). Stop it first (Ctrl-C, or systemctl stop), then "
                "give the command again."
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read ({error}); put back what it was, or remove it.") from None
    return found if isinstance(found, dict) else {}


def store(path: Path, facts: dict[str, Any]) -> None:
    """Replace a small file in one step, its owner's alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(facts, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
