"""Asking a keeper by the folder that its socket is in. No Django here: adapters and secrets come this way."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from provisioning.keeper import wire

#: seconds for an answer; it takes a millisecond
PATIENCE = 3.0


class KeeperAway(Exception):
    """Nobody holds secrets here: nothing is unlocked, and nothing can be."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The keeper, which holds unlocked secrets, does not answer ({why}). `make up` starts it; elsewhere run "
            "manage.py keeper as the same user, over the same DATA_DIR."
        )


class KeeperRefused(Exception):
    """The keeper answers, and does not take this; the message says why."""


@dataclass(frozen=True, order=True)
class Held:
    """A secret that is held, without its value. *by* is who entered it."""

    scope: str
    name: str
    by: str
    until: datetime


def ask(data_dir: Path, **asked: Any) -> dict[str, Any]:
    """One question, one answer. Raises KeeperAway and KeeperRefused; neither says what was asked."""
    path = data_dir / wire.SOCKET
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            with wire.address(path) as address:
                connection.connect(address)
            if wire.uid_of_peer(connection) != os.geteuid():
                raise KeeperAway(f"another user's process listens at {path}")
            wire.write(connection, asked)
            told = wire.read(connection)
    except FileNotFoundError:
        raise KeeperAway(f"there is no {path}") from None
    except TimeoutError:
        raise KeeperAway(f"no answer within {PATIENCE:.0f} s") from None
    except wire.Garbled:
        # it hangs up on another user without a word
        raise KeeperAway("it hung up: it answers processes of its own user alone") from None
    except OSError as error:
        raise KeeperAway(error.strerror or type(error).__name__) from None
    if "refused" in told:
        raise KeeperRefused(str(told["refused"]))
    return told


def hold(data_dir: Path, scope: str, name: str, value: str, *, seconds: float, by: str) -> datetime:
    """Hold *value* for *seconds*, in place of an earlier one; until when."""
    ask(data_dir, do="hold", scope=scope, name=name, value=value, seconds=seconds, by=by)
    return datetime.now(UTC) + timedelta(seconds=seconds)


def fetch(data_dir: Path, scope: str, name: str) -> str | None:
    """The value, or None where it is not held (any more)."""
    found = ask(data_dir, do="fetch", scope=scope, name=name)["value"]
    return None if found is None else str(found)


def drop(data_dir: Path, scope: str, name: str | None = None) -> int:
    """Forget one, or all of *scope*; how many there were."""
    return int(ask(data_dir, do="drop", scope=scope, name=name)["dropped"])


def held(data_dir: Path, scope: str | None = None) -> list[Held]:
    """What is held, sorted by scope and name."""
    now = datetime.now(UTC)
    return [
        Held(found, name, by, now + timedelta(seconds=left))
        for found, name, by, left in ask(data_dir, do="held", scope=scope)["held"]
    ]


def of_site(slug: str) -> str:
    """The scope of what somebody unlocked for a site."""
    return f"site/{slug}"


def of_job(job_id: int) -> str:
    """The scope of what was given for one job; dropped when that ends."""
    return f"job/{job_id}"
