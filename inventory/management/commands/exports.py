"""manage.py exports: the formats and what they are for."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from inventory.exports.registry import all_exports


class Command(BaseCommand):
    help = "List the export formats and what they are for."

    def handle(self, *args: Any, **options: Any) -> None:
        exports = all_exports()
        width = max(len(export.name) for export in exports)
        for export in exports:
            kind = "several files" if export.is_directory else "one file"
            self.stdout.write(f"{export.name:{width}}  {export.purpose} ({kind})")
