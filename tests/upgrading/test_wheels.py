"""``make upgrade`` to a version with other requirements: a real environment out of a directory of wheels, no network."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mgmtplane.upgrading.comparing import compare
from tests.components import unavailable
from tests.shared_data import REPOSITORY
from tests.upgrading import states
from tests.upgrading.application import Application
from tests.upgrading.test_upgrade import render

pytestmark = [pytest.mark.slow, pytest.mark.whole, pytest.mark.timeout(1800)]

#: what the version before does without
NEW = "iniconfig"
#: no index answers there: whatever is not in the directory of wheels cannot be had
OFFLINE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0"}


def test_an_environment_out_of_wheels_alone_up_and_back(tmp_path):
    data = states.unpack("7853dbd", tmp_path / "state") / "data"
    application = Application(tmp_path / "clone", data, HOME=str(tmp_path / "home"))
    application.manage("migrate", "-v0")
    before = render(application, tmp_path / "before")
    with (application.clone / "requirements.txt").open("a", encoding="utf-8") as requirements:
        requirements.write(requirement(NEW))
    application.move_on()
    wheels = downloaded(application, tmp_path / "the wheels")

    less = shutil.copytree(wheels, tmp_path / "less")
    next(less.glob(f"{NEW}-*")).unlink()
    said = application.make("upgrade", f"FROM={application.old}", f"WHEELS={less}", code=2, **OFFLINE)
    assert "Not everything that is needed lies in" in said and NEW in said
    assert not has(application, NEW) and not (application.clone / ".venv.previous").exists()

    said = application.make("upgrade", f"FROM={application.old}", f"WHEELS={wheels}", **OFFLINE)
    assert "exports are unchanged" in said and "exports are what they were" in said
    assert has(application, NEW)
    application.manage("check")

    application.make("upgrade-back", **OFFLINE)
    assert application.head == application.old and not has(application, NEW)
    assert not compare(before, render(application, tmp_path / "after")).differences


def requirement(name: str) -> str:
    """Its lines in the requirements of developers, hashes included."""
    text = (REPOSITORY / "requirements-dev.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{name}==.*(?:\n    .*)*\n", text, re.MULTILINE)
    assert found
    return found[0]


def downloaded(application: Application, place: Path) -> Path:
    done = subprocess.run(
        ["sh", "tools/wheels", str(place)],
        cwd=application.clone,
        env=application.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        unavailable(f"needs a package index: {done.stderr.strip().splitlines()[-1]}")
    return place


def has(application: Application, package: str) -> bool:
    """Whether the environment at its place is a real one that has *package*."""
    return bool(
        list((application.clone / ".venv" / "lib").glob(f"python3*/site-packages/{package}-*.dist-info"))
    )
