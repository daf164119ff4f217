"""What a change of the site does on servers that run already: the recipes of ``docs/dhcp-dns.md``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inventory.exports.bind import content_hashes
from inventory.exports.registry import get_export
from inventory.snapshot import Snapshot, ZoneSerial
from tests.components import require
from tests.lab import dual_stack, site_files
from tests.lab.dhclient import PATIENCE, SHORT_PATIENCE, Asking
from tests.lab.dig import dig
from tests.lab.dual_stack import SITE, ZONE
from tests.lab.network import Lab, Plug
from tests.lab.servers import BIND, DHCP_SERVERS, DHCPD, DNS_SERVERS, DNSMASQ, KEA, Running, Server

pytestmark = pytest.mark.lab

CARD = Plug("card", "02:de:10:02:00:01", "management")
NEW_CARD = Plug("new-card", "02:de:10:02:00:99", "management")
#: ``nas-ph01``: its address as declared, and another one
ADDRESS, OTHER_ADDRESS = "192.0.2.20", "192.0.2.29"

#: How the operator makes a stopped server forget the lease of one address.
FORGET = {
    KEA.name: "sed -i '/^192\\.0\\.2\\.20,/d' /var/lib/kea/kea-leases4.csv*",
    DNSMASQ.name: "sed -i '/ 192\\.0\\.2\\.20 /d' {own}/dnsmasq.leases",
}

#: What a machine knows that was in another network a minute ago.
LEASE_FROM_ELSEWHERE = """\
lease {
  interface "eth0";
  fixed-address 172.16.0.9;
  option subnet-mask 255.255.255.0;
  option dhcp-server-identifier 172.16.0.1;
  renew never;
  rebind never;
  expire never;
}
"""

every_dhcp_server = pytest.mark.parametrize("server", DHCP_SERVERS, ids=lambda server: server.format)


def with_nas(**changes: Any) -> Snapshot:
    """The site after a change of the first interface of ``nas-ph01``."""
    hosts = {host.name: host for host in SITE.hosts}
    first, *others = hosts["nas-ph01"].interfaces
    hosts["nas-ph01"] = replace(hosts["nas-ph01"], interfaces=(replace(first, **changes), *others))
    return replace(SITE, hosts=tuple(hosts.values()))


@contextmanager
def running(server: Server, folder: Path, plugs: list[Plug]) -> Iterator[tuple[Lab, Running]]:
    server.require()
    lab = Lab()
    try:
        lab.build(dual_stack.WIRES, plugs)
        yield lab, Running(server, lab, site_files.write(SITE, server.format, folder / server.format))
    finally:
        lab.close()


def export(snapshot: Snapshot, server: Running) -> None:
    # BIND reloads a zone whose file is younger than its last load; a file's time may lag some milliseconds.
    time.sleep(0.2)
    for name, content in get_export(server.server.format).render(snapshot, None).files.items():
        (server.export / name).write_bytes(content)


def address_of(lab: Lab, plug: Plug, folder: Path, patience: int = PATIENCE) -> str | None:
    lease = Asking(lab, [plug.name], folder, patience=patience).leases()[plug.name]
    return lease.ip_address if lease else None


@every_dhcp_server
def test_a_new_address_reaches_the_client_that_had_the_old_one(server: Server, tmp_path: Path) -> None:
    require("dhclient", package="isc-dhcp-client")
    with running(server, tmp_path, [CARD]) as (lab, dhcp):
        assert address_of(lab, CARD, tmp_path / "before") == ADDRESS
        export(with_nas(ipv4=OTHER_ADDRESS), dhcp)
        dhcp.take_up()
        assert address_of(lab, CARD, tmp_path / "after") == OTHER_ADDRESS


@every_dhcp_server
def test_a_machine_from_elsewhere_is_told_at_once_that_its_address_is_wrong(
    server: Server, tmp_path: Path
) -> None:
    require("dhclient", package="isc-dhcp-client")
    with running(server, tmp_path, [CARD]) as (lab, _):
        asking = Asking(lab, [CARD.name], tmp_path / "asking", remembered=LEASE_FROM_ELSEWHERE)
        lease = asking.leases()[CARD.name]
        assert "DHCPNAK" in asking.said(CARD.name)
        assert lease is not None and lease.ip_address == ADDRESS


@every_dhcp_server
def test_a_replaced_network_card_gets_the_address_once_the_old_lease_is_forgotten(
    server: Server, tmp_path: Path
) -> None:
    require("dhclient", package="isc-dhcp-client")
    with running(server, tmp_path, [CARD, NEW_CARD]) as (lab, dhcp):
        assert address_of(lab, CARD, tmp_path / "before") == ADDRESS
        export(with_nas(mac=NEW_CARD.mac), dhcp)
        dhcp.take_up()
        if server is not DHCPD:  # which keeps no leases of reserved addresses
            assert address_of(lab, NEW_CARD, tmp_path / "held", SHORT_PATIENCE) is None
            dhcp.stop()
            forgotten = lab.run(["sh", "-c", FORGET[server.name].format(own=dhcp.own)])
            assert forgotten.returncode == 0, forgotten.stderr
            dhcp.start()
        assert address_of(lab, NEW_CARD, tmp_path / "after") == ADDRESS


@pytest.mark.parametrize("server", DNS_SERVERS, ids=lambda server: server.format)
def test_a_changed_address_resolves_after_the_files_are_taken_up(server: Server, tmp_path: Path) -> None:
    require("dig", package="bind9-dnsutils")
    published = {zone: ZoneSerial(41, content) for zone, content in content_hashes(SITE).items()}
    questions = [(f"nas-ph01.{ZONE}", "A"), (ZONE, "SOA")]
    with running(server, tmp_path, [CARD]) as (lab, dns):
        lab.run(["ip", "addr", "add", f"{ADDRESS}/24", "dev", "eth0"], CARD.name)
        export(replace(with_nas(ipv4=OTHER_ADDRESS), serials=published), dns)
        dns.take_up()
        answers = dig(lab, CARD.name, "192.0.2.1", questions, tmp_path)
        assert answers[questions[0]].values("A") == {OTHER_ADDRESS}
        if server is BIND:
            assert " 42 " in answers[questions[1]].values("SOA").pop()
