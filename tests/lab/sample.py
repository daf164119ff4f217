"""What the sample declares, read straight from its YAML: none of the application's own code is asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab.network import Plug, Wire

SITE = "dvntm"
ZONE = "dvntm.deevnet.net"
#: Two routers claim these, so nobody gets them.
DISPUTED = ("dhcp", "dns", "gateway")


class _Loader(yaml.SafeLoader):
    """Reads ``!vault`` values as plain text: nothing here is secret."""


_Loader.add_constructor("!vault", lambda loader, node: str(node.value))


@dataclass(frozen=True)
class Card:
    """One interface as a host's own file declares it."""

    host: str
    mac: str
    address: str
    segment: str
    a_record: bool
    reservation: bool
    cnames: tuple[str, ...]
    boot_server: str
    boot_file: str

    @property
    def fqdn(self) -> str:
        return f"{self.host}.{ZONE}"


def cards(folder: Path) -> list[Card]:
    """The interfaces with an address and a ``dns`` block."""
    paths = sorted([*folder.glob("host_vars/*.yml"), *folder.glob("host_vars/*/vars.yml")])
    return [card for path in paths for card in _cards(path)]


def _cards(path: Path) -> Iterator[Card]:
    host = path.parent.name if path.name == "vars.yml" else path.stem
    declared = _read(path)
    for name, facts in declared["env"]["interfaces"].items():
        dns = facts.get("dns")
        if dns and facts["ip"] not in (None, "dhcp"):
            boot = dns.get("pxe_boot") or {}
            yield Card(
                host=host,
                mac=declared["infrastructure"]["interfaces"][name]["mac"],
                address=facts["ip"],
                segment=facts["segment"],
                a_record=dns["host_a_record"],
                reservation=dns["dhcp_reservation"],
                cnames=tuple(dns.get("cnames", ())),
                boot_server=boot.get("tftp_server", ""),
                boot_file=boot.get("boot_file", ""),
            )


def segments(folder: Path) -> dict[str, dict[str, Any]]:
    """Those with a subnet, as ``deevnet_vlans`` writes them."""
    vlans = _read(folder / "group_vars/all/vlans.yml")["deevnet_vlans"]
    return {name: vlan for name, vlan in vlans.items() if "subnet" in vlan}


def wires(folder: Path) -> list[Wire]:
    return [
        Wire(name, (f"{vlan['gateway']}/{ipaddress.ip_network(vlan['subnet']).prefixlen}",))
        for name, vlan in segments(folder).items()
    ]


def reserved(folder: Path) -> dict[Plug, Card]:
    """The machines that must get their reserved address, plugged in where they are declared.

    Not the router: its address is the one on which the server itself listens.
    """
    gateways = {vlan["gateway"] for vlan in segments(folder).values()}
    return {
        Plug(card.host, card.mac, card.segment): card
        for card in cards(folder)
        if card.reservation and card.mac != "UNKNOWN" and card.address not in gateways
    }


def strangers(folder: Path) -> dict[Plug, tuple[str, str] | None]:
    """An undeclared machine in each segment, and the range it gets an address from."""
    found = {}
    for number, (name, vlan) in enumerate(segments(folder).items()):
        pool = vlan.get("dhcp_range_start"), vlan.get("dhcp_range_end")
        served = vlan.get("dhcp_enabled", True) and all(pool)
        found[Plug(f"stranger-{name}", f"02:00:00:00:01:{number:02x}", name)] = pool if served else None
    return found


def _read(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader=_Loader)
