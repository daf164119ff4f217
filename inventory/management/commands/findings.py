"""manage.py findings: what is wrong with a site, or worth knowing, as its people lowered it until today."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from inventory import reading, rules
from inventory.findings import Finding, count_by_severity


class Command(BaseCommand):
    help = (
        "List the findings about a site, worst first. Exit status 1 if any is an error that nobody lowered. "
        "Exports and --strict know nothing of lowered severities: what is left out is left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="a JSON list, for other software")

    def handle(self, *args: Any, site: str, json: bool, **options: Any) -> None:
        try:
            findings = tuple(rules.judge(reading.load(site), timezone.localdate()))
        except reading.UnknownSite as error:
            raise CommandError(str(error)) from None
        self.stdout.write(_as_json(findings) if json else _as_text(findings))
        if any(finding.severity == "error" for finding in findings):
            sys.exit(1)


def _as_json(findings: tuple[Finding, ...]) -> str:
    return json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False, indent=2)


def _as_text(findings: tuple[Finding, ...]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity} {finding.id} {finding.subject}: {finding.message}")
        lines.append(f"    {finding.hint}")
        if finding.lowered_from:
            lines.append(
                f"    Lowered from {finding.lowered_from} until {finding.lowered_until}: {finding.lowered_because}"
            )
    counts = ", ".join(f"{count} {name}" for name, count in count_by_severity(findings).items())
    return "\n".join([*lines, f"findings: {counts}"])
