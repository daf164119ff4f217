"""A delivery that is killed before any operation on the place: no half kit under its name, and the next one converges."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.kit_places import KitPlaceFacts
from provisioning.kits import placing
from provisioning.kits.delivering import Brought, deliver
from tests.provisioning.kits.conftest import small
from tests.recovery.conftest import checked

pytestmark = pytest.mark.timeout(300)

#: audit events (sys.addaudithook) of what changes a file system
OPERATIONS = {"open", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
#: before so many of them it is killed, at least
POINTS = 20
NAMES = ["lab", "lab.tar.gz", "lab.tar.gz.sha256"]


def operations(place: Path, act: Callable[[], None], dies_before: int = 0) -> int:
    """How many operations inside *place* a child's *act* made; it is gone before the *dies_before*-th (from 1)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        count = 0

        def hook(event: str, given: tuple) -> None:
            nonlocal count
            if event in OPERATIONS and any(str(one).startswith(str(place)) for one in given[:2]):
                count += 1
                if count == dies_before:
                    os._exit(9)

        code = 1
        try:
            sys.addaudithook(hook)
            act()
            os.write(writing, str(count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (9 if dies_before else 0)
    return int(told or 0)


def require_whole(place: Path, *, at_once: bool) -> None:
    """A kit and an archive are there, each whole; at most the archive's sum is not there yet, and ``check`` says so."""
    folder = place / "lab"
    if not at_once and not folder.exists():
        folder = place / f"{placing.OLD}lab"
    assert checked(folder).returncode == 0
    said = checked(place / "lab.tar.gz").stdout.splitlines()
    if (place / "lab.tar.gz.sha256").exists():
        assert said[0] == "every file is as it was written"
    else:
        assert next(line for line in said if ": " in line).startswith("lab.tar.gz.sha256: cannot be read"), (
            said
        )


@pytest.mark.parametrize("at_once", [True, False], ids=["exchanged at once", "by two renames"])
def test_killed_before_each_operation(data_dir, tmp_path, monkeypatch, at_once):
    if not at_once:
        monkeypatch.setattr(placing, "_exchanged", lambda one, other: False)
    there = tmp_path / "share"
    there.mkdir()
    place = KitPlaceFacts("share", "directory", str(there))
    older, newer = small(data_dir / "older", "Host pi01\n"), small(data_dir / "newer", "Host pi02\n", 2)
    assert deliver("lab", older, [place]) == [Brought("share")]

    def bring() -> None:
        assert deliver("lab", newer, [place]) == [Brought("share")]

    whole = operations(there, bring)
    assert whole > 20
    for point in range(1, whole + 1, max(1, whole // POINTS)):
        assert deliver("lab", older, [place]) == [Brought("share")]
        assert operations(there, bring, dies_before=point) == 0
        require_whole(there, at_once=at_once)
    bring()
    assert sorted(path.name for path in there.iterdir()) == NAMES
    assert (there / "lab" / "ssh" / "config").read_text() == "Host pi02\n"
