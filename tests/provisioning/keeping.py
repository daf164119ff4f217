"""A real keeper over a data directory: ``from tests.provisioning.keeping import keeper`` gives the fixture.

Its own process, without Django, so that it starts in no time; ``manage.py keeper`` does the same after reading settings.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provisioning.keeper import calling
from provisioning.keeper.calling import KeeperAway
from tests.shared_data import REPOSITORY

SERVE = (
    "import sys; from pathlib import Path; from provisioning.keeper import process; "
    "process.serve(Path(sys.argv[1]))"
)
#: root without root's rights: what a test shows of such a process holds for every user
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


class Keeper:
    """The keeper as a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Keeper:
        self.process = subprocess.Popen(
            [*POWERLESS, sys.executable, "-c", SERVE, str(self.data_dir)],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stdout.read()
            if self._listens():
                return self
            time.sleep(0.05)
        raise AssertionError("the keeper does not answer within a minute")

    def _listens(self) -> bool:
        try:
            calling.held(self.data_dir)
        except KeeperAway:
            return False
        return True

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@pytest.fixture
def keeper(settings):
    """A keeper that this process's client asks; it ends with the test."""
    found = Keeper(Path(settings.DATA_DIR)).start()
    yield found
    found.kill()
