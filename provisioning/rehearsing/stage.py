"""A turn without a job: the same steps as a job's, told to whoever sits before it and to the transcript."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from django.utils import timezone

from inventory.models import Site
from provisioning.engine.faults import JobFailed
from provisioning.engine.turns import Turn
from provisioning.kinds.base import Asked, Kind
from provisioning.models import Job
from provisioning.redaction import redact
from provisioning.rehearsing.transcript import Transcript
from provisioning.secrets import NeedsUnlock
from provisioning.unlocks.needs import Need


class Stage(Turn):
    """Nothing is kept in the database; *tell* gets (level, text) of steps and events."""

    def __init__(self, site: Site, transcript: Transcript, tell: Callable[[str, str], None]) -> None:
        super().__init__(Job(site=site, created=timezone.now()), Kind(), Asked(site))
        self.transcript, self._tell = transcript, tell
        #: (step, how it ended)
        self.done: list[str] = []

    def step(self, name: str, *, cancellable: bool = True) -> None:
        self.done.append(name)
        self.transcript.line(step=name)
        self._tell("step", name)

    def event(self, level: str, text: str) -> None:
        text = redact(text, self._known)
        self.transcript.line(event=text, level=level)
        self._tell(level, text)

    def hide(self, *secrets: str) -> None:
        super().hide(*secrets)
        self.transcript.hide(*secrets)

    def need_secrets(self, needs: Sequence[Need]) -> NoReturn:
        """Nobody waits here: it is entered before."""
        raise JobFailed(str(NeedsUnlock(*needs)))

    def check(self, *, cancellable: bool = True) -> None:
        """Nobody else can take it over; Ctrl-C comes by itself."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
