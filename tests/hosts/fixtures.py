"""What ``tests/conftest.py`` gives to every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.ssh import SshHosts, require_ssh_hosts


@pytest.fixture
def ssh_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHosts]:
    """Makes real hosts: ``one, two, three = ssh_hosts(3)``."""
    require_ssh_hosts()
    folder: Path = tmp_path_factory.mktemp("ssh_hosts")
    made = SshHosts(folder)
    try:
        yield made
    finally:
        made.close()
