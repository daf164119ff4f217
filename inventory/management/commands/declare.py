"""manage.py declare: bring sites to what a document says; a plan by default."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from inventory.document import declaring, plans, text
from inventory.exports.site import schema
from inventory.findings import count_by_severity
from inventory.management.person import account_name
from mgmtplane.command_line import is_unprepared


class Command(BaseCommand):
    help = "Shows what a site document would change; --apply stores it. Several documents in one file are several sites."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", nargs="?", help="the document; - reads standard input")
        parser.add_argument("--apply", action="store_true", help="store it; without this nothing is written")
        parser.add_argument("--by", default="", help="who declares it; your user name here if you do not say")
        parser.add_argument("--why", default="", help="a reason, kept in the history")
        parser.add_argument("--json", action="store_true", help="print the whole plan as JSON")
        parser.add_argument(
            "--schema", action="store_true", help="print the JSON Schema of the document instead"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(json.dumps(schema.published(), indent=2, ensure_ascii=False))
            return
        if not options["file"]:
            raise CommandError("Name the FILE that holds the document; - reads standard input.")
        name, content = _read(options["file"])
        why = options["why"] or f"declared from {Path(name).name}"
        try:
            done = declaring.declare(
                content, name, apply=options["apply"], by=options["by"] or account_name("declare"), why=why
            )
        except declaring.Refused as refused:
            self._refuse(refused)
        except DatabaseError as error:
            if is_unprepared(error):
                raise
            raise CommandError(
                f"Nothing was stored: the database refused it ({error}). Make room, or let others finish; then run it again."
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(one) for one in done], indent=2))
            return
        for one in done:
            self._show(one, applied=options["apply"], verbose=options["verbosity"] > 1)

    def _refuse(self, refused: declaring.Refused) -> None:
        for complaint in refused.complaints:
            self.stderr.write(str(complaint))
        count = len(refused.complaints)
        raise CommandError(f"{count} {'error' if count == 1 else 'errors'}; nothing was stored.")

    def _show(self, one: declaring.Declared, *, applied: bool, verbose: bool) -> None:
        plan = one.plan
        self.stdout.write(f"Site {plan.slug}")
        for line in [*plans.told(plan, applied=applied, verbose=verbose), *plan.notes]:
            self.stdout.write(f"  {line}")
        if one.new_findings or one.settled_findings:
            counted = count_by_severity(one.new_findings)
            told = ", ".join(f"{n} {severity}" for severity, n in counted.items() if n) or "none"
            self.stdout.write(f"  new findings: {told}; settled: {len(one.settled_findings)}")
        if plan.is_empty:
            self.stdout.write("  Nothing to change.")
        elif applied:
            self.stdout.write(f"  Stored as revision {plan.revision}.")
        else:
            self.stdout.write("  Nothing was written. Run it again with --apply to store this.")


def _read(name: str) -> tuple[str, bytes]:
    """What to call the document, and no more of it than is needed to see that it is too large."""
    if name == "-" and sys.stdin is None:
        raise CommandError("Standard input is closed; name the FILE that holds the document.")
    try:
        if name == "-":
            return "stdin", sys.stdin.buffer.read(text.MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return name, file.read(text.MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read ({error.strerror}).") from None


def _as_json(one: declaring.Declared) -> dict[str, Any]:
    plan = one.plan
    return {
        "site": plan.slug,
        "revision": plan.revision,
        "entries": [
            {"noun": e.noun, "name": e.name, "action": e.action, "details": list(e.details)}
            for e in plan.entries
        ],
        "notes": plan.notes,
        "new_findings": [finding.as_dict() for finding in one.new_findings],
    }
