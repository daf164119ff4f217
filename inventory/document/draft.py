"""A site as values on their way to the rows: names instead of ids, fields under the names of their columns."""

from __future__ import annotations

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
    proxmox: Fields | Left | None = Left.ALONE


@dataclass
class SiteDraft:
    """What a text form of a site says. Of the lists only those in ``nouns`` are said; the others are left alone.

    ``unnamed`` says what becomes of hosts, segments and groups that the draft no longer names: ``stay`` (an import) lists
    them as gone; ``leave`` (a whole document) retires hosts and removes the others.
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
    authorities: list[Fields] = field(default_factory=list)
    serials: dict[str, ZoneSerial] = field(default_factory=dict)
    identities: tuple[IdentityFacts, ...] = ()
    #: (kind, value) → who will claim it; what ``identities`` are held against
    claims: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    unnamed: Literal["stay", "leave"] = "stay"


def plain(fields: Fields, *, new: bool) -> Fields:
    """Column names without the mark of proposals; proposals only for new rows."""
    return {
        key.lstrip(ONLY_NEW): value for key, value in fields.items() if new or not key.startswith(ONLY_NEW)
    }
