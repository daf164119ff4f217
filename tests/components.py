"""Real servers and tools that some tests need: found, or the test skips with one line saying what to install.

With ``MGMTPLANE_TEST_REQUIRE_ALL=1`` in the environment (CI) a missing component is a failure instead.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from typing import NoReturn

import pytest

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_program(name: str) -> str | None:
    """The full path of *name*, also where only root's PATH looks; None if it is not installed."""
    return shutil.which(name, path=SEARCH_PATH)


def require(*programs: str, package: str) -> None:
    """Skip (or fail, see above) unless every one of *programs* is installed; *package* is Debian's name."""
    missing = [program for program in programs if find_program(program) is None]
    if missing:
        unavailable(f"needs {', '.join(missing)}: sudo apt-get install -y {package}")


def require_namespaces() -> None:
    """Skip (or fail) unless this process may create network namespaces."""
    require("ip", "unshare", "ping", package="iproute2 util-linux iputils-ping")
    if not _namespaces_work():
        unavailable("needs permission to create network namespaces: run as root, or allow user namespaces")


def require_postgresql() -> None:
    """Skip (or fail) unless the suite is running on PostgreSQL."""
    from django.db import connection

    if connection.vendor != "postgresql":
        # The SQLite run cannot show PostgreSQL's behaviour however much is installed: never a failure.
        pytest.skip("needs PostgreSQL: set TEST_DATABASE_URL=postgresql://user:password@host/name")


def require_chromium() -> str:
    """The path of the distribution's Chromium; skip (or fail) where there is none."""
    for name in CHROMIUM_NAMES:
        path = find_program(name)
        if path is not None:
            return path
    unavailable("needs chromium: sudo apt-get install -y chromium")


def unavailable(reason: str) -> NoReturn:
    """Skip the running test with *reason*, or fail it where everything is required."""
    if os.environ.get("MGMTPLANE_TEST_REQUIRE_ALL") == "1":
        pytest.fail(f"MGMTPLANE_TEST_REQUIRE_ALL=1 and this test {reason}", pytrace=False)
    pytest.skip(reason)


@functools.cache
def _namespaces_work() -> bool:
    """Whether a throw-away network namespace with a working loopback can be made here."""
    command = ["unshare", "--net", "ip", "link", "set", "lo", "up"]
    if os.geteuid() != 0:
        command[1:1] = ["--map-root-user"]
    result = subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "PATH": SEARCH_PATH}, timeout=20
    )
    return result.returncode == 0


def ssh_home() -> str:
    """What ``~`` is for ssh: the home of the account, whatever HOME says."""
    return pwd.getpwuid(os.getuid()).pw_dir
