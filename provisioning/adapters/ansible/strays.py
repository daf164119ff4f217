"""What runs leave whose worker and whose child were both killed: processes, and a folder in memory."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time

from provisioning.adapters.ansible.commands import end_named
from provisioning.adapters.ansible.processes import identity, kill_all, marked
from provisioning.adapters.ansible.surroundings import OWNER, in_memory, own_prefix, place_in_memory
from provisioning.adapters.ansible.values import AnsibleFault

#: a folder without a word whose it is may just be being made
JUST_MADE = 60.0  # seconds


def end_strays(marker: str) -> None:
    """Kill what an earlier attempt of the run with *marker* left, and remove its folder in memory."""
    memory = in_memory(marker)
    with contextlib.suppress(OSError):
        end_named((memory / "container").read_text())
    left = kill_all(lambda: marked(marker))
    if left:
        raise AnsibleFault(
            f"Processes of an earlier attempt are still there and do not end: {', '.join(map(str, left))}.",
            way_out="End them on the worker's machine, then run this again.",
            retryable=True,
        )
    shutil.rmtree(memory, ignore_errors=True)


def end_orphans() -> int:
    """End whatever is left of runs that nobody will take up again; how many there were."""
    ended = 0
    for folder in place_in_memory().glob(f"{own_prefix()}*"):
        try:
            owner = json.loads((folder / OWNER).read_text())
            marker, child = str(owner["marker"]), str(owner["child"])
        except (OSError, ValueError, KeyError, TypeError):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > JUST_MADE:
                    shutil.rmtree(folder, ignore_errors=True)
            continue
        # processes of another namespace have other numbers: whether they live cannot be seen from here
        namespace, number = [*child.split(" "), "", ""][:2]
        if identity(os.getpid()).startswith(f"{namespace} ") and identity(int(number or 0)) != child:
            end_strays(marker)
            ended += 1
    return ended
