"""Writes that a reader makes on the side: worth a moment, never worth a failed or slow answer."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, connection, transaction

from inventory.serving import database

log = logging.getLogger(__name__)

#: How long such a write waits for SQLite's one write lock. An import may hold it for a minute.
PATIENCE = 250  # milliseconds


@contextlib.contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Run one write; when the database refuses or is busy, log *what* was not done and go on."""
    inside = transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext()
    try:
        with _hurried(), inside:
            yield
        database.note_taken()
    except DatabaseError as error:
        database.note_refusal(error)
        log.info("%s: not noted (%s)", what, type(error).__name__)


@contextlib.contextmanager
def _hurried() -> Iterator[None]:
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    raw: Any = connection.connection  # past the log of queries: this is none
    before = raw.execute("PRAGMA busy_timeout").fetchone()[0]
    raw.execute(f"PRAGMA busy_timeout={PATIENCE}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout={before}")
