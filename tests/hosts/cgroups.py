"""Where systemd in a host keeps its groups of processes: below one group of the test, removed however that ends."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from tests.components import unavailable

#: Reads the pipe from the tests until they end or die, then removes what is left, as soon as nobody is in it.
SWEEP = """
trap '' HUP INT TERM
cat
tries=0
while [ -d "$1" ] && [ $tries -lt 200 ]; do
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1
done
"""


class Cgroups:
    """A group that the groups of hosts are made below."""

    def __init__(self) -> None:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
        found = [Path(place) for place, kind in mounts if kind == "cgroup2"]
        if not found:
            unavailable("needs cgroup2: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified")
        self.root = found[0] / f"mgmtplane-hosts-{uuid.uuid4().hex[:12]}"
        try:
            self.root.mkdir()
        except OSError as error:
            unavailable(f"needs root, and to make a control group: {error}")
        self._sweeper = subprocess.Popen(
            ["sh", "-c", SWEEP, "sweep", str(self.root)], stdin=subprocess.PIPE, start_new_session=True
        )

    def join(self, name: str) -> str:
        """A line of shell that puts what runs it into the group of the host *name*."""
        group = self.root / name
        return f'mkdir -p "{group}"; echo 0 >"{group}/cgroup.procs"; '

    def close(self) -> None:
        """Remove the groups; whatever was in them has ended."""
        assert self._sweeper.stdin is not None
        self._sweeper.stdin.close()
        self._sweeper.wait(30)
        assert not self.root.exists(), f"{self.root} is still in use"
