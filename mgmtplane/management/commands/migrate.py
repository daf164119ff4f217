"""``manage.py migrate``: Django's, which begins a SQLite database where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from mgmtplane.databases.sqlite3.base import make


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:
        if not (options["check_unapplied"] or options["plan"]):
            _begin(options["database"])
        return super().execute(*args, **options)  # its checks ask the database


def _begin(alias: str) -> None:
    own: Any = connections[alias]
    if own.vendor == "sqlite" and not own.is_in_memory_db():
        with own.wrap_database_errors:
            make(Path(own.settings_dict["NAME"]))
