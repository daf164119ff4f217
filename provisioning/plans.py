"""What a job is going to do: sorted, counted lines with a fingerprint. Pure.

A confirmation carries the fingerprint of the plan that was shown; what is carried out is that plan or nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ADD, CHANGE, REMOVE, RUN = "add", "change", "remove", "run"
ACTS = (ADD, CHANGE, REMOVE, RUN)
#: as a line begins
SIGNS = {ADD: "+", CHANGE: "~", REMOVE: "-", RUN: ">"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is done: to what, and how it is before and after."""

    act: str
    subject: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.act not in ACTS:
            raise ValueError(f"{self.act!r} is no act; there are {', '.join(ACTS)}")

    @property
    def sign(self) -> str:
        return SIGNS[self.act]

    @property
    def key(self) -> tuple[int, str, str]:
        return ACTS.index(self.act), self.subject, self.detail

    def __str__(self) -> str:
        return f"{self.sign} {self.subject}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """Lines in one order whatever order they came in; ``problems`` forbid it, ``warnings`` do not.

    Lines of the act ``run`` keep the order in which they were given, before them stand the others.
    """

    lines: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    fingerprint: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        steps = [line for line in self.lines if line.act == RUN]
        others = sorted((line for line in self.lines if line.act != RUN), key=lambda line: line.key)
        object.__setattr__(self, "lines", (*others, *steps))
        object.__setattr__(self, "problems", tuple(sorted(self.problems)))
        object.__setattr__(self, "warnings", tuple(sorted(self.warnings)))
        object.__setattr__(self, "fingerprint", _digest(self.as_dict()))

    @property
    def counts(self) -> dict[str, int]:
        """How many lines of each act; acts that do not occur are left out."""
        found = {act: sum(line.act == act for line in self.lines) for act in ACTS}
        return {act: number for act, number in found.items() if number}

    @property
    def summary(self) -> str:
        """Such as “2 to add, 1 to remove, 4 to run”."""
        nothing = "it cannot be done as things are" if self.problems else "nothing to do"
        return ", ".join(f"{number} to {act}" for act, number in self.counts.items()) or nothing

    def is_rest_of(self, whole: Plan) -> bool:
        """Whether nothing is done here that *whole* does not do as well."""
        return not self.problems and set(self.lines) <= set(whole.lines)

    def as_dict(self) -> dict[str, Any]:
        """JSON that ``from_dict`` reads again."""
        return {
            "lines": [[line.act, line.subject, line.detail] for line in self.lines],
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Plan:
        return cls(
            tuple(Line(*one) for one in given.get("lines", ())),
            tuple(given.get("problems", ())),
            tuple(given.get("warnings", ())),
        )


def moved(before: Plan, after: Plan) -> tuple[str, ...]:
    """What is in one of two plans alone, in words; empty when they say the same."""
    said = [*_surplus(before.lines, after.lines, "no longer"), *_surplus(after.lines, before.lines, "now")]
    for kind in ("problems", "warnings"):
        old, new = getattr(before, kind), getattr(after, kind)
        said += _surplus(old, new, f"no {kind[:-1]} any more")
        said += _surplus(new, old, f"a new {kind[:-1]}")
    return tuple(said)


def _surplus(mine: Iterable[Any], others: Iterable[Any], word: str) -> list[str]:
    known = set(others)
    return [f"{word}: {one}" for one in mine if one not in known]


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
