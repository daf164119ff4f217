"""A machine reads the exported hosts file as its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inventory.exports import get_export
from tests.components import require, require_namespaces
from tests.exports.client_site import CLIENTS

pytestmark = pytest.mark.lab


def getent(hosts: Path, *words: str) -> list[str]:
    """What this machine answers with *hosts* in the place of ``/etc/hosts``, in mounts of its own."""
    script = 'mount --bind "$0" /etc/hosts && exec getent -s files "$@"'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, str(hosts), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    require_namespaces()
    require("getent", package="libc-bin")
    path = tmp_path / "hosts"
    path.write_bytes(get_export("hosts").render(CLIENTS, None).files["hosts"])
    return path


@pytest.mark.parametrize(
    ("name", "address"),
    [("pi02", "198.51.100.150"), ("pve.lab.example.net", "2001:db8:99::21"), ("hv01-stor", "10.99.21.21")],
)
def test_names_lead_to_addresses(hosts: Path, name: str, address: str) -> None:
    assert address in getent(hosts, "ahosts", name)


def test_an_address_leads_to_its_own_name_first(hosts: Path) -> None:
    assert getent(hosts, "hosts", "192.0.2.1")[:2] == ["192.0.2.1", "core-rt01.lab.example.net"]
