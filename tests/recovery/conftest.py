"""One installation with a site of the demo, a backup and a kit, for every test of a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.recovery.kit import CHECK
from tests.provisioning.backups.test_round_trip import PASSPHRASE, manage


@pytest.fixture(scope="session")
def living(tmp_path_factory) -> Path:
    data_dir = tmp_path_factory.mktemp("living")
    manage(data_dir, "migrate", "-v0")
    manage(data_dir, "demo")
    manage(data_dir, "backup", "create", BACKUP_PASSPHRASE=PASSPHRASE)
    return data_dir


@pytest.fixture(scope="session")
def kit(living) -> Path:
    said = manage(living, "recovery_kit", "build", "--site", "lab")
    assert "Without wheels restoring needs a network" in said
    return living / "kits" / "lab"


def checked(
    folder: Path, *words: str, program: Path | None = None, path: str = os.defpath
) -> subprocess.CompletedProcess:
    """As a stranger's Python runs it: no package of ours, no environment but the *path*."""
    script = program or (folder / "check.py" if folder.is_dir() else CHECK)
    return subprocess.run(
        [sys.executable, "-I", "-S", str(script), str(folder), *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": path},
    )
