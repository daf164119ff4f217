"""DHCP and DNS from the recovery kit alone: its own script, a real dnsmasq, real clients."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory.recovery import kit
from tests.components import require
from tests.exports.test_bootstrap import NODE, TAKING
from tests.lab.dhclient import Asking, Lease
from tests.lab.dig import dig
from tests.lab.network import Lab, Plug, Wire
from tests.lab.servers import DNSMASQ

pytestmark = pytest.mark.lab

ADDRESS = "192.0.2.1"
CLIENT = Plug("hv01", "02:de:10:02:00:01", "management")
READY_SECONDS = 30


@dataclass(frozen=True)
class Up:
    lab: Lab
    lease: Lease | None
    said: str


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    DNSMASQ.require()
    require("dhclient", package="isc-dhcp-client")
    folder = tmp_path_factory.mktemp("kit")
    for name, content in kit.files(TAKING).items():
        place = folder / "kit" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    lab = Lab()
    try:
        lab.build([Wire("management", ())], [CLIENT])
        log = folder / "log"
        environment = {"LEASES": str(folder / "leases"), "DNSMASQ_USER": "root"}
        words = ["sh", str(folder / "kit" / "bootstrap" / "up.sh"), "br0"]
        process = lab.start(words, log, environment=environment)
        deadline = time.monotonic() + READY_SECONDS
        while "started, version" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        asking = Asking(lab, [CLIENT.name], folder / "asking", patience=15)
        yield Up(lab, asking.leases()[CLIENT.name], log.read_text())
    finally:
        lab.close()


def test_a_machine_gets_its_reserved_address(up: Up) -> None:
    assert up.lease is not None, up.said
    assert (up.lease.ip_address, up.lease.routers) == ("192.0.2.21", ADDRESS)


def test_names_resolve_both_ways(up: Up, tmp_path: Path) -> None:
    require("dig", package="bind9-dnsutils")
    asked = [
        ("hv01.lab.example.net", "A"),
        (f"{NODE}.lab.example.net", "A"),
        ("21.2.0.192.in-addr.arpa", "PTR"),
    ]
    host, node, pointer = dig(up.lab, None, ADDRESS, asked, tmp_path).values()
    assert host.values("A") == {"192.0.2.21"}
    assert node.values("A") == {ADDRESS}
    assert pointer.values("PTR") == {"hv01.lab.example.net"}


def test_the_address_and_the_firewall_are_told(up: Up) -> None:
    assert f"br0 has {ADDRESS}/24" in up.said
    assert "udp 67 (DHCP), udp and tcp 53 (DNS)" in up.said


def test_an_interface_that_is_not_there_is_named(up: Up, tmp_path: Path) -> None:
    script = kit.files(TAKING)["bootstrap/up.sh"]
    (tmp_path / "up.sh").write_bytes(script)
    (tmp_path / "addresses").write_text("192.0.2.1/24 management\n")
    done = up.lab.run(["sh", str(tmp_path / "up.sh"), "eth9"])
    assert done.returncode == 2 and "There is no interface eth9." in done.stderr
    done = up.lab.run(["sh", str(tmp_path / "up.sh"), "br0=iot"])
    assert done.returncode == 2 and "The node has no address in iot" in done.stderr
