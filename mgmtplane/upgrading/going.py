"""The upgrade itself: look, keep, install, rehearse on a copy, ask, migrate, prove.

Until the rehearsal is accepted nothing of what runs was touched but ``.venv``, whose previous one lies beside it. From
then on the way back is a copy of the database made before, put back in one step.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import comparing, databases, sources, venvs
from .comparing import Comparison, compare
from .journal import DONE, MIGRATING, PREPARING, RETURNING, Desk, Journal, Refused, Source
from .programs import Program
from .returning import REACHED, Back

KEPT, BEFORE, AFTER, PROOF, OLD_SOURCE, REHEARSAL = (
    "database.sqlite3",
    "before",
    "after",
    "proof",
    "source",
    "rehearsal",
)
DIFFERENCES = "differences.txt"
#: one digest over all rows, as they were when the database was kept
ROWS = "rows"

Say = Callable[[str], None]


class Upgrade:
    """One upgrade of the clone over one data directory; ``run`` holds the lock that its programs are given."""

    def __init__(
        self, clone: Path, desk: Desk, *, given: str, wheels: Path | None, accept: str, say: Say
    ) -> None:
        self.clone, self.desk, self.given, self.wheels, self.accept, self.say = (
            clone,
            desk,
            given,
            wheels,
            accept,
            say,
        )
        self.lock = -1

    def run(self) -> None:
        """Raises Refused; what was begun is as it was before, or can be gone on with, and the sentence says which."""
        with self.desk.alone() as self.lock:
            journal = self.desk.read()
            goes_on = journal.state == MIGRATING
            if journal.state == RETURNING:
                raise Refused("Going back was interrupted. Finish that first: make upgrade-back")
            if goes_on:
                self._require_same(journal)
                self.say(
                    f"going on with the upgrade from {journal.old} to {journal.new}, which was interrupted"
                )
            elif not self._prepare(journal):
                return
            else:
                self._require_unmoved()
            self._migrate(untouched=not goes_on)

    # --- before anything is touched ---

    def _prepare(self, journal: Journal) -> bool:
        """Up to the answer to what would differ; False where there is nothing to do."""
        old = self._came_from(journal)
        began = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        new = sources.here(self.clone)
        if (old.commit and old.commit == new.commit) or (old.directory and old.directory == new.directory):
            self.say(f"{new} is the version that ran last. Get another first (git pull), then make upgrade.")
            return False
        if new.commit and old.commit:
            sources.require_clean(self.clone)
        self.say(f"from {old} to {new}")
        journal = Journal(PREPARING, old, new, began=began)
        facts = self._look(journal)
        self.desk.write(journal)
        shutil.rmtree(self.desk.tool, ignore_errors=True)
        shutil.copytree(
            Path(__file__).parent,
            self.desk.tool / "upgrading",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        self._keep(self._old(journal), facts)
        venvs.exchange(self.clone, self.desk, self.wheels, self.say)
        self._rehearse()
        return True

    def _came_from(self, journal: Journal) -> Source:
        """The version to come from; of one that was killed the same, with its environment, where no other ran since."""
        installed = self.desk.installed()
        same = journal.old.directory or installed is None or installed.commit == journal.old.commit
        if journal.state == PREPARING and same:
            venvs.put_back(self.clone, self.desk)
            if not self.given:
                return journal.old
        return sources.previous(self.clone, self.desk, self.given)

    def _old(self, journal: Journal) -> Program:
        source = sources.lay_out(self.clone, journal.old, self.desk.folder / OLD_SOURCE)
        return old_program(self.clone, source, journal, self.desk.data, self.lock)

    def _new(self) -> Program:
        return Program(self.clone, self.clone / venvs.NAME / "bin" / "python", self.desk.data, self.lock)

    def _look(self, journal: Journal) -> dict[str, Any]:
        """What the old version says of the database. Raises Refused, with the way back of the upgrade before intact."""
        self.say("looking at the database with the version that ran last")
        self.desk.folder.mkdir(mode=0o700, exist_ok=True)
        old = self._old(journal)
        facts = facts_of(old, self.desk)
        _require_at(facts, old)
        databases.require_unused(_file_of(facts), facts["others"])
        return facts

    def _keep(self, old: Program, facts: dict[str, Any]) -> None:
        """Everything as the old version has it: every export, the database, an archive.

        Rendering publishes zone serials that were not yet, so the rows are those of afterwards.
        """
        database = _file_of(facts)
        (self.desk.folder / REACHED).unlink(missing_ok=True)
        self.say("rendering every export as it is")
        render(old, self.desk.folder / BEFORE)
        old.inside("rows", str(self.desk.folder / ROWS))
        archive = ""
        if facts["backs_up"]:
            self.say("making a backup")
            folder = self.desk.folder / "backup"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            archive = old.inside("backup", str(folder)).strip().splitlines()[-1]
        elif database is None:
            raise Refused(
                f"{old.source} makes no backups. Make one with pg_dump; then make up brings the database to this version."
            )
        if database is not None:
            databases.copy(database, self.desk.folder / KEPT)
        self.desk.move(vendor=facts["vendor"], database=str(database or ""), archive=archive)

    def _require_unmoved(self) -> None:
        """Raise Refused where the database is not what was kept and rehearsed; nothing of it was touched yet."""
        now = self.desk.folder / f"{ROWS}.now"
        try:
            old = self._old(self.desk.read())
            facts = facts_of(old, self.desk)
            databases.require_unused(_file_of(facts), facts["others"])
            old.inside("rows", str(now))
            if now.read_text() != (self.desk.folder / ROWS).read_text():
                raise Refused(
                    "Somebody wrote the database since it was looked at: what was shown is not what would come of it. "
                    "See that nobody does, then give the command again."
                )
        except Refused as reason:
            told = Back(self.clone, self.desk, self.lock, self.say).from_preparing()
            raise Refused(f"{told} The database was not touched. {reason}") from None
        finally:
            now.unlink(missing_ok=True)

    # --- the copy ---

    def _rehearse(self) -> None:
        """The new version over a copy of the database; what it makes of it is compared, and asked about."""
        journal, folder = self.desk.read(), self.desk.folder / REHEARSAL
        self.say("bringing a copy of the database to the new version")
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            copy = self._new().beside(folder, folder / KEPT)
            if journal.vendor == "sqlite":
                databases.copy(self.desk.folder / KEPT, folder / KEPT)
                copy.manage("migrate", "--noinput", "-v0")
            else:
                (folder / KEPT).touch(0o600)  # whoever restores begins a database deliberately
                copy.inside("restore", journal.archive)
            self.say("comparing every export")
            render(copy, self.desk.folder / AFTER)
            found = compare(self.desk.folder / BEFORE, self.desk.folder / AFTER)
            self._tell(found)
            self._accept(found)
        except Refused as reason:
            told = Back(self.clone, self.desk, self.lock, self.say).from_preparing()
            raise Refused(f"{told} The database was not touched. {reason}") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _tell(self, found: Comparison) -> None:
        if found.new_formats:
            self.say(f"new formats, which nothing is compared with: {', '.join(found.new_formats)}")
        if not found.differences:
            self.say(f"all {found.exports} exports are unchanged")
            return
        place = self.desk.folder / DIFFERENCES
        place.touch(0o600)
        place.write_text("".join(one.words for one in found.differences), encoding="utf-8")
        for one in found.differences:
            sys.stdout.write(comparing.shortened(one.words))
        sys.stdout.flush()
        self.say(
            f"{len(found.differences)} files of {found.exports} exports differ; all of it lies in {place}"
        )

    def _accept(self, found: Comparison) -> None:
        """Raise Refused unless a person wants these differences: asked here, or named in ACCEPT."""
        if not found.differences or self.accept == found.fingerprint:
            return
        if sys.stdin.isatty() and not self.accept:
            sys.stdout.write("Go on, so that this is what goes out? Type yes: ")
            sys.stdout.flush()
            if sys.stdin.readline().strip().lower() == "yes":
                return
            raise Refused("It was not wanted.")
        journal = self.desk.read()
        get = sources.command_again(self.clone, journal.old, journal.new)
        words = ["make upgrade", f"ACCEPT={found.fingerprint}"]
        if journal.old.directory:  # which is written down nowhere
            words.insert(1, f"FROM={shlex.quote(journal.old.directory)}")
        raise Refused(
            f"Exports would change, and nobody is here to ask. To have exactly that: "
            f"{get}{', then ' if get else ''}{' '.join(words)}"
        )

    # --- for good ---

    def _require_same(self, journal: Journal) -> None:
        now = sources.here(self.clone)
        if now != journal.new:
            raise Refused(
                f"An upgrade to {journal.new} was interrupted, and the source is {now} now. Get that one again, or go back "
                "with make upgrade-back."
            )

    def _migrate(self, *, untouched: bool) -> None:
        """*untouched*: the database was looked at just now, so that nothing can have been declared since it was kept."""
        journal = self.desk.move(state=MIGRATING)
        new = self._new()
        self.say("bringing the database to the new version")
        try:
            new.manage("migrate", "--noinput", "-v0")
            self.say("comparing every export with what it was")
            render(new, self.desk.folder / PROOF)
            self._prove()
        except Refused as reason:
            back = Back(self.clone, self.desk, self.lock, self.say)
            try:
                back.keep_what_is(untouched=untouched)
            except Refused as not_kept:
                raise Refused(
                    f"{reason} {not_kept} Nothing was put back yet; make upgrade-back goes back."
                ) from None
            try:
                told = back.go()
            except Refused as stuck:
                raise Refused(f"{reason} Going back: {stuck}") from None
            raise Refused(f"{reason} {told}") from None
        self.desk.move(state=DONE)
        self.desk.note_installed(journal.new)
        self.say(f"done: {journal.new}. Start it with make up; make upgrade-back goes back to {journal.old}.")

    def _prove(self) -> None:
        """The living database makes what was accepted: nothing else differs, and where nothing should, nothing does."""
        rehearsed = compare(self.desk.folder / BEFORE, self.desk.folder / AFTER)
        found = compare(self.desk.folder / BEFORE, self.desk.folder / PROOF)
        if more := sorted(found.where - rehearsed.where):
            raise Refused(
                f"Exports differ that did not on the copy: {', '.join('/'.join(one) for one in more[:5])}."
            )
        if not found.differences:
            self.say(f"all {found.exports} exports are what they were")


def old_program(clone: Path, source: Path, journal: Journal, data: Path, lock: int) -> Program:
    """The previous version, with the venv that it has."""
    if journal.old.directory:
        return Program(source, source / venvs.NAME / "bin" / "python", data, lock)
    return Program(source, venvs.python_of(clone, exchanged=journal.venv_exchanged), data, lock)


def facts_of(program: Program, desk: Desk) -> dict[str, Any]:
    place = desk.folder / "facts.json"
    program.inside("facts", str(place))
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    place.unlink()
    return found


def render(program: Program, into: Path) -> None:
    """Every export below *into*, which is there whole or not at all."""
    draft = into.with_name(f".{into.name}.draft")
    for place in (draft, into):
        shutil.rmtree(place, ignore_errors=True)
    draft.mkdir(mode=0o700)
    program.inside("render", str(draft))
    draft.rename(into)


def _file_of(facts: dict[str, Any]) -> Path | None:
    """The SQLite file, wherever links to it lie."""
    return Path(facts["name"]).resolve() if facts["vendor"] == "sqlite" else None


def _require_at(facts: dict[str, Any], old: Program) -> None:
    """Raise Refused unless the database is exactly at the old version's schema: else that is not what ran last."""
    waiting, unknown = facts["waiting"], facts["unknown"]
    if unknown:
        raise Refused(
            f"The database is of a newer version than {old.source}: that one knows no {unknown[0]}. Name what ran last with "
            "FROM=; where this version ran already, there is nothing to upgrade."
        )
    if waiting:
        raise Refused(
            f"The database is of an older version than {old.source}: it lacks {waiting[0]}. Name what ran last with FROM=."
        )
