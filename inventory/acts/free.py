"""Who has which values, from a Snapshot: what ``allocation.facts`` asks the rows, without a query. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from inventory.addressing import addresses_in
from inventory.allocation.choosing import Taken
from inventory.identity import dns_name
from inventory.snapshot import IdentityFacts, Snapshot, claims_of


@dataclass(frozen=True)
class Ledger:
    """kind → value → who has it. A quarantine that has passed withholds nothing."""

    holders: Mapping[str, Mapping[str, str]]
    quarantined: Mapping[str, Mapping[str, IdentityFacts]]
    #: handed out by the plan that is being made
    extra: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def taken(self, kind: str) -> Taken:
        waiting = frozenset(self.quarantined.get(kind, ()))
        return Taken(frozenset(self.holders.get(kind, ())) | waiting | self.extra[kind], waiting)

    def contest(self, kind: str, value: str, *, mine: str = "") -> str:
        """Say who else has *value*; empty when it is free for the host *mine*."""
        wanted = (dns_name(value) or value) if kind == "name" else value
        holder = self.holders.get(kind, {}).get(wanted)
        if holder is not None and holder != mine:
            return f"{value} belongs to {holder}; choose another, or change it there first."
        waiting = self.quarantined.get(kind, {}).get(wanted)
        if waiting is not None and holder is None and waiting.host != mine:
            until = f" until {waiting.until[:10]}" if waiting.until else ""
            return (
                f"{value} was {waiting.host}'s and is in quarantine{until}; choose another, or free it first."
            )
        return ""


def ledger(snapshot: Snapshot, now: datetime) -> Ledger:
    """The claims of the live hosts, and what the ledger withholds at *now*."""
    waiting: dict[str, dict[str, IdentityFacts]] = defaultdict(dict)
    for one in snapshot.identities:
        over = one.until and datetime.fromisoformat(one.until) <= now
        if one.state == "quarantined" and not over:
            waiting[one.kind][one.value] = one
    return Ledger(snapshot.once(_holders), waiting)


def _holders(snapshot: Snapshot) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {"mac": {}, "ip": {}, "vmid": {}, "name": {}}
    for kind, value, host in claims_of(snapshot.live_hosts, snapshot.segment_by_name):
        found[kind].setdefault(value, host)
    return found


def taken_names(snapshot: Snapshot, found: Ledger) -> Collection[str]:
    """Those of retired hosts too: they keep their own."""
    return found.taken("name").values | {host.name.lower() for host in snapshot.hosts}


def taken_addresses(snapshot: Snapshot, found: Ledger) -> Taken:
    """Beside the ledger: what stands in fields that claim nothing, so that nobody else is put there."""
    beside = snapshot.once(_beside)
    ledger = found.taken("ip")
    return Taken(ledger.values | beside, ledger.quarantined)


def _beside(snapshot: Snapshot) -> frozenset[str]:
    found = set()
    for interface in snapshot.live_interfaces:
        found |= {interface.bootstrap_ipv4 or "", interface.pxe_server}
    for host in snapshot.live_hosts:
        if host.out_of_band:
            found |= set(addresses_in(host.out_of_band))
    return frozenset(found - {""})
