"""A job in a shell needs a secret: asked for without echo, or read from stdin. It is in no argument and no variable."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from provisioning import requests, states
from provisioning.models import Job
from provisioning.unlocks.needs import PROMPT

#: a key or a password, not a file given by mistake
LONGEST = 64 * 1024


class Secrets:
    """Gives a waiting job what it needs: at most once by each name."""

    def __init__(self, by: Any, from_stdin: str | None) -> None:
        self._by, self._from_stdin = by, from_stdin
        self._given: set[str] = set()

    def given(self, job: Job) -> bool:
        """Whether the job went on with what was entered here; raises Refused where that is none."""
        if job.state != states.WAITING or job.waiting_for != states.UNLOCK:
            return False
        found = {}
        names = {need.name for need in job.needed}
        if self._from_stdin not in names and f"{PROMPT}{self._from_stdin}" in names:
            self._from_stdin = f"{PROMPT}{self._from_stdin}"
        for need in job.needed:
            if need.name in self._given:
                return False
            if (value := self._value(need.name, need.said, key=need.key)) is not None:
                found[need.name] = value
        if not found:
            return False
        self._given |= set(found)
        requests.answer(job, found, by=self._by)
        return True

    def _value(self, name: str, said: str, *, key: bool) -> str | None:
        if name == self._from_stdin:
            return sys.stdin.read(LONGEST + 1).rstrip("\r\n") or None
        if self._from_stdin is not None or key or not sys.stdin.isatty():
            return None  # lines of a key do not go through a prompt
        return getpass.getpass(f"{said}: ") or None
