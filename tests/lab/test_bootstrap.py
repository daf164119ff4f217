"""The bootstrap node serves: real servers on its files, on the gateway's address, and machines that boot there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inventory.exports.registry import get_export
from inventory.serving.output import write_directory
from tests.components import require
from tests.exports.test_bootstrap import NODE, TAKING
from tests.lab.dhclient import Asking, Lease
from tests.lab.dig import dig
from tests.lab.network import Lab, Plug, Wire
from tests.lab.servers import DHCP_SERVERS, DNSMASQ, Running, Server

pytestmark = pytest.mark.lab

ADDRESS = "192.0.2.1"
WIRE = Wire("management", (f"{ADDRESS}/24",))
INSTALLED = Plug("provisioner-vm05", "02:de:10:04:00:05", "management")
PLAIN = Plug("hv01", "02:de:10:02:00:01", "management")
ROUTER = Plug("core-rt01", "00:00:5e:00:53:01", "management")


@dataclass(frozen=True)
class Served:
    lab: Lab
    server: Server
    leases: dict[str, Lease | None]


@pytest.fixture(scope="module", params=DHCP_SERVERS, ids=lambda server: server.format)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server: Server = request.param
    server.require()
    require("dhclient", package="isc-dhcp-client")
    folder = tmp_path_factory.mktemp("bootstrap")
    export = folder / "export"
    write_directory(export, get_export(server.format).render(TAKING, "bootstrap").files)
    lab = Lab()
    try:
        lab.build([WIRE], [INSTALLED, PLAIN, ROUTER])
        Running(server, lab, export)
        asking = Asking(lab, [INSTALLED.name, PLAIN.name, ROUTER.name], folder / "asking", patience=12)
        yield Served(lab, server, asking.leases())
    finally:
        lab.close()


def test_machines_get_their_addresses_and_are_led_to_the_node(served: Served) -> None:
    for plug, address in ((INSTALLED, "192.0.2.90"), (PLAIN, "192.0.2.21")):
        lease = served.leases[plug.name]
        assert lease is not None
        assert (lease.ip_address, lease.routers, lease.dns_servers) == (address, ADDRESS, [ADDRESS])


def test_a_machine_that_boots_from_the_network_boots_from_the_node(served: Served) -> None:
    lease = served.leases[INSTALLED.name]
    assert lease is not None
    assert (lease.next_server, lease.bootfile_name) == (ADDRESS, "ipxe.efi")


def test_the_router_that_comes_up_meanwhile_is_not_given_the_address(served: Served) -> None:
    assert served.leases[ROUTER.name] is None


def test_names_lead_to_the_node(served: Served, tmp_path: Path) -> None:
    if served.server is not DNSMASQ:
        return  # the others answer no names
    require("dig", package="bind9-dnsutils")
    zone = "lab.example.net"
    asked = [
        (f"{NODE}.{zone}", "A"),
        ("1.2.0.192.in-addr.arpa", "PTR"),
        (f"core-rt01.{zone}", "A"),
        (f"hv01.{zone}", "A"),
    ]
    node, pointer, router, other = dig(served.lab, None, ADDRESS, asked, tmp_path).values()
    assert node.values("A") == {ADDRESS}
    assert pointer.values("PTR") == {f"{NODE}.{zone}"}
    assert router.values("A") == set()
    assert other.values("A") == {"192.0.2.21"}
