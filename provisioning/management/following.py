"""Following a job in a shell: what it says as it comes, and of a run what Ansible says, in its own colours."""

from __future__ import annotations

from typing import Any

from provisioning.adapters.ansible import plain
from provisioning.models import Job, RunEvent

#: events of one look
AT_ONCE = 1000


class Follower:
    """Prints what is new at each look."""

    def __init__(self, job: Job, out: Any, *, coloured: bool, quiet: bool = False) -> None:
        self.job, self._out, self._coloured, self._quiet = job, out, coloured, quiet
        self._said = self._told = 0

    def look(self) -> bool:
        """Print what came since the last look; True once all that a finished job said is printed."""
        self.job.refresh_from_db()
        for event in self.job.events.filter(number__gt=self._said).order_by("number"):
            self._output()
            self._said = event.number
            mark = "→ " if event.level == "step" else "  "
            self._print(f"{event.at:%H:%M:%S} {mark}{event.text}")
        self._output()
        return self.job.is_finished and self._said >= self.job.last_event

    def _output(self) -> None:
        """What Ansible said since."""
        while True:
            rows = list(
                RunEvent.objects.filter(run=self.job.pk, counter__gt=self._told)
                .order_by("counter")
                .values_list("counter", "text")[:AT_ONCE]
            )
            for counter, text in rows:
                self._told = counter
                if text:
                    self._print(text if self._coloured else plain(text))
            if len(rows) < AT_ONCE:
                return

    def _print(self, text: str) -> None:
        if not self._quiet:
            self._out.write(text)
            self._out.flush()
