"""What the workers do. Every task may be lost or run twice, and must not mind."""

import logging
import time
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.core.management import call_command

log = logging.getLogger(__name__)

KEEP_MESSAGES = 3600.0  # seconds


@shared_task
def housekeeping() -> None:
    """Remove sessions that have expired and messages of the embedded broker that were delivered."""
    call_command("clearsessions")
    removed = remove_delivered_messages(
        settings.BROKER_DIR / "processed", older_than=time.time() - KEEP_MESSAGES
    )
    log.info("housekeeping: removed %d delivered messages", removed)


def remove_delivered_messages(folder: Path, *, older_than: float) -> int:
    """Delete the files in *folder* last written before *older_than* (seconds since the epoch); how many."""
    removed = 0
    for path in folder.glob("*.msg"):
        if path.stat().st_mtime < older_than:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
