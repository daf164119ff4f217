"""What applying a draft would do, line by line."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["create", "change", "retire", "remove", "gone", "unchanged"]
#: What each action is called once it is done.
DONE: dict[str, str] = {
    "create": "created",
    "change": "changed",
    "retire": "retired",
    "remove": "removed",
    "gone": "gone",
    "unchanged": "unchanged",
}
WRITES = frozenset({"create", "change", "retire", "remove"})


@dataclass(frozen=True, order=True)
class Entry:
    """One line of a plan. *details* name the fields that change, with old and new where they are short and plain."""

    noun: str
    name: str
    action: Action
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = f": {', '.join(self.details)}" if self.details else ""
        return f"{self.action} {self.noun} {self.name}{more}"


@dataclass
class Plan:
    entries: list[Entry]
    revision: int
    slug: str = ""
    #: what people should know though nothing is done about it
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(entry.action in WRITES for entry in self.entries)

    def counts(self) -> dict[str, Counter[str]]:
        """noun → action → number."""
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for entry in self.entries:
            counted[entry.noun][entry.action] += 1
        return dict(counted)


def told(plan: Plan, *, applied: bool, verbose: bool) -> list[str]:
    """The plan for people: counts a noun, then the lines; what stays as it is only when *verbose*."""
    lines = [
        f"{noun}: "
        + ", ".join(f"{n} {DONE[action] if applied else action}" for action, n in sorted(counted.items()))
        for noun, counted in plan.counts().items()
    ]
    return lines + [str(entry) for entry in plan.entries if entry.action != "unchanged" or verbose]
