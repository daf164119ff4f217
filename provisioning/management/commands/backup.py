"""manage.py backup: the application's own backup made, looked at, restored."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inventory.copying import copies
from mgmtplane import supervisor
from mgmtplane.sftp_places import is_address
from provisioning.backups import archive as tars
from provisioning.backups import away, making, measuring, restoring
from provisioning.backups.archive import CannotBackUp, check
from provisioning.backups.making import Lock
from provisioning.backups.sealing import SealError
from provisioning.drills import drilling
from provisioning.management.places import directory_there

DAMAGED = 1


class Command(BaseCommand):
    help = (
        "create: make one archive of everything, while the application runs. check: find a flipped bit. restore: bring "
        "an empty machine to what an archive has; needs no network. drill: restore it beside, and compare. list: what "
        "archives there are."
    )
    requires_system_checks: list[str] = []  # an empty machine has no database to check yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True, metavar="create|check|restore|drill|list")
        create = ways.add_parser("create", help="make an archive")
        create.add_argument(
            "--to",
            "--output",
            metavar="DIRECTORY|sftp://…",
            help="instead of BACKUP_DIR, and it must be there; over SSH: into BACKUP_DIR and there",
        )
        create.add_argument(
            "--recipient", action="append", default=[], metavar="age1…", help="instead of BACKUP_RECIPIENTS"
        )
        create.add_argument(
            "--passphrase-stdin",
            action="store_true",
            help="read a passphrase from stdin, instead of BACKUP_PASSPHRASE",
        )
        check = ways.add_parser("check", help="exit status 1 and a line for each thing that is wrong")
        check.add_argument(
            "archive", nargs="?", help="a file or sftp://…/NAME; the newest in BACKUP_DIR if none is named"
        )
        restore = ways.add_parser("restore", help="into an empty database and its data directory")
        restore.add_argument("archive", help="a file or sftp://…/NAME")
        restore.add_argument(
            "--identity", metavar="FILE", help="the private key (AGE-SECRET-KEY-1…) that opens what is secret"
        )
        restore.add_argument(
            "--passphrase-stdin", action="store_true", help="read the passphrase from stdin instead of asking"
        )
        restore.add_argument(
            "--without-secrets", action="store_true", help="leave what is sealed where it is, and ask nothing"
        )
        drill = ways.add_parser(
            "drill", help="restore it beside, and compare; exit status 1 if anything differs"
        )
        drill.add_argument("archive", nargs="?", help="the newest in BACKUP_DIR if none is named")
        measure = ways.add_parser(
            "measure", help="rows, digests of exports and next identities of this database, as JSON"
        )
        measure.add_argument("--at", metavar="TIME", help="by which quarantines have passed; without: now")
        listed = ways.add_parser(
            "list", help="the archives in BACKUP_DIR and at BACKUP_COPY_TO, newest first"
        )
        listed.add_argument("place", nargs="?", metavar="sftp://…", help="only those at another place")

    def handle(self, *args: Any, way: str, **options: Any) -> None:
        try:
            getattr(self, f"_{way}")(**options)
        except (CannotBackUp, SealError) as error:
            raise CommandError(str(error)) from None

    def _create(self, *, to: str | None, recipient: list[str], passphrase_stdin: bool, **_: Any) -> None:
        other = away.Away(away.place_of(to)) if to is not None and is_address(to) else None
        there = settings.BACKUP_DIR if to is None or other is not None else directory_there(to)
        made = making.create(there, self._lock(recipient, passphrase_stdin), step=self._say)
        for warning in made.warnings:
            self.stderr.write(f"warning: {warning}")
        self.stdout.write(str(made.path))
        if to is not None and other is None:
            return
        if not copies.is_live(None):
            self._not_away(other)
            return
        if (other := other or away.declared()) is not None:
            self._say(f"bring it to {other.place}")
            self.stdout.write(other.bring(made.path))
            for name in other.forget_old(settings.BACKUP_KEEP, made.path):
                self._say(f"removed {name} there")

    def _not_away(self, asked: away.Away | None) -> None:
        """The place is the live copy's: what this one brought would pass for the newest, and push others out."""
        if asked is not None:
            raise CommandError(f"It is made, and was not brought to {asked.place}. {copies.all_read_only()}")
        if settings.BACKUP_COPY_TO:
            self.stderr.write(f"warning: not brought to {settings.BACKUP_COPY_TO}. {copies.all_read_only()}")

    def _lock(self, recipients: list[str], from_stdin: bool) -> Lock:
        if recipients or from_stdin:
            return Lock(tuple(recipients), _one_line() if from_stdin else "")
        return making.declared_lock()

    def _check(self, *, archive: str | None, **_: Any) -> None:
        with _at_hand(archive) as path:
            problems = check(path)
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            sys.exit(DAMAGED)
        self.stdout.write(f"{path.name}: as it was made")

    def _restore(
        self,
        *,
        archive: str,
        identity: str | None,
        passphrase_stdin: bool,
        without_secrets: bool,
        **_: Any,
    ) -> None:
        with _nothing_running(), _at_hand(archive) as path:
            self._restore_file(path, identity, passphrase_stdin, without_secrets)

    def _restore_file(
        self, path: Path, identity: str | None, passphrase_stdin: bool, without_secrets: bool
    ) -> None:
        key = _key(identity) if identity else ""
        passphrase = ""
        if not without_secrets and not key:
            passphrase = _one_line() if passphrase_stdin else self._ask(path)
        _make_private_database()
        done = restoring.restore(path, passphrase=passphrase, identity=key, step=self._say)
        for warning in (*done.warnings, *done.uncompared):
            self.stderr.write(f"warning: {warning}")
        for difference in done.differences:
            self.stdout.write(difference)
        if done.differences:
            raise CommandError(
                "What was restored is not what was backed up; keep the archive, and look at the lines above."
            )
        told = ", ".join(f"{slug} at revision {number}" for slug, number in done.sites.items()) or "no site"
        which = "Every export that was compared" if done.uncompared else "Every export"
        self.stdout.write(
            f"Restored {done.rows} rows: {told}. {which} is what it was. Start it with make up."
        )
        self.stdout.write(
            "This copy is read-only until somebody promotes it: see that the one it came from is off, then for each site "
            'run manage.py promote SITE --why "…".'
        )

    def _drill(self, *, archive: str | None, **_: Any) -> None:
        done = drilling.drill(
            Path(archive).absolute() if archive else _newest(),
            passphrase=settings.BACKUP_PASSPHRASE or "",
            step=self._say,
        )
        for warning in (*done.warnings, *done.uncompared):
            self.stderr.write(f"warning: {warning}")
        for difference in done.differences:
            self.stdout.write(difference)
        if done.differences:
            raise CommandError(
                f"{len(done.differences)} differences; look at the lines above, and keep this archive."
            )
        self.stdout.write(done.told)

    def _measure(self, *, at: str | None, **_: Any) -> None:
        try:
            moment = datetime.fromisoformat(at) if at else datetime.now(UTC)
        except ValueError:
            raise CommandError(f"“{at}” is no time; write one such as 2026-11-26T07:15:00+00:00.") from None
        self.stdout.write(json.dumps(measuring.measure(moment), indent=1))

    def _ask(self, path: Path) -> str:
        sealed = tars.read_manifest(path)["sealed"]
        if "passphrase" in sealed and sys.stdin.isatty():
            return self._typed()
        if sealed:
            raise CommandError(
                f"What is secret in it is sealed ({sealed}). Give --identity FILE or --passphrase-stdin, or restore "
                "--without-secrets."
            )
        return ""

    def _typed(self) -> str:
        try:
            found = getpass.getpass("Passphrase of the backup: ")
        except EOFError:
            found = ""
        if not found:
            raise CommandError(
                "Nothing was restored: no passphrase was typed. Type it, or restore --without-secrets."
            )
        return found

    def _list(self, *, place: str | None, **_: Any) -> None:
        if place is not None:
            self._list_away(away.Away(away.place_of(place)))
            return
        self._list_here()
        if (other := away.declared()) is not None:
            self._list_away(other)

    def _list_away(self, other: away.Away) -> None:
        found = other.archives()
        self.stdout.write(f"at {other.place}:" if found else f"There is no archive at {other.place}.")
        for one in found:
            made = tars.made_at(Path(one.name))
            self.stdout.write(f"{made:%Y-%m-%d %H:%M} UTC  {one.size:>12}  {one.name}")

    def _list_here(self) -> None:
        found = tars.archives(settings.BACKUP_DIR)
        if not found:
            self.stdout.write(
                f"There is no archive in {settings.BACKUP_DIR}; manage.py backup create makes one."
            )
        for path in found:
            self.stdout.write(
                f"{tars.made_at(path):%Y-%m-%d %H:%M} UTC  {path.stat().st_size:>12}  {path.name}"
            )

    def _say(self, step: str) -> None:
        self.stderr.write(f"… {step}")


@contextlib.contextmanager
def _nothing_running() -> Iterator[None]:
    """Hold the supervisor's lock: what runs knows the secret key of before, and another database."""
    try:
        with supervisor.only_one(settings.DATA_DIR):
            yield
    except supervisor.Refused as reason:
        raise CommandError(
            f"Nothing was restored: {reason}. Stop make up first (Ctrl-C, or systemctl stop), then give the command again."
        ) from None


@contextlib.contextmanager
def _at_hand(archive: str | None) -> Iterator[Path]:
    """The archive as a file; one from another machine for as long as this lasts."""
    if archive is None or not is_address(archive):
        yield Path(archive) if archive else _newest()
        return
    there, name = away.archive_at(archive)
    with tars.workshop(settings.DATA_DIR) as folder:
        yield there.fetch(name, folder)


def _newest() -> Path:
    found = tars.newest(settings.BACKUP_DIR)
    if found is None:
        raise CommandError(
            f"There is no archive in {settings.BACKUP_DIR} but such as are of the future; name one."
            if tars.archives(settings.BACKUP_DIR)
            else f"There is no archive in {settings.BACKUP_DIR}; name one."
        )
    return found


def _one_line() -> str:
    found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise CommandError(
            "Standard input has no passphrase; write it there as one line, or leave --passphrase-stdin away."
        )
    return found


def _key(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{file} cannot be read ({getattr(error, 'strerror', None) or 'no text'})."
        ) from None


def _make_private_database() -> None:
    """A new SQLite file is its owner's alone."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        try:
            os.close(os.open(database["NAME"], os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise CommandError(f"{database['NAME']} cannot be written ({error.strerror}).") from None
