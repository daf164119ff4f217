"""Whether one comes into a machine by SSH, once it runs, where SSH_WAIT_SECONDS allows to look.

What is certain fails the job: the address answers, and no SSH server does. What cannot be seen from here warns: where no
answer comes at all, a firewall may be between us and a machine that is well.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from provisioning.adapters import ssh
from provisioning.adapters.base import AdapterError, Unreachable
from provisioning.engine.faults import JobFailed
from provisioning.engine.turns import Turn

#: replaced in tests, whose servers may not listen below 1024
PORT = ssh.PORT


def look(turn: Turn, host: str, held: Iterable[str], declared: str | None, pause: float) -> str:
    """The line of the SSH server at the declared address, else the first one that it holds; empty: not seen.

    Raises JobFailed where the machine answers there, and no SSH server does.
    """
    address = declared or next(iter(held), "")
    if not settings.SSH_WAIT_SECONDS or not address:
        return ""
    turn.step("Wait for SSH")
    faults: list[AdapterError] = []

    def answered() -> str:
        try:
            return ssh.banner(address, PORT)
        except AdapterError as fault:
            faults[:] = [fault]
            if not fault.retryable:
                return _GIVEN_UP
            return ""

    try:
        line = turn.wait(answered, timeout=settings.SSH_WAIT_SECONDS, pause=pause, what="SSH")
    except JobFailed as waited:
        line = _GIVEN_UP
        if not isinstance(faults[-1], Unreachable):
            raise JobFailed(
                f"{host} runs, and SSH does not: {faults[-1]}", "Look at its console and at its firewall."
            ) from waited
    if line == _GIVEN_UP:
        turn.event("warning", f"Whether SSH answers was not seen: {faults[-1]} A firewall may be between.")
        return ""
    turn.event("info", f"SSH answers at {address}: {line}.")
    return line


_GIVEN_UP = "\0"
