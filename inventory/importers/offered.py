"""What a person pasted or uploaded for one site, planned and applied, whatever its form.

``part``: a part of a site document; ``whole``: all of it, so that what it leaves out is retired or removed; else the
name of a table (``hosts``), or nothing: then the text itself tells.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from inventory.document import amending, declaring
from inventory.document.amending import Amended
from inventory.document.places import path_of_entry
from inventory.document.plans import Entry, Plan
from inventory.document.text import Complaint
from inventory.findings import Finding
from inventory.importers import csv as tables
from inventory.importers import part
from inventory.reading import load
from inventory.snapshot import Snapshot

PART, WHOLE = "part", "whole"
KINDS = (*tables.TABLES, PART, WHOLE)
#: Complains of what the person may not do at a site.
Allowed = Callable[[str, Iterable[Entry]], Iterable[Complaint]]

_KEYS = ("mgmtplane", "site", "hosts", "segments", "groups", "profiles", "roles", "facts", "aliases")
_YAML = re.compile(rf"(?:---|(?:{'|'.join(_KEYS)})[ \t]*:(?:[ \t{{]|$))")


class Moved(Exception):
    """The plan is another one by now."""

    def __init__(self, now: Outcome) -> None:
        super().__init__("the plan is another one by now")
        self.now = now


@dataclass
class Outcome:
    """What it would do, or did."""

    plan: Plan
    complaints: list[Complaint] = field(default_factory=list)
    fingerprint: str = ""
    #: noun → how many of those that are named stay as they are
    unchanged: Counter[str] = field(default_factory=Counter)
    new_findings: list[Finding] = field(default_factory=list)
    settled_findings: list[Finding] = field(default_factory=list)
    #: line of the text for each line of the plan; 0: none
    lines: dict[Entry, int] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry in self.plan.entries if entry.action not in ("unchanged", "gone")]

    @property
    def may_be_applied(self) -> bool:
        return not self.complaints and not self.plan.is_empty


@dataclass(frozen=True)
class Offered:
    slug: str
    content: bytes
    file: str = "pasted"
    kind: str = ""
    ignore_unknown: bool = False

    @property
    def meant(self) -> str:
        """The kind, or what the text looks like: ``part`` for YAML, else empty for a table of whatever its header says."""
        return self.kind or (PART if looks_like_yaml(self.content) else "")

    def plan(self) -> Outcome:
        """Writes nothing. Raises reading.UnknownSite."""
        if self.meant != WHOLE:
            (found,) = amending.plan({self.slug: self._patch})
            return _outcome(found, judged=True)
        if foreign := self._foreign():
            return _refused(self.slug, foreign)
        try:
            (done,) = declaring.declare(self.content, self.file, source="admin")
        except declaring.Refused as refused:
            return _refused(self.slug, refused.complaints)
        return self._declared(done)

    def apply(self, *, seen: str, by: Any, why: str, allowed: Allowed) -> Outcome:
        """In one change, if the plan is what was *seen*. Raises Moved or declaring.Refused, with nothing stored."""
        if self.meant != WHOLE:
            try:
                (found,) = amending.amend(
                    {self.slug: self._patch},
                    seen=seen,
                    by=by,
                    why=why,
                    allowed=lambda one: allowed(self.slug, one.entries),
                )
            except amending.Moved as moved:
                raise Moved(_outcome(moved.now[0], judged=True)) from None
            return _outcome(found, judged=False)
        if foreign := self._foreign():
            raise declaring.Refused(foreign)

        def confirm(found: list[declaring.Declared]) -> None:
            now = self._declared(found[0])
            if now.fingerprint != seen:
                raise Moved(now)
            if complaints := list(allowed(self.slug, now.entries)):
                raise declaring.Refused(complaints)

        (done,) = declaring.declare(
            self.content, self.file, apply=True, by=by, why=why, source="admin", confirm=confirm
        )
        return self._declared(done)

    def _patch(self, stored: Snapshot) -> Any:
        if self.meant == PART:
            return part.read(self.content, self.file, stored)
        return tables.read(
            self.content, self.file, stored, noun=self.meant, ignore_unknown=self.ignore_unknown
        )

    def _foreign(self) -> list[Complaint]:
        """A document of another site, or of several, is not imported here."""
        documents, _ = declaring.text.read(self.content, self.file)
        return [
            Complaint(
                self.file,
                one.line("site"),
                f"the document is of site {one.slug}; this imports into {self.slug}. Take it out, or import it there.",
            )
            for one in documents
            if one.slug != self.slug
        ]

    def _declared(self, done: declaring.Declared) -> Outcome:
        plan = done.plan
        stays = Counter(entry.noun for entry in plan.entries if entry.action == "unchanged")
        told = "\n".join([load(self.slug).site.uid, str(plan.revision), *map(str, plan.entries)])
        fingerprint = hashlib.sha256(told.encode("utf-8", "surrogatepass") + self.content).hexdigest()
        return Outcome(
            plan,
            fingerprint=fingerprint,
            unchanged=stays,
            new_findings=list(done.new_findings),
            settled_findings=list(done.settled_findings),
        )


def looks_like_yaml(content: bytes) -> bool:
    text = content[:4_000].decode("utf-8", "replace").lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return bool(_YAML.match(first))


def _refused(slug: str, complaints: Iterable[Complaint]) -> Outcome:
    return Outcome(Plan([], 0, slug), list(complaints))


def _outcome(found: Amended, *, judged: bool) -> Outcome:
    new, settled = found.findings() if judged else ([], [])
    wrong = {path[:2] for path in found.patch.wrong}
    found.plan.entries = [entry for entry in found.entries if path_of_entry(entry)[:2] not in wrong]
    return Outcome(
        found.plan,
        found.complaints,
        amending.fingerprint_of([found]),
        found.unchanged,
        new,
        settled,
        {entry: found.line_of(entry) for entry in found.entries},
    )
