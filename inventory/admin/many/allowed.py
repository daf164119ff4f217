"""What the lines of a plan need: the permission for each noun and act, at the site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from inventory.document.plans import Entry
from inventory.document.text import Complaint
from inventory.models import Site
from inventory.permissions import may

#: What a plan calls a noun, where its model is called otherwise.
_MODELS = {
    "workload profile": "workloadprofile",
    "group nesting": "nesting",
    "assignment": "membership",
    "lowered severity": "severityoverride",
    "use of the emergency access": "emergencyuse",
    "place of kits": "kitplace",
    "zone serial": "site",
    "machine specification": "virtualmachine",
    "need": "hostneed",
}
_VERBS = {"create": "add", "change": "change", "retire": "change", "remove": "delete"}
#: as many rows are named
NAMED = 5


def lacking(user: Any, slug: str, entries: Iterable[Entry]) -> list[Complaint]:
    """One complaint for each permission that *entries* need and *user* has not at site *slug*."""
    site = Site.objects.filter(slug=slug).first()
    needed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in entries:
        if entry.action in _VERBS:
            needed[_VERBS[entry.action], entry.noun].append(entry.name)
    found = []
    for (verb, noun), names in sorted(needed.items()):
        permission = f"inventory.{verb}_{_MODELS.get(noun, noun)}"
        if site is None or not may(user, permission, site):
            told = ", ".join(names[:NAMED]) + (
                f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            )
            sentence = (
                f"You may not {verb} a {noun} at {slug} ({told}). Take it out, or ask who has {permission}."
            )
            found.append(Complaint("", 0, sentence))
    return found
