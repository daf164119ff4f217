"""What a job lacks: secrets that a person enters. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: before the name of what a template's prompt asks for: ``unlock:NAME`` has no colon, and so never means the same
PROMPT = "prompt:"


@dataclass(frozen=True, slots=True)
class Need:
    """A secret by the scope and the name under which the keeper holds it; *label* is what a person reads.

    A *key* has lines, and is entered into a field that takes them. *least* and *most* are characters.
    """

    scope: str
    name: str
    label: str = ""
    key: bool = False
    least: int | None = None
    most: int | None = None

    @property
    def said(self) -> str:
        return self.label or self.name

    def as_dict(self) -> dict[str, Any]:
        bounds = {"least": self.least, "most": self.most}
        said = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"scope": self.scope, "name": self.name, "label": self.label, "key": self.key, **said}

    def problem(self, value: str) -> str:
        """Why *value* is too short or too long for it; empty: it is neither. Says nothing of the value but its length."""
        if self.least is not None and len(value) < self.least:
            return f"{self.said} has {self.least} characters or more."
        if self.most is not None and len(value) > self.most:
            return f"{self.said} has {self.most} characters at most."
        return ""

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Need:
        return cls(
            str(found["scope"]),
            str(found["name"]),
            str(found.get("label", "")),
            bool(found.get("key", False)),
            found.get("least"),
            found.get("most"),
        )


#: what is held: (scope, name)
Held = Collection[tuple[str, str]]


def lacking(needs: Iterable[Need], own: str, held: Held) -> list[Need]:
    """Those of *needs* that are held neither in their scope nor in *own*, the scope of the job itself."""
    return [need for need in needs if (need.scope, need.name) not in held and (own, need.name) not in held]
