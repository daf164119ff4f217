"""The keeper of this installation. Every function raises KeeperAway where nobody answers, KeeperRefused where it says no."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from provisioning.keeper import calling
from provisioning.keeper.calling import Held, KeeperAway, KeeperRefused, of_job, of_site

__all__ = ["Held", "KeeperAway", "KeeperRefused", "drop", "fetch", "held", "hold", "of_job", "of_site"]


def hold(scope: str, name: str, value: str, *, seconds: float, by: str) -> datetime:
    """Hold *value* for *seconds*, in place of an earlier one; until when. *by* is the name of who gave it."""
    return calling.hold(settings.DATA_DIR, scope, name, value, seconds=seconds, by=by)


def fetch(scope: str, name: str) -> str | None:
    """The value, or None where it is not held (any more)."""
    return calling.fetch(settings.DATA_DIR, scope, name)


def drop(scope: str, name: str | None = None) -> int:
    """Forget one, or all of *scope*; how many there were."""
    return calling.drop(settings.DATA_DIR, scope, name)


def held(scope: str | None = None) -> list[Held]:
    """What is held, without values, sorted by scope and name."""
    return calling.held(settings.DATA_DIR, scope)
