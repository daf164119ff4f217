"""Real clients of real DHCP servers, on the exports of a site made by hand (``dual_stack``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.components import require
from tests.lab import dual_stack, site_files
from tests.lab.dhclient import FIRMWARE, SHORT_PATIENCE, Asking, Lease
from tests.lab.dual_stack import OPTIONS, RESERVED, UNRESERVED
from tests.lab.network import Lab, Plug
from tests.lab.servers import DHCP_SERVERS, Running, Server

pytestmark = pytest.mark.lab

IN_POOL = {plug: pool for plug, pool in UNRESERVED.items() if pool}
UNSERVED = [plug for plug, pool in UNRESERVED.items() if pool is None]


@dataclass(frozen=True)
class Served:
    """What all clients were told, by their names; then those with a reservation, as boot firmware asks."""

    leases: dict[str, Lease | None]
    firmware: dict[str, Lease | None]
    server: Running

    def lease(self, plug: Plug) -> Lease:
        lease = self.leases[plug.name]
        assert lease is not None, f"nobody answered {plug}; the server said:\n{self.server.said()}"
        return lease


@pytest.fixture(scope="module", params=DHCP_SERVERS, ids=lambda server: server.format)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server: Server = request.param
    server.require()
    require("dhclient", package="isc-dhcp-client")
    folder: Path = tmp_path_factory.mktemp("lab")
    lab = Lab()
    try:
        lab.build(dual_stack.WIRES, [*RESERVED, *UNRESERVED])
        running = Running(server, lab, site_files.write(dual_stack.SITE, server.format, folder / "export"))
        leases = Asking(lab, [plug.name for plug in (*RESERVED, *IN_POOL)], folder / "system").leases()
        unserved = Asking(lab, [plug.name for plug in UNSERVED], folder / "unserved", patience=SHORT_PATIENCE)
        again = Asking(lab, [plug.name for plug in RESERVED], folder / "firmware", FIRMWARE, "firmware")
        yield Served(leases | unserved.leases(), again.leases(), running)
    finally:
        lab.close()


@pytest.mark.parametrize("plug", RESERVED, ids=lambda plug: plug.name)
def test_a_declared_machine_gets_its_reserved_address_and_name(served: Served, plug: Plug) -> None:
    lease = served.lease(plug)
    assert (lease.ip_address, lease.host_name) == (RESERVED[plug].address, RESERVED[plug].host_name)


@pytest.mark.parametrize("plug", [*RESERVED, *IN_POOL], ids=lambda plug: plug.name)
def test_every_client_is_told_its_segments_router_dns_and_domains(served: Served, plug: Plug) -> None:
    lease = served.lease(plug)
    assert (lease.routers, lease.dns_servers, lease.search) == OPTIONS[plug.wire]
    assert lease.domain_name == dual_stack.ZONE


@pytest.mark.parametrize(
    "plug", [plug for plug, told in RESERVED.items() if told.boot_file], ids=lambda p: p.name
)
def test_a_machine_that_boots_from_the_network_is_told_from_where(served: Served, plug: Plug) -> None:
    lease, told = served.lease(plug), RESERVED[plug]
    assert (lease.bootfile_name, lease.tftp_server_name) == (told.boot_file, told.boot_server)
    assert lease.next_server == told.next_server


@pytest.mark.parametrize("plug", RESERVED, ids=lambda plug: plug.name)
def test_firmware_with_another_client_identifier_gets_the_same(served: Served, plug: Plug) -> None:
    lease, told = served.firmware[plug.name], RESERVED[plug]
    assert lease is not None, served.server.said()
    assert (lease.ip_address, lease.filename) == (told.address, told.boot_file)
    if told.next_server:
        assert lease.next_server == told.next_server


@pytest.mark.parametrize("plug", IN_POOL, ids=lambda plug: plug.name)
def test_a_machine_without_a_reservation_gets_an_address_of_the_pool(served: Served, plug: Plug) -> None:
    first, last = map(IPv4Address, IN_POOL[plug])
    assert first <= IPv4Address(served.lease(plug).ip_address) <= last


@pytest.mark.parametrize("plug", UNSERVED, ids=lambda plug: plug.name)
def test_nobody_answers_a_machine_without_a_reservation_where_there_is_no_pool(
    served: Served, plug: Plug
) -> None:
    assert served.leases[plug.name] is None


def test_clients_that_ask_at_the_same_time_get_different_addresses(served: Served) -> None:
    given = [served.lease(plug).ip_address for plug in (*RESERVED, *IN_POOL)]
    assert len(set(given)) == len(given)


def test_nobody_gets_an_address_that_a_declared_machine_holds(served: Served) -> None:
    given = {served.lease(plug).ip_address for plug in IN_POOL}
    declared = {
        address for host in dual_stack.HOSTS for card in host.interfaces for address in card.addresses
    }
    assert not given & declared


def test_the_server_leaves_its_files_alone(served: Served) -> None:
    assert served.server.left_its_files_alone()
