"""The way back: database, virtual environment, source. Each step may be repeated, so a killed one is begun again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from . import databases, sources, venvs
from .journal import DONE, MIGRATING, PREPARING, RETURNED, RETURNING, Desk, Refused
from .programs import Program

UNDONE = "undone"
#: how far the newer version had come, in JSON
REACHED = "reached.json"
#: the version before, as files
SOURCE = "source"
#: in ACCEPT: go back though what was declared since cannot be kept
LOSE = "lose"


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
                self._require_unused()
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
        from .going import BEFORE, PROOF, render

        source = self._source()
        if self.desk.read().vendor != "sqlite":
            self._require_archive(source)
        journal = self.desk.move(state=RETURNING)
        self.say("putting the database back")
        if journal.vendor == "sqlite":
            databases.put_back(self.desk.folder / "database.sqlite3", Path(journal.database))
        else:
            self._restore(source)
        venvs.put_back(self.clone, self.desk)
        old = self._old(source)
        self.say("comparing every export with what it was")
        render(old, self.desk.folder / PROOF)
        same = self._require_as_before(self.desk.folder / BEFORE, self.desk.folder / PROOF)
        if (self.desk.folder / REACHED).exists():
            for line in old.inside("settle", str(self.desk.folder / REACHED)).splitlines():
                self.say(line)
        told = sources.put_back(self.clone, journal.old)
        self.desk.note_installed(journal.old)
        self.desk.move(state=RETURNED)
        shutil.rmtree(self.desk.folder / SOURCE, ignore_errors=True)
        exports = "and so is every export" if same else "and exports are what was accepted"
        return f"The database is what it was on {journal.began}, {exports}. {told} Start it with make up."

    def _source(self) -> Path:
        return sources.lay_out(self.clone, self.desk.read().old, self.desk.folder / SOURCE)

    def _old(self, source: Path) -> Program:
        from .going import old_program

        return old_program(self.clone, source, self.desk.read(), self.desk.data, self.lock)

    def _new(self) -> Program:
        return Program(self.clone, self.clone / venvs.NAME / "bin" / "python", self.desk.data, self.lock)

    def _require_unused(self) -> None:
        """Raise Refused where others use the database. The version before asks: the newer one may not work."""
        from .going import facts_of

        journal = self.desk.read()
        if journal.vendor == "sqlite":
            databases.require_unused(Path(journal.database), ())
        else:
            databases.require_unused(None, facts_of(self._old(self._source()), self.desk)["others"])

    def _require_archive(self, source: Path) -> None:
        """Raise Refused unless the backup of before the upgrade is as it was made."""
        archive = self.desk.read().archive
        try:
            self._old(source).manage("backup", "check", archive)
        except Refused as reason:
            raise Refused(
                f"{archive} is not as it was made, so no table was dropped. Put a whole copy of it there, or restore "
                f"another backup of before the upgrade into an empty database. {reason}"
            ) from None

    def _restore(self, source: Path) -> None:
        """PostgreSQL: drop the tables that either version knows, and restore the archive with the old one."""
        journal = self.desk.read()
        if (
            sources.here(self.clone) == journal.new
        ):  # else that was done, and the source is the old one already
            self._new().inside("empty")
        old = self._old(source)
        old.inside("empty")
        old.inside("put_back", journal.archive)

    def keep_what_is(self, *, untouched: bool = False) -> None:
        """How far the newer version had come, and what was declared since: an archive and, of SQLite, a copy.

        Raises Refused where it cannot be kept, unless ACCEPT says so or the database is *untouched* by people.
        """
        journal, folder = self.desk.read(), self.desk.folder / UNDONE
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        kept = journal.vendor == "sqlite"
        if kept:
            databases.copy(Path(journal.database), folder / "database.sqlite3")
        self._note_reached()
        try:
            self._new().manage("backup", "create", "--to", str(folder))
            kept = True
        except Refused as reason:  # that the newer version does not work may be why somebody goes back
            if not (kept or untouched or self.accept == LOSE):
                raise Refused(
                    f"What was declared since the upgrade cannot be kept: {reason} Put that right, then make upgrade-back "
                    f"again; to lose what was declared since: make upgrade-back ACCEPT={LOSE}."
                ) from None
            self.say(f"the newer version can make no backup: {reason}")
        if kept:
            self.say(f"what was declared since the upgrade is kept in {folder}")
        elif not untouched:
            self.say("what was declared since the upgrade is lost, as ACCEPT says")

    def _note_reached(self) -> None:
        draft = self.desk.folder / f".{REACHED}"
        try:
            self._new().inside("reached", str(draft))
            draft.replace(self.desk.folder / REACHED)
        except Refused as reason:
            self.say(
                f"how far the newer version had come cannot be read, so revisions may be below what consumers saw: {reason}"
            )

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
