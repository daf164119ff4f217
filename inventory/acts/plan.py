"""What an act would do, in full, before anything is done. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from inventory.acts.literals import Literal
from inventory.allocation.choosing import Refused
from inventory.references import Place, naming_any
from inventory.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Move:
    """One value that gives way to another; an empty one is nothing at all."""

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what} {self.old or 'none'} → {self.new or 'none'}"


@dataclass(frozen=True)
class Plan:
    """One act on one thing. ``draft`` is the site as it will be, without the quarantines that the act makes."""

    #: what it is called and what it is about, as people say it: “Rename”, “host pi02”
    act: str
    subject: str
    before: Snapshot
    draft: Snapshot
    moves: tuple[Move, ...] = ()
    #: what stays, or follows by itself
    follows: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    #: why it cannot be done; nothing is written while there is one
    problems: tuple[str, ...] = ()
    #: declared or opaque text that names an old value and stays as it is
    places: tuple[Place, ...] = ()
    #: where nobody can look
    sealed: tuple[Place, ...] = ()
    #: values in variables that are exactly an old value, and may be replaced too
    literals: tuple[Literal, ...] = ()
    #: keys of the literals that are replaced
    chosen: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def fingerprint(self) -> str:
        """The same as long as the act would do the same; what somebody else changed elsewhere does not matter."""
        said = (
            self.act,
            self.subject,
            self.moves,
            self.follows,
            self.warnings,
            self.problems,
            self.places,
            self.sealed,
            self.literals,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

    def refuse(self) -> None:
        """Raise Refused with every problem at once."""
        if self.problems:
            raise Refused(" ".join(self.problems))


class Changed(Exception):
    """The site has moved on: ``plan`` is what the act would do now. Nothing was written."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("The site has changed since; this is the plan now. Nothing was done yet.")
        self.plan = plan


def named_elsewhere(
    snapshot: Snapshot, values: Collection[str], own: Iterable[tuple[str, str]]
) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """Every place that names one of *values* beside *own* (subject, field), and what is sealed."""
    wanted = [value for value in values if value]
    if not wanted:
        return (), ()
    mine = set(own)
    found = naming_any(snapshot, wanted)
    open_places = [
        place
        for place in found
        if not place.sealed and (place.subject, place.where.split(".")[0]) not in mine
    ]
    return tuple(open_places), tuple(place for place in found if place.sealed)
