"""What was gathered of a host against what is declared of it. Pure.

Only a contradiction is told: what a host has besides the declaration is its own business, and what was not gathered
says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory.identity import canonical_mac, dns_name
from inventory.snapshot import HostFacts, InterfaceFacts

MAC, ADDRESS, NAME = "gathered_mac", "gathered_address", "gathered_name"
#: kinds of drift that runs open and close; surveys know nothing of them
KINDS = (MAC, ADDRESS, NAME)
NOWHERE = "on no interface"


@dataclass(frozen=True, slots=True)
class Contradiction:
    kind: str
    #: such as “eth0 MAC”
    field: str
    wanted: str
    found: str


def contradictions(
    host: HostFacts, *, interfaces: Sequence[Mapping[str, Any]] | None, name: str | None
) -> tuple[Contradiction, ...]:
    """What contradicts; *interfaces* as the run's facts have them, *name* without a domain; None: not gathered."""
    found: list[Contradiction] = []
    if interfaces:
        found += _of_interfaces(host, [_Seen.of(one) for one in interfaces])
    if name is not None and (said := _of_name(host, name)):
        found.append(said)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    mac: str
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> _Seen:
        addresses = tuple(str(one).partition("/")[0] for one in said.get("addresses") or ())
        return cls(str(said.get("name", "")), _mac(said.get("mac")), addresses)


def _mac(text: Any) -> str:
    try:
        return canonical_mac(str(text or ""))
    except ValueError:
        return ""


def _of_interfaces(host: HostFacts, seen: list[_Seen]) -> Iterator[Contradiction]:
    by_mac = {one.mac: one for one in seen if one.mac}
    by_name = {one.name: one for one in seen}
    held = {address for one in seen for address in one.addresses}
    for card in host.interfaces:
        named = by_name.get(card.name)
        if card.mac and card.mac not in by_mac:
            found = (named.mac if named else "") or NOWHERE
            yield Contradiction(MAC, f"{card.name} MAC", card.mac, found)
        yield from _of_addresses(card, by_mac.get(card.mac or "") or named, held)


def _of_addresses(card: InterfaceFacts, seen: _Seen | None, held: set[str]) -> Iterator[Contradiction]:
    """A declared IPv4 address that the host has nowhere. Which card it is on is the host's business (bridges, bonds)."""
    if card.addressing != "static" or not card.ipv4 or card.ipv4 in held:
        return
    there = [one for one in seen.addresses if ":" not in one] if seen else []
    yield Contradiction(ADDRESS, f"{card.name} address", card.ipv4, ", ".join(there) or NOWHERE)


def _of_name(host: HostFacts, name: str) -> Contradiction | None:
    wanted, short = dns_name(host.name) or host.name, name.partition(".")[0]
    if not short or short.casefold() == wanted.partition(".")[0].casefold():
        return None
    return Contradiction(NAME, "host name", host.name, name)
