"""The shape of an answer: the same for a page, a shell and the API. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from inventory.references import Place

Kind = Literal["name", "address", "mac", "vmid", "vlan", "text"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of the ledger: who has or had a value, since when, until when (ISO 8601)."""

    kind: str
    value: str
    state: str
    host: str
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """Something declared that the value belongs to. ``subject`` as in findings: ``host pi01``."""

    subject: str
    #: what the value is to it: “its name”, “address of eth0, static, in segment management”
    role: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What goes out about it: by which authority, from which plan."""

    what: Literal["DNS record", "DHCP reservation", "Ansible inventory", "left out"]
    text: str
    #: for which authority; empty: the same for both
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Touched:
    """A change that wrote a host of the answer."""

    revision: int
    at: str
    by: str
    why: str


@dataclass(frozen=True)
class Answer:
    """Everything that one site knows of what was asked. ``is_known`` is false when that is nothing."""

    site: str
    asked: str
    kind: Kind
    #: canonical: lower-case MAC with colons, shortest address, absolute name without the final dot
    value: str
    #: what it is by its place or its form alone: “free; static range of segment management”
    says: tuple[str, ...] = ()
    declared: tuple[Declared, ...] = ()
    claims: tuple[Claim, ...] = ()
    exported: tuple[Exported, ...] = ()
    changes: tuple[Touched, ...] = ()
    references: tuple[Place, ...] = ()
    #: names that look alike, when nothing is known
    near: tuple[str, ...] = field(default_factory=tuple)
    #: hosts that the answer is about, by name
    hosts: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        return bool(self.declared or self.claims or self.exported or self.references)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in the order of this class."""
        return {**asdict(self), "is_known": self.is_known}
