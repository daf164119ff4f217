"""The collection as an operator installs it, and Ansible with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hosts.ansible import Control, build, install
from tests.hosts.ssh import SshHosts
from tests.roles.debian import archive_of
from tests.shared_data import REPOSITORY


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection's archive."""
    return build(REPOSITORY / "ansible", tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def collections(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the collection is installed from its archive."""
    return install(archive, tmp_path_factory.mktemp("collections"))


@pytest.fixture
def control(ssh_hosts: SshHosts, collections: Path) -> Iterator[Callable[..., Control]]:
    """``control("one", "two")``: Ansible, and hosts with systemd, whose packages come from a folder of their own."""
    made: list[Control] = []

    def with_hosts(*names: str) -> Control:
        for host in ssh_hosts(names=names, init="systemd"):
            archive_of(host)
        made.append(Control(ssh_hosts, [collections]))
        return made[-1]

    yield with_hosts
    for one in made:
        one.close()
