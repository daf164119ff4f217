"""MAC → address → name, the whole way: a client takes its lease and uses what it was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components import require
from tests.lab import dual_stack, site_files
from tests.lab.dhclient import Asking
from tests.lab.dig import dig
from tests.lab.network import Lab, Plug
from tests.lab.servers import BIND_INCLUDING, DHCPD, DNSMASQ, KEA, UNBOUND, Running, Server

pytestmark = pytest.mark.lab

CLIENT = Plug("nas", "02:de:10:02:00:01", "management")
OTHER = f"pi01.{dual_stack.ZONE}"


@pytest.mark.parametrize(
    "servers",
    [(KEA, UNBOUND), (DHCPD, BIND_INCLUDING), (DNSMASQ,)],
    ids=lambda servers: "-and-".join(server.format for server in servers),
)
def test_a_client_reaches_its_router_and_finds_its_own_name_there(
    servers: tuple[Server, ...], tmp_path: Path
) -> None:
    for server in servers:
        server.require()
    require("dhclient", "dig", package="isc-dhcp-client bind9-dnsutils")
    lab = Lab()
    try:
        lab.build(dual_stack.WIRES, [CLIENT])
        for server in servers:
            Running(server, lab, site_files.write(dual_stack.SITE, server.format, tmp_path / server.format))
        lease = Asking(lab, [CLIENT.name], tmp_path / "client").leases()[CLIENT.name]
        assert lease is not None
        lab.run(["ip", "addr", "add", f"{lease.ip_address}/24", "dev", "eth0"], CLIENT.name)
        lab.run(["ip", "route", "add", "default", "via", lease.routers], CLIENT.name)
        own = f"{lease.host_name}.{lease.domain_name}"
        asked = [(own, "A"), (f"files.{lease.domain_name}", "A"), (OTHER, "A")]
        answers = dig(lab, CLIENT.name, lease.dns_servers[0], asked, tmp_path)
        assert [answers[question].values("A") for question in asked] == [
            {lease.ip_address},
            {lease.ip_address},
            {"198.51.100.11"},
        ]
    finally:
        lab.close()
