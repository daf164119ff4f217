"""manage.py drift: what a site's hypervisors carry otherwise than declared, as of the newest surveys."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.models import Site
from provisioning.models import DriftFinding
from provisioning.observed import glancing
from provisioning.observed.glancing import Sight
from provisioning.surveying.kinds_of_drift import CLOSED, OPEN, STANDINGS


class Command(BaseCommand):
    help = (
        "List the drift of a site that no survey has closed. Nothing is looked at now: the newest surveys are told "
        "with their age. Exit status 1 if any is open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", required=True, metavar="SLUG")
        parser.add_argument(
            "--json", action="store_true", help="a JSON object of drift and hypervisors, for other software"
        )

    def handle(self, *args: Any, site: str, json: bool, **options: Any) -> None:
        found = Site.objects.filter(slug=site).first()
        if found is None:
            known = ", ".join(Site.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no site “{site}”; there are: {known}.")
        rows = list(DriftFinding.objects.judged().standing().filter(site=found))
        sights = glancing.sights_of(found)
        self.stdout.write(_as_json(rows, sights) if json else _as_text(rows, sights))
        if any(row.state == OPEN for row in rows):
            sys.exit(1)


def _as_json(rows: list[DriftFinding], sights: list[Sight]) -> str:
    told = {
        "drift": [row.as_dict() for row in rows],
        "hypervisors": [sight.as_dict() for sight in sights],
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def _as_text(rows: list[DriftFinding], sights: list[Sight]) -> str:
    lines = []
    for row in rows:
        found = row.found or "not there"
        lines.append(
            f"{row.state} {row.kind} {row.hypervisor} {row}: {found} instead of {row.wanted or 'nothing'}"
        )
        decided = f" {row.decision} by {row.decided_by}: {row.decided_why}" if row.decision else ""
        until = f" until {row.ignored_until}" if row.ignored_until else ""
        lines.append(
            f"    seen {row.last_seen:%Y-%m-%d %H:%M} UTC, opened {row.opened:%Y-%m-%d %H:%M} UTC{until}{decided}"
        )
    lines += [str(sight) for sight in sights] or ["no hypervisor is declared"]
    counts = [(state, sum(row.state == state for row in rows)) for state in STANDINGS if state != CLOSED]
    return "\n".join([*lines, "drift: " + ", ".join(f"{number} {state}" for state, number in counts)])
