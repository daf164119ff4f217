"""Real clients of real DHCP servers on the sample's exports. Expected is what its YAML says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.components import require
from tests.lab import sample
from tests.lab.dhclient import SHORT_PATIENCE, Asking, Lease
from tests.lab.network import Lab, Plug
from tests.lab.servers import DHCP_SERVERS, Running, Server
from tests.shared_data import require_sample

pytestmark = [pytest.mark.lab, pytest.mark.django_db]

#: It asks for a reservation, and nobody has read its MAC.
UNKNOWN = Plug("hv02", "d8:9e:f3:00:00:02", "management")


@dataclass(frozen=True)
class Served:
    leases: dict[str, Lease | None]
    folder: Path
    server: Running

    def lease(self, plug: Plug) -> Lease:
        lease = self.leases[plug.name]
        assert lease is not None, f"nobody answered {plug}; the server said:\n{self.server.said()}"
        return lease


@pytest.fixture(scope="module", params=DHCP_SERVERS, ids=lambda server: server.format)
def served(
    request: pytest.FixtureRequest, sample_exports: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    server: Server = request.param
    server.require()
    require("dhclient", package="isc-dhcp-client")
    declared, folder = require_sample(), tmp_path_factory.mktemp("lab")
    reserved, strangers = sample.reserved(declared), sample.strangers(declared)
    unserved = [UNKNOWN, *(plug for plug, pool in strangers.items() if pool is None)]
    answered = [*reserved, *(plug for plug, pool in strangers.items() if pool)]
    lab = Lab()
    try:
        lab.build(sample.wires(declared), [*answered, *unserved])
        running = Running(
            server, lab, shutil.copytree(sample_exports / server.format, folder / server.format)
        )
        leases = Asking(lab, [plug.name for plug in answered], folder / "answered").leases()
        silent = Asking(lab, [plug.name for plug in unserved], folder / "unserved", patience=SHORT_PATIENCE)
        yield Served(leases | silent.leases(), declared, running)
    finally:
        lab.close()


def test_every_machine_with_a_known_mac_gets_its_reserved_address_and_name(served: Served) -> None:
    reserved = sample.reserved(served.folder)
    assert len(reserved) == 12
    for plug, card in reserved.items():
        lease = served.lease(plug)
        assert (lease.ip_address, lease.host_name) == (card.address, card.host)


def test_every_machine_is_told_its_segments_router_and_dns(served: Served) -> None:
    segments = sample.segments(served.folder)
    for plug in [*sample.reserved(served.folder), *_in_pools(served)]:
        lease, gateway = served.lease(plug), segments[plug.wire]["gateway"]
        assert (lease.routers, lease.domain_name_servers) == (gateway, gateway), plug
        assert lease.domain_name == "dvntm.deevnet.net"


def test_a_machine_that_boots_from_the_network_is_told_from_where(served: Served) -> None:
    booting = {plug: card for plug, card in sample.reserved(served.folder).items() if card.boot_file}
    assert len(booting) == 4
    for plug, card in booting.items():
        lease = served.lease(plug)
        assert (lease.bootfile_name, lease.tftp_server_name) == (card.boot_file, card.boot_server)
        assert lease.next_server == card.boot_server


def test_a_stranger_gets_an_address_where_there_is_a_pool(served: Served) -> None:
    pools = _in_pools(served)
    assert sorted(plug.wire for plug in pools) == ["guest", "iot", "iot_vendor", "trusted"]
    for plug, (first, last) in pools.items():
        given = IPv4Address(served.lease(plug).ip_address)
        assert IPv4Address(first) <= given <= IPv4Address(last)


def test_nobody_answers_a_stranger_where_only_static_mappings_are_served(served: Served) -> None:
    strangers = [plug for plug, pool in sample.strangers(served.folder).items() if pool is None]
    assert len(strangers) == 7
    assert [plug.wire for plug in strangers if served.leases[plug.name]] == []


def test_nobody_answers_a_machine_whose_mac_is_unknown(served: Served) -> None:
    assert served.leases[UNKNOWN.name] is None


def _in_pools(served: Served) -> dict[Plug, tuple[str, str]]:
    return {plug: pool for plug, pool in sample.strangers(served.folder).items() if pool}
