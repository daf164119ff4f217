"""The worker's side of a run: starts the child, hands on what it says, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from provisioning.adapters.ansible.commands import engine_environment
from provisioning.adapters.ansible.processes import MARKER
from provisioning.adapters.ansible.strays import end_orphans, end_strays
from provisioning.adapters.ansible.surroundings import clean
from provisioning.adapters.ansible.values import AnsibleFault, Event, Launch, Play, Result
from provisioning.masking import Mask

Told = TypeVar("Told")
#: events are handed on when so many are there, or when the first of them is so old
MOST, OLDEST = 200, 0.3
#: seconds between two looks at whether the run shall stop, and for the child to end by itself
LOOK, GRACE = 0.3, 30.0
_CODE = Path(__file__).resolve().parents[3]


def run(launch: Launch, *, on_events: Callable[[list[Event]], None], stopped: Callable[[], bool]) -> Result:
    """Run a playbook to its end; afterwards no process and no file of it is left.

    *on_events* gets events in order, in batches; while it works, Ansible waits. *stopped* is asked a few times a
    second; once it says True the run is cancelled. Raises AnsibleFault for what prevents the run, and whatever these two
    raise, after everything was ended.
    """
    end_orphans()
    end_strays(launch.marker)
    child = _Child("run", launch)
    try:
        said = child.follow(on_events, stopped)
    finally:
        child.end()
    return Result(**said["result"])


def plays(launch: Launch) -> list[Play]:
    """The plays of the playbook, each with the hosts it would touch: by Ansible itself, nothing is connected to.

    Raises AnsibleFault, with file and line where the playbook cannot be read.
    """
    end_strays(launch.marker)
    child = _Child("plays", launch)
    try:
        said = child.follow(lambda _: None, lambda: False)
    finally:
        child.end()
    return [Play(play["name"], tuple(play["hosts"])) for play in said["plays"]]


class _Child:
    def __init__(self, what: str, launch: Launch) -> None:
        self._launch, self._cancelled = launch, False
        environment = {**clean(), MARKER: launch.marker}
        if launch.image:
            environment |= engine_environment()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "provisioning.adapters.ansible.child"],
            cwd=_CODE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._errors = b""
        self._send(json.dumps({"what": what, "launch": launch.as_json()}).encode() + b"\n")

    def follow(self, on_events: Callable[[list[Event]], None], stopped: Callable[[], bool]) -> dict[str, Any]:
        """What the child says at its end. Raises AnsibleFault where it says what prevents a run, or nothing."""
        batch, said = _Batch(on_events), {}
        look, limit = 0.0, self._launch.time_limit
        overdue = time.monotonic() + limit + GRACE if limit else float("inf")
        for line in self._lines():
            if line is not None:
                heard = json.loads(line)
                if "event" in heard:
                    batch.add(Event.from_json(heard["event"]))
                else:
                    said = heard
            batch.hand_on_if_due()
            if (now := time.monotonic()) >= look:
                look = now + LOOK
                self._cancel_if(stopped)
            if now > overdue:
                self._process.kill()
        batch.hand_on()
        if "fault" in said:
            raise AnsibleFault(**said["fault"])
        if not said:
            raise self._broken()
        return said

    def end(self) -> None:
        """Leave nothing: the child ends what is below it, and what escaped carries the marker."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        end_strays(self._launch.marker)
        shutil.rmtree(self._launch.folder / "private", ignore_errors=True)

    def _lines(self) -> Any:
        """Each line of the child's output, and None whenever it said nothing for a while; ends with it."""
        assert self._process.stdout is not None and self._process.stderr is not None  # noqa: S101 - for mypy
        out, errors = self._process.stdout.fileno(), self._process.stderr.fileno()
        left = b""
        with selectors.DefaultSelector() as selector:
            for descriptor in (out, errors):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while out in selector.get_map():
                for key, _ in selector.select(OLDEST / 3):
                    more = os.read(key.fd, 65536)
                    if not more:
                        selector.unregister(key.fd)
                    elif key.fd == errors:
                        self._errors = (self._errors + more)[-4096:]
                    else:
                        *lines, left = (left + more).split(b"\n")
                        yield from lines
                yield None

    def _cancel_if(self, stopped: Callable[[], bool]) -> None:
        if not self._cancelled and stopped():
            self._cancelled = True
            self._send(b"cancel\n")

    def _send(self, line: bytes) -> None:
        left = memoryview(line)
        with contextlib.suppress(BrokenPipeError):  # it is gone: what it said says why
            while left:
                left = left[os.write(self._process.stdin.fileno(), left) :]  # type: ignore[union-attr]

    def _broken(self) -> AnsibleFault:
        code = self._process.wait(timeout=GRACE)
        said = Mask(self._launch.secrets).mask(self._errors.decode(errors="replace")).strip().splitlines()
        last = f": {said[-1]}" if said else ""
        how = f"was killed (signal {-code})" if code < 0 else f"ended with {code}"
        return AnsibleFault(f"The process that runs Ansible {how} and left no outcome{last}.")


class _Batch:
    def __init__(self, on_events: Callable[[list[Event]], None]) -> None:
        self._on_events, self._events, self._since = on_events, [], 0.0  # type: tuple[Any, list[Event], float]

    def add(self, event: Event) -> None:
        if not self._events:
            self._since = time.monotonic()
        self._events.append(event)

    def hand_on_if_due(self) -> None:
        if len(self._events) >= MOST or (self._events and time.monotonic() - self._since >= OLDEST):
            self.hand_on()

    def hand_on(self) -> None:
        if self._events:
            events, self._events = self._events, []
            self._on_events(events)
