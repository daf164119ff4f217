"""Import an Ansible tree into a site: a plan by default, stored with --apply."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from inventory import document, validators, yaml11
from inventory.ansible.nouns import UnknownNoun
from inventory.document.plans import DONE
from inventory.importers.intake import Intake, take
from inventory.importers.tree import Problem
from mgmtplane.command_line import is_unprepared


class Command(BaseCommand):
    help = (
        "Reads an Ansible tree (never runs it) and shows what importing it would change; --apply stores it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", metavar="PATH", help="the tree's directory, or a hosts file in it")
        parser.add_argument(
            "--site", required=True, metavar="SLUG", help="the site to import into; made if it is new"
        )
        parser.add_argument("--apply", action="store_true", help="store it; without this nothing is written")
        parser.add_argument(
            "--mapping", metavar="F", help="YAML file that overrides which variable means which noun"
        )
        parser.add_argument(
            "--vault-password-file", metavar="F", help="file that holds the password of the tree's vaults"
        )
        parser.add_argument("--json", action="store_true", help="print the whole plan as JSON")
        parser.add_argument("--why", default="", help="a reason, kept in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = self._slug(options["site"])
        password = self._password(options["vault_password_file"])
        mapping = self._mapping(options["mapping"])
        try:
            intake = take(
                Path(options["path"]),
                slug,
                password=password,
                mapping=mapping,
                max_file_bytes=settings.IMPORT_MAX_FILE_BYTES,
            )
        except UnknownNoun as error:
            raise CommandError(str(error)) from None
        if intake.errors:
            self._refuse(intake.problems)
        self._report(intake.problems)
        self._carry_out(intake, options)

    def _carry_out(self, intake: Intake, options: dict[str, Any]) -> None:
        why = options["why"] or f"import of {Path(options['path']).name}"
        try:
            plan = intake.apply(by="import_ansible", why=why) if options["apply"] else intake.plan()
        except ValidationError as error:
            raise CommandError("Nothing was stored. " + " ".join(error.messages)) from None
        except DatabaseError as error:
            if is_unprepared(error):
                raise
            reason = f"the database refused it ({error}). Make room, or let others finish; then run it again."
            raise CommandError(f"Nothing was stored: {reason}") from None
        if options["json"]:
            self.stdout.write(json.dumps([vars_of(entry) for entry in plan.entries], indent=2))
            return
        self._show(plan, applied=options["apply"], verbose=options["verbosity"] > 1)

    def _show(self, plan: document.Plan, *, applied: bool, verbose: bool) -> None:
        for entry in plan.entries:
            if entry.action != "unchanged" or verbose:
                self.stdout.write(str(entry))
        for noun, counted in plan.counts().items():
            told = ", ".join(
                f"{number} {DONE[action] if applied else action}"
                for action, number in sorted(counted.items())
            )
            self.stdout.write(f"{noun}: {told}")
        if plan.is_empty:
            self.stdout.write("Nothing to change.")
        elif applied:
            self.stdout.write(f"Stored as revision {plan.revision}.")
        else:
            self.stdout.write("Nothing was written. Run it again with --apply to store this.")

    # --- input ---

    def _slug(self, slug: str) -> str:
        try:
            validators.site_slug(slug)
        except ValidationError as error:
            raise CommandError(f"--site: {error.messages[0]}") from None
        return slug

    def _password(self, name: str | None) -> bytes | None:
        if name is None:
            return None
        try:
            password = Path(name).read_bytes().strip()  # as Ansible does: all of the file, without its edges
        except OSError as error:
            raise CommandError(f"--vault-password-file: {name} cannot be read ({error.strerror}).") from None
        if not password:
            raise CommandError(f"--vault-password-file: {name} is empty; it must hold the password.")
        return password

    def _mapping(self, name: str | None) -> dict[str, str] | None:
        if name is None:
            return None
        try:
            value, _ = yaml11.read(Path(name).read_bytes(), name)
        except OSError as error:
            raise CommandError(f"--mapping: {name} cannot be read ({error.strerror}).") from None
        except yaml11.YamlProblem as error:
            raise CommandError(f"--mapping: {error}") from None
        if not isinstance(value, dict):
            raise CommandError(f"--mapping: {name} must be a mapping such as `site.segments: my_vlans`.")
        return value

    # --- complaints ---

    def _refuse(self, problems: list[Problem]) -> None:
        self._report(problems)
        errors = sum(problem.severity == "error" for problem in problems)
        raise CommandError(f"{errors} {'error' if errors == 1 else 'errors'}; nothing was stored.")

    def _report(self, problems: list[Problem]) -> None:
        for problem in sorted(problems, key=lambda p: (p.severity, p.path, p.line or 0)):
            where = (
                f"{problem.path}:{problem.line}: "
                if problem.line
                else f"{problem.path}: "
                if problem.path
                else ""
            )
            hint = f" ({problem.hint})" if problem.hint else ""
            self.stderr.write(f"{problem.severity}: {where}{problem.message}{hint}")


def vars_of(entry: document.Entry) -> dict[str, Any]:
    return {"noun": entry.noun, "name": entry.name, "action": entry.action, "details": list(entry.details)}
