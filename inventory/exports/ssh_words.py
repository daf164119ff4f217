"""What the plan of the ways in is made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from inventory.findings import Finding


@dataclass(frozen=True, slots=True)
class Forward:
    local: int
    #: the host's label, where it is one of the site's; else empty
    label: str
    #: a name or an address, as declared
    to: str
    port: int


@dataclass(frozen=True, slots=True)
class Way:
    user: str = ""
    port: int = 0
    identity: str = ""
    #: the label of a host, ``none``, or empty
    jump: str = ""
    forward: tuple[Forward, ...] = ()
    #: path of a file with host keys
    known_hosts: str = ""
    #: of the second way alone
    address: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    host: str
    label: str
    #: empty where DNS does not have the name
    fqdn: str
    #: the primary interface's first
    addresses: tuple[str, ...]
    #: to its name and to the first of its addresses
    way: Way = Way()
    second: Way | None = None
    #: by address, not across the access switch
    alternative: Way | None = None
    #: whether somebody recorded its host keys
    is_known: bool = False
    #: (way, addresses): each of its addresses once
    by_address: tuple[tuple[Way, tuple[str, ...]], ...] = ()
    #: (way, names): further names in DNS (services, interfaces) that the site's way does not lead to
    by_name: tuple[tuple[Way, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class WebPage:
    """What a person opens in a browser once a tunnel is there."""

    title: str
    scheme: str
    forward: Forward


@dataclass
class SshPlan:
    zone: str
    entries: tuple[Entry, ...]
    default: Way
    #: (way in, ``192.0.2.*`` for networks that end at an octet); narrow ones first, since the first that fits counts
    patterns: tuple[tuple[Way, tuple[str, ...]], ...]
    findings: tuple[Finding, ...]
    #: label of a host → web pages that tunnels through it lead to
    pages: dict[str, tuple[WebPage, ...]] = field(default_factory=dict)
    by_label: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_label = {entry.label: entry for entry in self.entries}

    @property
    def labels(self) -> dict[str, Entry]:
        return self.by_label
