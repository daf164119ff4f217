"""The way back: database, virtual environment, source. Each step may be repeated, so a killed one is begun again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from . import databases, sources, venvs
from .journal import DONE, MIGRATING, PREPARING, RETURNED, RETURNING, Desk, Refused

UNDONE = "undone"
#: how far the newer version had come, in JSON
REACHED = "reached.json"


class Back:
    """From wherever an upgrade stands to the version before it."""

    def __init__(
        self, clone: Path, desk: Desk, lock: int, say: Callable[[str], None], *, accept: str = ""
    ) -> None:
        self.clone, self.desk, self.lock, self.say, self.accept = clone, desk, lock, say, accept

    def run(self) -> None:
        """What ``make upgrade-back`` does. Raises Refused."""
        with self.desk.alone() as self.lock:
            state = self.desk.read().state
            if state == PREPARING:
                self.say(self.from_preparing())
            elif state in (MIGRATING, RETURNING, DONE):
                if state != RETURNING:
                    self.keep_what_is()
                self.say(self.go())
            else:
                raise Refused(
                    "There is no upgrade to go back from; backups are restored with manage.py backup restore."
                )

    def from_preparing(self) -> str:
        """Back from where the database is still untouched; what was done, in words."""
        journal = self.desk.read()
        venvs.put_back(self.clone, self.desk)
        told = sources.put_back(self.clone, journal.old)
        self.desk.note_installed(journal.old)
        self.desk.move(state=RETURNED)
        return told

    def go(self) -> str:
        """Back from where the database may be anything; what was done, in words."""
        from .going import BEFORE, PROOF, old_program, render

        journal = self.desk.move(state=RETURNING)
        self.say("putting the database back")
        place = self.desk.folder / "source"
        source = sources.lay_out(self.clone, journal.old, place)
        if journal.vendor == "sqlite":
            databases.put_back(self.desk.folder / "database.sqlite3", Path(journal.database))
        else:
            self._restore(source)
        venvs.put_back(self.clone, self.desk)
        old = old_program(self.clone, source, self.desk.read(), self.desk.data, self.lock)
        self.say("comparing every export with what it was")
        render(old, self.desk.folder / PROOF)
        same = self._require_as_before(self.desk.folder / BEFORE, self.desk.folder / PROOF)
        if (self.desk.folder / REACHED).exists():
            for line in old.inside("settle", str(self.desk.folder / REACHED)).splitlines():
                self.say(line)
        told = sources.put_back(self.clone, journal.old)
        self.desk.note_installed(journal.old)
        self.desk.move(state=RETURNED)
        shutil.rmtree(place, ignore_errors=True)
        exports = "and so is every export" if same else "and exports are what was accepted"
        return f"The database is what it was on {journal.began}, {exports}. {told} Start it with make up."

    def _restore(self, source: Path) -> None:
        """PostgreSQL: drop the tables that either version knows, and restore the archive with the old one."""
        from .going import old_program
        from .programs import Program

        journal = self.desk.read()
        new = Program(self.clone, self.clone / venvs.NAME / "bin" / "python", self.desk.data, self.lock)
        if (
            sources.here(self.clone) == journal.new
        ):  # else that was done, and the source is the old one already
            new.inside("empty")
        old = old_program(self.clone, source, journal, self.desk.data, self.lock)
        old.inside("empty")
        old.inside("put_back", journal.archive)

    def keep_what_is(self) -> None:
        """An archive and, of SQLite, a copy of what was declared since the upgrade; and how far it had come."""
        journal, folder = self.desk.read(), self.desk.folder / UNDONE
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        from .programs import Program

        new = Program(self.clone, self.clone / venvs.NAME / "bin" / "python", self.desk.data, self.lock)
        if journal.vendor == "sqlite":
            databases.copy(Path(journal.database), folder / "database.sqlite3")
        draft = self.desk.folder / f".{REACHED}"
        try:  # that the newer version does not work may be why somebody goes back
            new.inside("reached", str(draft))
            draft.replace(self.desk.folder / REACHED)
            new.manage("backup", "create", "--to", str(folder))
        except Refused as reason:
            self.say(f"not everything of the newer version could be kept: {reason}")
        self.say(f"what was declared since the upgrade is kept in {folder}")

    def _require_as_before(self, before: Path, now: Path) -> bool:
        """Whether every export is what it was. Raises Refused where one is not, and nobody named that in ACCEPT."""
        from .comparing import compare

        found = compare(before, now)
        if not found.differences:
            return True
        if self.accept == found.fingerprint:
            return False
        names = ", ".join("/".join(one.where) for one in found.differences[:5])
        raise Refused(
            f"The database was put back, and exports are not what they were: {names}. They were {before} and are {now}: "
            "look at both with diff -r. What makes them differ can be put right, then make upgrade-back again; to have "
            f"exactly that: make upgrade-back ACCEPT={found.fingerprint}"
        )
