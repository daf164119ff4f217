"""Who runs a command, for the history."""

from __future__ import annotations

import getpass


def account_name(otherwise: str) -> str:
    """The user's name on this machine; *otherwise* for a user id without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return otherwise
