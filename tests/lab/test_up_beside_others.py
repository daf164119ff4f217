"""The kit's ``up.sh`` on a machine that has a resolver, further interfaces and further servers of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory.recovery import kit
from tests.components import require
from tests.exports.test_bootstrap import NODE, TAKING
from tests.lab.dhclient import Asking
from tests.lab.dig import dig
from tests.lab.network import Lab, Plug, Wire
from tests.lab.servers import DNSMASQ

pytestmark = pytest.mark.lab

ADDRESS, RESOLVER = "192.0.2.1", "127.0.0.53"
#: hv01 in the segment that is served; a stranger in iot, whose pool is in the same file, and one where both are on the wire
CLIENT = Plug("hv01", "02:de:10:02:00:01", "management")
STRANGER = Plug("stranger", "02:00:5e:00:53:01", "iot")
NEIGHBOUR = Plug("neighbour", "02:00:5e:00:53:02", "management")
READY_SECONDS = 30

#: udp and tcp on ADDRESS PORT, without SO_REUSEADDR, until it is ended
HOLD = """
import socket, sys, time
kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
held = []
for kind in sys.argv[3:]:
    one = socket.socket(socket.AF_INET, kinds[kind])
    one.bind((sys.argv[1], int(sys.argv[2])))
    if kind == "tcp":
        one.listen()
    held.append(one)
print("held", flush=True)
time.sleep(1000)
"""


@dataclass(frozen=True)
class Node:
    """A bootstrap node with the kit: ``br0`` is in the segment management, ``br1`` in iot."""

    lab: Lab
    folder: Path

    def hold(self, address: str, port: int, *kinds: str) -> None:
        log = self.folder / f"held-{port}"
        self.lab.start([sys.executable, "-c", HOLD, address, str(port), *kinds], log)
        _wait_for("held", log)

    def up(self, *words: str, shell: Sequence[str] = ("sh",)) -> Path:
        """``up.sh`` goes on until the lab ends; what it says lies there."""
        log = self.folder / "log"
        environment = {"LEASES": str(self.folder / "leases"), "DNSMASQ_USER": "root"}
        process = self.lab.start([*shell, str(self.script), *words], log, environment=environment)
        _wait_for("started, version", log, until=lambda: process.poll() is not None)
        return log

    @property
    def script(self) -> Path:
        return self.folder / "kit" / "bootstrap" / "up.sh"


def _wait_for(word: str, log: Path, until=lambda: False) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while word not in log.read_text():
        assert not until() and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    DNSMASQ.require()
    require("dhclient", package="isc-dhcp-client")
    require("dig", package="bind9-dnsutils")
    for name, content in kit.files(TAKING).items():
        place = tmp_path / "kit" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    lab = Lab()
    try:
        wires = [Wire("management", ("198.51.100.6/24",)), Wire("iot", ("198.51.100.5/24",))]
        lab.build(wires, [CLIENT, STRANGER, NEIGHBOUR])
        yield Node(lab, tmp_path)
    finally:
        lab.close()


def test_beside_a_resolver_it_serves_its_segment_on_the_named_interface_alone(node: Node) -> None:
    """br1 has an address in iot, and so has br0: neither hands out a lease of iot's pool, which the file has."""
    node.hold(RESOLVER, 53, "udp", "tcp")
    log = node.up("br0")
    leases = Asking(
        node.lab, [CLIENT.name, STRANGER.name, NEIGHBOUR.name], node.folder / "asking", patience=8
    ).leases()
    lease = leases[CLIENT.name]
    assert lease is not None and lease.ip_address == "192.0.2.21", log.read_text()
    assert leases[STRANGER.name] is None and leases[NEIGHBOUR.name] is None, log.read_text()

    # names, from the machine with the lease: by udp and by tcp
    node.lab.run(["ip", "address", "add", "192.0.2.21/24", "dev", "eth0"], CLIENT.name)
    name = f"{NODE}.lab.example.net"
    answers = dig(node.lab, CLIENT.name, ADDRESS, [(name, "A")], node.folder)
    assert answers[name, "A"].values("A") == {ADDRESS}
    by_tcp = node.lab.run(["dig", "+tcp", "+short", f"@{ADDRESS}", name], CLIENT.name)
    assert by_tcp.stdout.strip() == ADDRESS

    held = node.lab.run(["ss", "-Hlntup", "( sport = :53 or sport = :67 )"]).stdout
    of_dnsmasq = {line.split()[4] for line in held.splitlines() if "dnsmasq" in line}
    assert "0.0.0.0:53" not in of_dnsmasq and not any(one.startswith("127.") for one in of_dnsmasq), held
    assert f"{ADDRESS}:53" in of_dnsmasq and "0.0.0.0%br0:67" in of_dnsmasq, held


@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("busybox", "sh")], ids=lambda shell: shell[0])
def test_two_interfaces_are_served_each_its_own_segment(node: Node, shell: tuple[str, ...]) -> None:
    require(shell[0], package=shell[0])
    with (node.script.parent / "addresses").open("a") as file:
        file.write("198.51.100.5/24 iot\n")
    log = node.up("br0", "br1=iot", shell=shell)
    leases = Asking(node.lab, [CLIENT.name, STRANGER.name], node.folder / "asking", patience=15).leases()
    lease, other = leases[CLIENT.name], leases[STRANGER.name]
    assert lease is not None and lease.ip_address == "192.0.2.21", log.read_text()
    assert other is not None and other.ip_address.startswith("198.51.100."), log.read_text()


@pytest.mark.parametrize(
    ("address", "port", "kinds", "told"),
    [
        ("0.0.0.0", 53, ("udp", "tcp"), "udp port 53"),
        ("192.0.2.1", 53, ("tcp",), "tcp port 53"),
        ("0.0.0.0", 67, ("udp",), "udp port 67"),
    ],
)
def test_a_port_that_another_program_holds_is_named_with_the_way_out(
    node: Node, address: str, port: int, kinds: tuple[str, ...], told: str
) -> None:
    node.lab.run(["ip", "address", "add", f"{ADDRESS}/24", "dev", "br0"])
    node.hold(address, port, *kinds)
    done = node.lab.run(["sh", str(node.script), "br0"])
    assert done.returncode == 2, done.stderr
    assert f"Another program holds {told}" in done.stderr and "pid=" in done.stderr
    assert f"ss -l{told[0]}np" in done.stderr and "Stop it" in done.stderr


def test_where_ss_is_missing_dnsmasq_itself_finds_the_port_taken(node: Node) -> None:
    node.hold("0.0.0.0", 53, "udp", "tcp")
    script = node.script.read_text().replace("ss -H", "there-is-no-ss -H")
    node.script.write_text(script)
    done = node.lab.run(["sh", str(node.script), "br0"])
    assert done.returncode == 2, done.stderr
    assert "dnsmasq could not listen" in done.stderr and "ss -lunp" in done.stderr
    assert ADDRESS not in node.lab.run(["ip", "-o", "address", "show", "dev", "br0"]).stdout
