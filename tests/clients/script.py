"""``ansible/mgmtplane_inventory.py`` alone in a directory, with settings of a test's own."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.misbehaving import TOKEN, Server, document, serving, site_of
from tests.shared_data import REPOSITORY

SCRIPT = REPOSITORY / "ansible" / "mgmtplane_inventory.py"
BODY = document("alpha", "beta", "gamma", "delta")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.answer = site_of(BODY)
        yield running


class Script:
    """A copy of the script alone in a directory, as on somebody's machine."""

    def __init__(self, folder: Path, url: str) -> None:
        self.file = Path(shutil.copy(SCRIPT, folder / "inventory"))
        self.cache = folder / "cache"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "MGMTPLANE_URL": url,
            "MGMTPLANE_SITE": "lab",
            "MGMTPLANE_TOKEN": TOKEN,
            "MGMTPLANE_CACHE_DIR": str(self.cache),
            "MGMTPLANE_TIMEOUT": "2",
        }

    def start(self, *arguments: str, limit: int | None = None, **environment: str) -> subprocess.Popen[str]:
        def limited() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.Popen(
            [sys.executable, "-I", str(self.file), *(arguments or ("--list",))],
            env={**self.environment, **{f"MGMTPLANE_{k}": v for k, v in environment.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limited,
        )

    def run(self, *arguments: str, **more: Any) -> Ran:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=60)
        assert TOKEN not in out + err, "no message shows the token"
        assert "Traceback" not in err
        return Ran(process.returncode, out, err)

    def fresh(self, *arguments: str, **more: Any) -> dict[str, Any]:
        ran = self.run(*arguments, **more)
        assert (ran.status, ran.err) == (0, "")
        assert "mgmtplane_inventory_stale" not in ran.out
        return ran.document

    def stale(self, words: str, **more: Any) -> Ran:
        """What is handed on is the last good copy, and says so loudly."""
        ran = self.run(**more)
        assert ran.status == 0, ran.err
        assert "WARNING" in ran.err and "STALE" in ran.err and words in ran.err
        variables = ran.document["all"]["vars"]
        assert variables["mgmtplane_inventory_stale"] is True
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", variables["mgmtplane_inventory_stale_since"])
        assert next(iter(variables)) == "domain"
        assert set(ran.document["_meta"]["hostvars"]) == {"alpha", "beta", "gamma", "delta"}
        return ran

    def refuses(self, *arguments: str, words: str, **more: Any) -> str:
        """Nothing is handed on, and the reason is told in one line."""
        ran = self.run(*arguments, **more)
        assert (ran.status, ran.out) == (1, "")
        assert words in ran.err
        assert ran.err.count("\n") == 1, ran.err
        return ran.err

    @property
    def copy(self) -> Path:
        [path] = self.cache.glob("*.inventory")
        return path


class Ran:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def script(server: Server, tmp_path: Path) -> Script:
    return Script(tmp_path, server.url)
