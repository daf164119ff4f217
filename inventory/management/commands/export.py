"""manage.py export: any export of a site, to stdout or into files."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from inventory.exports.registry import Document, Export, UnknownFormat
from inventory.reading import UnknownSite
from inventory.serving import renderings
from inventory.serving.output import CannotWrite, write_directory, write_file
from inventory.snapshot import Snapshot
from mgmtplane.command_line import is_unprepared

REFUSED, CHECKER_MISSING = 1, 2


class Command(BaseCommand):
    help = (
        "Write an export of a site: one file to stdout or --output, several into the directory --output. "
        "Findings go to stderr."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", help="see: manage.py exports")
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument(
            "--output", metavar="PATH", help="a file, or a directory for formats of several files"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="have the server's own checker read it first: exit 1 if it refuses, 2 if it is missing",
        )
        parser.add_argument(
            "--strict", action="store_true", help="refuse (exit status 1) when a finding is an error"
        )
        parser.add_argument(
            "--authority", choices=("gateway", "bootstrap"), help="as this one would serve it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            snapshot, export, document = renderings.document(
                options["site"], options["format"], authority=options["authority"]
            )
        except (UnknownSite, UnknownFormat, renderings.NothingDeclared) as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:
            if is_unprepared(error):
                raise
            raise CommandError(f"The database is away or busy ({type(error).__name__}); try again.") from None
        self._say_authority(snapshot, options["authority"])
        self._say_findings(document, strict=options["strict"])
        if options["check"]:
            self._check(export, document)
        self._write(export, document, options["output"], checked=options["check"])

    def _say_authority(self, snapshot: Snapshot, wanted: str | None) -> None:
        declared = snapshot.authority.mode if snapshot.authority else None
        if wanted and declared and wanted != declared:
            self.stderr.write(
                f"The authority of {snapshot.site.slug} is {declared}; this is what {wanted} would serve."
            )

    def _say_findings(self, document: Document, *, strict: bool) -> None:
        for finding in document.findings:
            self.stderr.write(f"{finding.severity} {finding.id} {finding.subject}: {finding.message}")
        errors = sum(finding.severity == "error" for finding in document.findings)
        if strict and errors:
            raise CommandError(
                f"Refused by --strict, nothing was written: {errors} of the findings "
                f"{'is an error' if errors == 1 else 'are errors'}. Settle them, or leave --strict out.",
                returncode=REFUSED,
            )

    def _check(self, export: Export, document: Document) -> None:
        from inventory.serving import checkers

        with tempfile.TemporaryDirectory(prefix="mgmtplane-check-") as folder:
            write_directory(Path(folder), document.files)
            try:
                result = checkers.check(export.name, Path(folder))
            except LookupError as error:  # no server reads this format
                raise CommandError(f"Not checked: {error}", returncode=CHECKER_MISSING) from None
        if result.status == "missing":
            raise CommandError(
                f"Not checked: {result.words} {result.install_hint}".strip(), returncode=CHECKER_MISSING
            )
        if result.status != "good":
            raise CommandError(
                f"The checker of {export.name} refuses it:\n{result.words}", returncode=REFUSED
            )
        self.stderr.write(f"The checker of {export.name} accepts it.")

    def _write(self, export: Export, document: Document, output: str | None, *, checked: bool) -> None:
        try:
            if export.is_directory:
                self._write_several(export, document, output, checked=checked)
            else:
                self._write_one(export, document, output)
        except CannotWrite as error:
            raise CommandError(str(error)) from None

    def _write_several(
        self, export: Export, document: Document, output: str | None, *, checked: bool
    ) -> None:
        if output is None:
            if checked:
                return  # the verdict was all that was asked for
            raise CommandError(f"{export.name} has several files; give a directory with --output.")
        if Path(output).exists() and not Path(output).is_dir():
            raise CommandError(
                f"{output} is a file, and {export.name} has several; give a directory with --output."
            )
        for name in write_directory(Path(output), document.files):
            self.stderr.write(f"removed {name}: an earlier export wrote it, this one does not")

    def _write_one(self, export: Export, document: Document, output: str | None) -> None:
        (name, content), *_ = document.files.items()
        if output is None or output == "-":
            self._print(content)
        else:
            target = Path(output)
            write_file(target / name if target.is_dir() else target, content)

    def _print(self, content: bytes) -> None:
        """The bytes as they are, whatever the terminal's encoding."""
        binary = getattr(self.stdout, "buffer", None)
        if binary is None:
            self.stdout.write(content.decode(), ending="")
            return
        self.stdout.flush()
        binary.write(content)
        binary.flush()
