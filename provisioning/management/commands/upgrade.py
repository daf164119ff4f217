"""manage.py upgrade: where an upgrade stands, and the way back."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mgmtplane.upgrading.journal import Desk, Refused

WORDS = {
    "preparing": "was interrupted before the database was touched; make upgrade begins again",
    "migrating": "was interrupted; make upgrade goes on, make upgrade-back goes back",
    "done": "is done; make upgrade-back goes back",
    "returning": "is being gone back from, and that was interrupted; make upgrade-back goes on",
    "returned": "is over; there is nothing to go back from",
}


class Command(BaseCommand):
    help = "status: where the last upgrade stands. back: to the version before, as make upgrade-back does."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("way", choices=["status", "back"])

    def handle(self, *args: Any, way: str, **options: Any) -> None:
        if way == "back":  # in a process that stands on nothing that is exchanged
            os.chdir(settings.BASE_DIR)
            os.environ["DATA_DIR"] = str(settings.DATA_DIR)
            os.execv(sys.executable, [sys.executable, "-m", "mgmtplane.upgrading", "back"])  # noqa: S606
        try:
            journal = Desk(settings.DATA_DIR).read()
        except Refused as reason:
            raise CommandError(str(reason)) from None
        if not journal.began:
            self.stdout.write("No upgrade was made over this data directory.")
            return
        self.stdout.write(
            f"The upgrade of {journal.began} from {journal.old} to {journal.new} {WORDS[journal.state]}."
        )
