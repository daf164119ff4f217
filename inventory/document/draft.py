"""A site as values on their way to the rows: names instead of ids, fields under the names of their columns."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from inventory.snapshot import IdentityFacts, ZoneSerial

Fields = dict[str, Any]
#: A field that is only a proposal: given to new rows, left alone on those there are.
ONLY_NEW = "+"
ServiceKey = tuple[str, str]  # name, tenant


class Left(Enum):
    """What a draft says nothing about."""

    ALONE = "left alone"


@dataclass
class HostDraft:
    fields: Fields
    role: str | None = None
    interfaces: dict[str, Fields] = field(default_factory=dict)
    services: dict[ServiceKey, Fields] = field(default_factory=dict)
    hypervisor: str | Left | None = Left.ALONE
    needs: tuple[str, ...] | Left = Left.ALONE
    proxmox: Fields | Left | None = Left.ALONE
    machine: Fields | Left | None = Left.ALONE


@dataclass
class SiteDraft:
    """What a text form of a site says. Of the lists only those in ``nouns`` are said; the others are left alone.

    ``unnamed`` says what becomes of hosts, segments and groups that the draft no longer names: ``stay`` (an import) lists
    them as gone; ``leave`` (a whole document) retires hosts and removes the others; ``alone`` (an amendment) does not even
    look at them: memberships and nestings are then those that come, ``parted`` and ``unnested`` those that go.
    """

    slug: str
    site: Fields = field(default_factory=dict)
    nouns: frozenset[str] = frozenset({"segments", "hosts", "groups"})
    segments: dict[str, Fields] = field(default_factory=dict)
    hosts: dict[str, HostDraft] = field(default_factory=dict)
    groups: dict[str, Fields] = field(default_factory=dict)
    nestings: set[tuple[str, str]] = field(default_factory=set)  # parent, child
    memberships: set[tuple[str, str]] = field(default_factory=set)  # group, host
    roles: dict[str, Fields] = field(default_factory=dict)
    profiles: dict[str, Fields] = field(default_factory=dict)
    profile_members: set[tuple[str, str]] = field(default_factory=set)  # profile, host
    aliases: dict[str, str] = field(default_factory=dict)  # name → label of the service
    #: (finding, subject) → the rest
    overrides: dict[tuple[str, str], Fields] = field(default_factory=dict)
    #: (when, who) → the rest
    emergency_uses: dict[tuple[datetime.datetime, str], Fields] = field(default_factory=dict)
    schedules: dict[str, Fields] = field(default_factory=dict)
    projects: dict[str, Fields] = field(default_factory=dict)
    templates: dict[str, Fields] = field(default_factory=dict)
    kit_places: dict[str, Fields] = field(default_factory=dict)
    authorities: list[Fields] = field(default_factory=list)
    serials: dict[str, ZoneSerial] = field(default_factory=dict)
    identities: tuple[IdentityFacts, ...] = ()
    #: (kind, value) → who will claim it; what ``identities`` are held against
    claims: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    #: of a patch: kind of group → (group, host) that go, and (parent, child) that go
    parted: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    unnested: set[tuple[str, str]] = field(default_factory=set)
    #: of a patch: the aliases that go
    unaliased: set[str] = field(default_factory=set)
    unnamed: Literal["stay", "leave", "alone"] = "stay"


def plain(fields: Fields, *, new: bool) -> Fields:
    """Column names without the mark of proposals; proposals only for new rows."""
    return {
        key.lstrip(ONLY_NEW): value for key, value in fields.items() if new or not key.startswith(ONLY_NEW)
    }
