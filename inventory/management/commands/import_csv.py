"""manage.py import_csv: bring what a table names to what it says; a plan by default."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from inventory import reading
from inventory.document import amending
from inventory.document.plans import told
from inventory.findings import count_by_severity
from inventory.importers import csv as tables
from inventory.management.person import account_name
from mgmtplane.command_line import is_unprepared


class Command(BaseCommand):
    help = (
        "Shows what a table (CSV, or pasted out of a spreadsheet) would change; --apply stores it. "
        "What it does not name stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the table; - reads standard input")
        parser.add_argument("--site", required=True, metavar="SLUG", help="the site to import into")
        parser.add_argument(
            "--noun", choices=sorted(tables.TABLES), default="", help="what it holds; else its header tells"
        )
        parser.add_argument(
            "--ignore-unknown", action="store_true", help="leave out columns that are not known"
        )
        parser.add_argument("--apply", action="store_true", help="store it; without this nothing is written")
        parser.add_argument("--by", default="", help="who imports it; your user name here if you do not say")
        parser.add_argument("--why", default="", help="a reason, kept in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        name, content = _read(options["file"])
        makers: dict[str, amending.Maker] = {
            options["site"]: lambda stored: tables.read(
                content, name, stored, noun=options["noun"], ignore_unknown=options["ignore_unknown"]
            )
        }
        try:
            if options["apply"]:
                why = options["why"] or f"imported from {Path(name).name}"
                by = options["by"] or account_name("import_csv")
                (done,) = amending.amend(makers, seen=None, by=by, why=why, source="import_csv")
            else:
                (done,) = amending.plan(makers)
        except reading.UnknownSite as error:
            raise CommandError(str(error)) from None
        except amending.Refused as refused:
            self._refuse(refused.complaints)
        except DatabaseError as error:
            if is_unprepared(error):
                raise
            raise CommandError(
                f"Nothing was stored: the database refused it ({error}). Make room, or let others finish; then run it again."
            ) from None
        if done.complaints:
            self._refuse(done.complaints)
        self._show(done, applied=options["apply"], verbose=options["verbosity"] > 1)

    def _refuse(self, complaints: Any) -> None:
        for complaint in complaints:
            self.stderr.write(str(complaint))
        count = len(complaints)
        raise CommandError(f"{count} {'error' if count == 1 else 'errors'}; nothing was stored.")

    def _show(self, done: amending.Amended, *, applied: bool, verbose: bool) -> None:
        for line in [*told(done.plan, applied=applied, verbose=verbose), *done.plan.notes]:
            self.stdout.write(line)
        new, settled = done.findings()
        if new or settled:
            counted = (
                ", ".join(f"{n} {severity}" for severity, n in count_by_severity(tuple(new)).items() if n)
                or "none"
            )
            self.stdout.write(f"new findings: {counted}; settled: {len(settled)}")
        if done.plan.is_empty:
            self.stdout.write("Nothing to change.")
        elif applied:
            self.stdout.write(f"Stored as revision {done.plan.revision}.")
        else:
            self.stdout.write("Nothing was written. Run it again with --apply to store this.")


def _read(name: str) -> tuple[str, bytes]:
    if name == "-" and sys.stdin is None:
        raise CommandError("Standard input is closed; name the FILE that holds the table.")
    try:
        return ("stdin", sys.stdin.buffer.read()) if name == "-" else (name, Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"{name} cannot be read ({error.strerror}).") from None
