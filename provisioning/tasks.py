"""What the workers do. Every task may be lost or run twice, and must not mind."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.core.management import call_command

from inventory import quarantine
from inventory.serving import renderings

log = logging.getLogger(__name__)

KEEP_MESSAGES = 3600.0  # seconds


@shared_task
def housekeeping() -> None:
    """Tidy up: sessions, delivered messages, renderings nobody needs, quarantines that have passed."""
    for chore in CHORES:
        try:
            log.info("housekeeping: %s", chore())
        except Exception:  # the other chores do not wait for this one to be mended
            log.exception("housekeeping: %s failed", chore.__name__)


def clear_sessions() -> str:
    call_command("clearsessions")
    return "removed expired sessions"


def clear_messages() -> str:
    removed = remove_delivered_messages(
        settings.BROKER_DIR / "processed", older_than=time.time() - KEEP_MESSAGES
    )
    return f"removed {removed} delivered messages"


def prune_renderings() -> str:
    rows, files = renderings.prune()
    return f"removed {rows} renderings and {files} files"


def end_quarantines() -> str:
    return f"ended the quarantine of {quarantine.release_expired()} identities"


CHORES: tuple[Callable[[], str], ...] = (clear_sessions, clear_messages, prune_renderings, end_quarantines)


def remove_delivered_messages(folder: Path, *, older_than: float) -> int:
    """Delete the files in *folder* last written before *older_than* (seconds since the epoch); how many."""
    removed = 0
    for path in folder.glob("*.msg"):
        if path.stat().st_mtime < older_than:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
