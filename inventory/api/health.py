"""``/healthz``: this process answers. ``/readyz``: what it depends on does too."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu import Connection

from inventory.api.answers import Endpoint
from inventory.copying import copies
from inventory.serving import database

BROKER_TIMEOUT = 2.0  # seconds
LEAST_FREE = 1 << 20  # bytes

AWAY, UNKNOWN = "does not answer", "not known without the database"
SAID = {
    "": "",
    database.READ_ONLY: "takes no changes: it is read-only. Reading goes on",
    database.FULL: "takes no changes: its disk is full. Reading goes on",
}
#: checks that ask the database
OF_DATABASE = {"migrations"}

_migrated = False


class Alive(Endpoint):
    """No database, no file: a supervisor restarts what does not answer this."""

    permission = "anybody"

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
        response["Cache-Control"] = "no-store"
        return response


class Ready(Endpoint):
    """200 when every dependency is there, else 503; each with its state in words, without address or name."""

    permission = "anybody"

    def get(self, request: HttpRequest) -> HttpResponse:
        problems = {"database": _database()}
        away = problems["database"].startswith(AWAY)  # what else asks it would wait as well
        for name, check in CHECKS.items():
            problems[name] = UNKNOWN if away and name in OF_DATABASE else check()
        ready = not any(problems.values())
        notes = {name: UNKNOWN if away else _noted(look) for name, look in NOTES.items()}
        states = {name: problem or "ok" for name, problem in (problems | notes).items()}
        response = JsonResponse({"ready": ready, **states}, status=200 if ready else 503)
        response["Cache-Control"] = "no-store"
        return response


def _database() -> str:
    try:
        database.reach(thoroughly=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if database.is_read_only():
            return SAID[database.READ_ONLY]
    except DatabaseError as error:
        if database.ailment(error) == database.READ_ONLY:
            return f"{AWAY}: it is read-only; see DATABASE_URL"
        return f"{AWAY} ({type(error).__name__}); see DATABASE_URL"
    return SAID[database.ailing()]


def _data_directory() -> str:
    for folder in (Path(settings.DATA_DIR), Path(settings.RENDERINGS_DIR)):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            return "is not writable by this process; see DATA_DIR"
    if not Path(settings.DATA_DIR).is_dir():
        return "does not exist; see DATA_DIR"
    free = shutil.disk_usage(settings.DATA_DIR).free
    return "" if free >= LEAST_FREE else "has less than 1 MiB left; make room, or see DATA_DIR"


def _migrations() -> str:
    """Once applied they stay applied as long as this code runs: the costly look is taken until then."""
    global _migrated
    if _migrated:
        return ""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"are not known ({type(error).__name__})"
    if waiting:
        return f"are missing, {len(waiting)} of them; run manage.py migrate"
    _migrated = True
    return ""


def _broker() -> str:
    url: str = settings.CELERY_BROKER_URL
    if url.startswith("filesystem:"):
        folder = Path(settings.BROKER_DIR) / "messages"
        writable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
        return "" if writable else "has no writable folder; see CELERY_BROKER_URL and DATA_DIR"
    try:
        with Connection(url, connect_timeout=BROKER_TIMEOUT) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT)
    except Exception as error:  # every transport has its own
        return f"does not answer ({type(error).__name__}); see CELERY_BROKER_URL"
    return ""


CHECKS: dict[str, Callable[[], str]] = {
    "data_directory": _data_directory,
    "migrations": _migrations,
    "broker": _broker,
}

#: what is said as well, and makes nobody unready: a web server serves while nobody works. Other applications add theirs
NOTES: dict[str, Callable[[], str]] = {"copy": copies.silence}


def _noted(look: Callable[[], str]) -> str:
    try:
        return look()
    except (DatabaseError, OSError) as error:
        return f"is not known ({type(error).__name__})"
