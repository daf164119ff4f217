"""Kea DHCPv4: a whole ``kea-dhcp4.conf`` (Kea 2.0 and later).

Grammar: Kea Administrator Reference Manual, chapter 8. Every value passes a JSON encoder; one reservation is
one line, so that a change is a line in a diff. What is for people stands in ``user-context``: Kea has no
description.

- It listens on every interface (``*``) and picks the subnet by the address of the interface that heard the
  client.
- Leases lie where the installed Kea keeps them: naming no file is what works on every distribution.
- A lease belongs to a MAC, not to a client identifier (``match-client-id``): firmware, installer and system
  of one machine send different identifiers, and the second would find its reserved address taken by the
  first.
- A subnet's id is its network address as a number: it must not move when a segment is added, or stored leases
  would belong to another subnet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from inventory import dhcp
from inventory.exports.registry import Document, Export
from inventory.exports.text import authority_sentence, left_out_lines, plain
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "kea-dhcp4.conf"


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dhcp.plan(snapshot, authority)
    settings = {
        "user-context": {
            "made-by": "mgmtplane",
            "site": plain(snapshot.site.slug),
            "note": "Do not edit: the next export replaces this file.",
            "authority": authority_sentence(snapshot, authority),
            "left-out": left_out_lines(plan.left_out),
        },
        "interfaces-config": {"interfaces": ["*"]},
        "lease-database": {"type": "memfile"},
        "authoritative": True,
        "match-client-id": False,
        "host-reservation-identifiers": ["hw-address"],
        "valid-lifetime": dhcp.LEASE_SECONDS,
        "renew-timer": dhcp.RENEW_SECONDS,
        "rebind-timer": dhcp.REBIND_SECONDS,
    }
    lines = ['{"Dhcp4": {', *(f"  {_json(key)}: {_json(value)}," for key, value in settings.items())]
    lines += ['  "subnet4": [', *_joined(map(_subnet, plan.subnets)), "  ]", "}}"]
    return Document({FILENAME: "".join(f"{line}\n" for line in lines).encode("ascii")}, plan.findings)


def _subnet(subnet: dhcp.Subnet) -> str:
    facts: dict[str, Any] = {
        "id": max(1, int(subnet.network.network_address)),
        "subnet": str(subnet.network),
        "user-context": {"segment": plain(subnet.segment)},
        "pools": [{"pool": f"{pool.first} - {pool.last}"} for pool in subnet.pools],
        "option-data": list(_subnet_options(subnet)),
    }
    if subnet.next_server:
        facts["next-server"] = subnet.next_server
    head = ",\n".join(f"      {_json(key)}: {_json(value)}" for key, value in facts.items())
    rows = ",\n".join(f"        {_json(_reservation(r))}" for r in subnet.reservations)
    listed = f"[\n{rows}\n      ]" if rows else "[]"
    return f'    {{\n{head},\n      "reservations": {listed}\n    }}'


def _subnet_options(subnet: dhcp.Subnet) -> Iterator[dict[str, str]]:
    options = {
        "routers": subnet.gateway or "",
        "domain-name-servers": ", ".join(subnet.dns_servers),
        "domain-name": subnet.domain or "",
        "domain-search": ", ".join(subnet.search),
    }
    return ({"name": name, "data": data} for name, data in options.items() if data)


def _reservation(reservation: dhcp.Reservation) -> dict[str, Any]:
    boot = reservation.boot
    facts: dict[str, Any] = {"hw-address": reservation.mac, "ip-address": reservation.address}
    if reservation.hostname:
        facts["hostname"] = reservation.hostname
    if boot.next_server:
        facts["next-server"] = boot.next_server
    if boot.file:
        facts["boot-file-name"] = boot.file
    options = {"tftp-server-name": boot.server_name, "boot-file-name": boot.file}
    if any(options.values()):
        facts["option-data"] = [{"name": name, "data": data} for name, data in options.items() if data]
    facts["user-context"] = {"host": plain(reservation.host), "interface": plain(reservation.interface)}
    return facts


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _joined(blocks: Iterator[str]) -> list[str]:
    return [text] if (text := ",\n".join(blocks)) else []


EXPORT = Export(
    name="kea",
    title="Kea DHCPv4",
    purpose="A complete kea-dhcp4.conf: subnets, pools, options and reservations.",
    content_type="application/json",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
