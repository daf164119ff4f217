"""The process that runs Ansible, one for each run: ``python -m provisioning.adapters.ansible.child``.

What to do comes as one line of JSON on its standard input, which stays open: ``cancel`` ends the run, and its end means
that the worker is gone, so that everything below is killed. Events and the outcome are lines of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from provisioning.adapters.ansible import commands
from provisioning.adapters.ansible.events import Telling
from provisioning.adapters.ansible.keys import start_agent
from provisioning.adapters.ansible.listening import Listener
from provisioning.adapters.ansible.processes import below, die_with_parent, kill_all
from provisioning.adapters.ansible.surroundings import (
    OWN_VAULT_ID,
    Surroundings,
    clear,
    make,
    own_password,
    write_variables,
)
from provisioning.adapters.ansible.values import AnsibleFault, Event, Launch, Result
from provisioning.adapters.ansible.vaulted import secrets_in, text_of
from provisioning.adapters.ansible.words import complaint, message
from provisioning.masking import Mask

#: seconds for Ansible to say which hosts a playbook touches
LISTING = 300.0


class Watch(threading.Thread):
    """Ends everything below this process: on ``cancel``, when time is over, when the worker is gone."""

    def __init__(self, seconds: float, read: bytes) -> None:
        super().__init__(daemon=True)
        self.reason = ""
        self.around: Surroundings | None = None
        self._read, self._done = read, threading.Event()
        # taken once more by the same thread where a signal comes in between
        self._ending, self._engine_answers = threading.RLock(), True
        self._until = time.monotonic() + seconds if seconds else None

    def run(self) -> None:
        while not self.reason and not self._done.is_set():
            self.reason = self._look()
        while not self._done.is_set():  # what was being started meanwhile has to go as well
            self._end_all()
            if self.reason == "abandoned":
                os._exit(3)
            self._done.wait(0.02)

    def over(self) -> None:
        """The run is done: what it left behind is ended."""
        self._done.set()
        self._end_all()

    def _look(self) -> str:
        if b"cancel" in self._read:
            return "cancelled"
        left = None if self._until is None else self._until - time.monotonic()
        if left is not None and left <= 0:
            return "timed_out"
        if select.select([0], [], [], left)[0]:
            more = os.read(0, 4096)
            self._read += more
            return "" if more else "abandoned"
        return ""

    def _end_all(self) -> None:
        """One at a time: whoever kills what is below kills the engine that the other one has just asked, too."""
        with self._ending:
            self._end_below()

    def _end_below(self) -> None:
        kill_all(lambda: below(os.getpid()))
        if self.around is not None and self.around.launch.image and self._engine_answers:
            self._engine_answers = commands.end_container(self.around)  # what is below is gone before
            kill_all(lambda: below(os.getpid()))
        if self.around is not None and (self.reason == "abandoned" or self._done.is_set()):
            clear(self.around)


class Output:
    """Lines of JSON for the worker."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)  # libraries that print do not disturb

    def say(self, **what: Any) -> None:
        left = memoryview(json.dumps(what).encode() + b"\n")
        while left:
            left = left[os.write(self._descriptor, left) :]


def main() -> None:
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = Output()
    first, read = _first_line()
    if not first:
        return
    order = json.loads(first)
    launch = Launch.from_json(order["launch"])
    listing = order["what"] == "plays"
    watch = Watch(LISTING if listing else launch.time_limit, read)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(3) if _abandon(watch) else None)
    watch.start()
    try:
        said = _plays(launch, watch) if listing else _run(launch, watch, output)
    except AnsibleFault as fault:
        told = ("sentence", "way_out", "retryable", "complaint")
        said = {"fault": {name: getattr(fault, name) for name in told}}
    finally:
        watch.over()
    output.say(**said)


def _abandon(watch: Watch) -> bool:
    watch.reason = "abandoned"
    watch._end_all()
    return True


def _first_line() -> tuple[bytes, bytes]:
    read = b""
    while b"\n" not in read:
        more = os.read(0, 65536)
        if not more:
            return b"", b""
        read += more
    first, _, rest = read.partition(b"\n")
    return first, rest


def _run(launch: Launch, watch: Watch, output: Output) -> dict[str, Any]:
    around, mask, listener = _prepared(launch, watch)
    telling = Telling(mask, launch.secrets, text_of(launch.inventory))

    def tell(told: dict[str, Any]) -> None:
        # lines outside an event come without anything on the socket
        data = {} if "event" in told or "uuid" not in told else listener.take(told["uuid"])
        event: Event | None = telling.event(told, data)
        if event is not None:
            output.say(event=event.as_json())

    rc, why = None if watch.reason else commands.run(around, tell), ""
    if watch.reason in ("cancelled", "timed_out"):
        said = (
            "The run was cancelled; tasks that had begun on hosts may go on there."
            if watch.reason == "cancelled"
            else f"The run took longer than its limit of {_minutes(launch.time_limit)} and was ended."
        )
        result = Result(status=watch.reason, rc=None, stats=telling.stats(), message=said)  # type: ignore[arg-type]
    else:
        said = message(rc, telling.stats())
        if not any(counts["failed"] or counts["unreachable"] for counts in telling.stats().values()):
            why = complaint(telling.problems, launch.project) if rc != 0 else ""
        status = "successful" if rc == 0 else "failed"
        result = Result(status=status, rc=rc, stats=telling.stats(), message=said, complaint=why)  # type: ignore[arg-type]
    return {"result": asdict(result)}


def _plays(launch: Launch, watch: Watch) -> dict[str, Any]:
    around, mask, _ = _prepared(launch, watch)
    plays = commands.plays(around, mask)
    if watch.reason:
        raise AnsibleFault(
            f"Ansible did not say within {LISTING:.0f} s which hosts it would touch.", retryable=True
        )
    return {"plays": [{"name": play.name, "hosts": play.hosts} for play in plays]}


def _prepared(launch: Launch, watch: Watch) -> tuple[Surroundings, Mask, Listener]:
    commands.check(launch)
    around = watch.around = make(launch)
    own = own_password()
    mask = Mask((*launch.secrets, own))
    where = (launch.inventory, launch.project, *launch.collections, *launch.roles)
    mask.add(secrets_in(where, launch.vault_passwords))
    write_variables(around, own)
    listener = Listener(around.socket, mask, {**launch.vault_passwords, OWN_VAULT_ID: own}, own)
    if launch.ssh_key:
        start_agent(around.agent, launch.ssh_key, launch.marker)
    return around, mask, listener


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # threads that wait for connections end here
