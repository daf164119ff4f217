"""Where a command is told to write, by ``--to``."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import CommandError


def directory_there(given: str) -> Path:
    """The directory *given*. Raises CommandError unless it is there: that of an unplugged stick is not made anew."""
    if not given.strip():
        raise CommandError("--to is empty; name a directory that is there, or leave --to away.")
    if not Path(given).is_dir():
        raise CommandError(f"{given} is no directory here; mount the stick, or make the directory, first.")
    return Path(given).absolute()
