"""manage.py permissions: what each page, action and endpoint needs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from inventory.admin import register


class Command(BaseCommand):
    help = "Say what each page, action and endpoint needs; the same table as in docs/access.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--write", metavar="PAGE", type=Path, help="bring the table in this page up to date"
        )

    def handle(self, *args: Any, write: Path | None, **options: Any) -> None:
        if write is None:
            self.stdout.write(register.markdown(), ending="")
        else:
            write.write_text(register.with_table(write.read_text(encoding="utf-8")), encoding="utf-8")
