"""One version of the application as something to be called: its source, its interpreter, its environment."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from .journal import Refused

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Program:
    """*lock* is held by whatever is started as well: an orphan of a killed upgrade keeps the next one waiting."""

    source: Path
    python: Path
    data: Path
    lock: int
    more: Mapping[str, str] = field(default_factory=dict)

    def inside(self, *words: str) -> str:
        return self._run([str(Path(__file__).with_name("inside.py")), *words])

    def manage(self, *words: str) -> str:
        return self._run(["manage.py", *words])

    def beside(self, data: Path, database: Path) -> Program:
        """The same over a data directory and a SQLite file of its own."""
        more = {**self.more, "DATABASE_URL": f"sqlite:///{quote(str(database))}", "DATABASE_URL_FILE": ""}
        return Program(self.source, self.python, data, self.lock, more)

    def _run(self, words: list[str]) -> str:
        """What it prints. Raises Refused with its last words."""
        environment = {**os.environ, **self.more, "DATA_DIR": str(self.data), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [str(self.python), *words],
                cwd=self.source,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                pass_fds=[self.lock],
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            raise Refused(
                f"{self.python} cannot be started ({error.strerror}); make venv makes it."
            ) from None
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise Refused(f"{' '.join(words[:2])} of {self.source} failed: {' '.join(lines[-3:])}")
        return done.stdout


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
