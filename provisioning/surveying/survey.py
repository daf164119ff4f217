"""A survey as a value, and what follows from several of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from provisioning.machines.facts import (
    Config,
    GuestKind,
    GuestLine,
    NodeFacts,
    SnapshotFacts,
    StorageFacts,
    Version,
)


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest with everything that identity and drift ask for. *config* None: it is on another node.

    *macs*: those that it is to have, then those that it has until its next power cycle.
    """

    line: GuestLine
    macs: tuple[str, ...] = ()
    config: Config | None = None
    snapshots: tuple[SnapshotFacts, ...] = ()

    @property
    def vmid(self) -> int:
        return self.line.vmid

    @property
    def kind(self) -> GuestKind:
        return self.line.kind

    @property
    def name(self) -> str:
        return self.line.name


@dataclass(frozen=True)
class Survey:
    """One hypervisor, completely, at *taken* (ISO 8601). Guests, storages and nodes are sorted."""

    hypervisor: str
    taken: str
    version: Version
    node: str
    nodes: tuple[NodeFacts, ...]
    storages: tuple[StorageFacts, ...]
    guests: tuple[Guest, ...]
    #: privileges of the token beyond what looking takes, as “privilege on path”
    excess: tuple[str, ...] = ()

    @cached_property
    def guest_by_vmid(self) -> dict[int, Guest]:
        return {guest.vmid: guest for guest in self.guests}

    @cached_property
    def storage_by_name(self) -> dict[str, StorageFacts]:
        return {storage.name: storage for storage in self.storages}

    @property
    def vmids(self) -> frozenset[int]:
        return frozenset(guest.vmid for guest in self.guests)

    @property
    def templates(self) -> tuple[GuestLine, ...]:
        """Of the surveyed node alone: a template elsewhere cannot be cloned here."""
        return tuple(
            guest.line for guest in self.guests if guest.line.is_template and guest.line.node == self.node
        )

    @cached_property
    def guests_by_mac(self) -> dict[str, tuple[Guest, ...]]:
        """MAC → who has it; two guests with one MAC are two entries, not one."""
        found: dict[str, list[Guest]] = {}
        for guest in self.guests:
            for mac in dict.fromkeys(guest.macs):
                found.setdefault(mac, []).append(guest)
        return {mac: tuple(guests) for mac, guests in found.items()}


class NotEverywhere(ValueError):
    """A VMID cannot be chosen: some hypervisor's are not known. *hypervisors* names them."""

    def __init__(self, hypervisors: Iterable[str]) -> None:
        self.hypervisors = tuple(sorted(hypervisors))
        super().__init__(
            f"No complete survey of {', '.join(self.hypervisors)}: no VMID is chosen before there is one. "
            "Survey them, or declare lost what will not come back."
        )


def taken_vmids(
    surveys: Mapping[str, Survey | None], lost: Mapping[str, Iterable[int]] | None = None
) -> frozenset[int]:
    """Every VMID in use on any hypervisor of a site.

    *surveys*: each declared hypervisor → its newest complete survey, None where there is none. *lost*: those that were
    declared lost → their last known VMIDs, which stay taken. Raises NotEverywhere for one that is neither; a site
    without hypervisors has no survey to trust either and raises too.
    """
    gone = {name: frozenset(vmids) for name, vmids in (lost or {}).items()}
    unknown = [name for name, survey in surveys.items() if survey is None and name not in gone]
    if unknown:
        raise NotEverywhere(unknown)
    if not surveys and not gone:
        raise NotEverywhere(["any hypervisor (none is declared)"])
    seen = [survey.vmids for survey in surveys.values() if survey is not None]
    return frozenset().union(*seen, *gone.values())


def as_json(survey: Survey) -> dict[str, Any]:
    """*survey* as JSON values, for a row; ``from_json`` reads it."""
    return {
        "hypervisor": survey.hypervisor,
        "taken": survey.taken,
        "version": survey.version.text,
        "node": survey.node,
        "nodes": [[node.name, node.online] for node in survey.nodes],
        "storages": [_storage_json(storage) for storage in survey.storages],
        "guests": [_guest_json(guest) for guest in survey.guests],
        "excess": list(survey.excess),
    }


def from_json(document: Mapping[str, Any]) -> Survey:
    return Survey(
        hypervisor=document["hypervisor"],
        taken=document["taken"],
        version=Version(document["version"]),
        node=document["node"],
        nodes=tuple(NodeFacts(name, online) for name, online in document["nodes"]),
        storages=tuple(
            StorageFacts(**{**row, "content": frozenset(row["content"])}) for row in document["storages"]
        ),
        guests=tuple(_guest(row) for row in document["guests"]),
        excess=tuple(document["excess"]),
    )


def _storage_json(storage: StorageFacts) -> dict[str, Any]:
    names = ("name", "kind", "enabled", "active", "shared", "total", "free", "server")
    return {**{name: getattr(storage, name) for name in names}, "content": sorted(storage.content)}


def _guest_json(guest: Guest) -> dict[str, Any]:
    line = guest.line
    names = ("vmid", "kind", "node", "name", "status", "is_template", "lock")
    config = guest.config
    return {
        **{name: getattr(line, name) for name in names},
        "macs": list(guest.macs),
        "snapshots": [asdict(one) for one in guest.snapshots],
        "config": None
        if config is None
        else {"values": dict(config.values), "digest": config.digest, "pending": dict(config.pending)},
    }


def _guest(row: Mapping[str, Any]) -> Guest:
    rest = {name: value for name, value in row.items() if name not in ("macs", "config", "snapshots")}
    config = row["config"]
    return Guest(
        GuestLine(**rest),
        tuple(row["macs"]),
        Config(**config) if config is not None else None,
        tuple(SnapshotFacts(**one) for one in row.get("snapshots", ())),
    )
