"""What differs between two copies of the application, in sentences. Pure.

Each site is ``{"revision": …, "exports": {name: digest}, "next": {question: answer}}``, as ``measuring`` finds it and the
manifest of a backup keeps it. What one side does not say (an older archive, a site that went on while it was made) is not
compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Site = Mapping[str, Any]
#: the question whose answer depends on what surveys have seen
SURVEYED = "vmid surveyed"
#: what stands before the kind of error in place of the digest of an export that cannot be made
REFUSED = "REFUSED: "
#: what a sentence about a table has
ROWS = " rows instead of "


def differing(slug: str, expected: Site, found: Site) -> list[str]:
    """A sentence for each export and each next identity of the site that is not what was *expected*."""
    return [*_exports(slug, expected, found), *_next(slug, expected, found)]


def _exports(slug: str, expected: Site, found: Site) -> list[str]:
    told = found.get("exports", {})
    return [
        f"The export {name} of {slug} is not what it was."
        for name, digest in expected.get("exports", {}).items()
        if told.get(name) != digest
    ]


def uncompared(slug: str, expected: Site, found: Site) -> list[str]:
    """A sentence where no export of the site is compared, or where some are not since they could not be made."""
    exports = expected.get("exports", {})
    if not exports and found.get("exports"):
        return [f"No export of {slug} was compared: the backup says nothing of them."]
    if refused := refusals(exports):
        return [f"Of {slug} these exports were not compared, since they could not be made: {refused}."]
    return []


def refusals(exports: Mapping[str, str]) -> str:
    """Those of *exports* that could not be made, each with the kind of error."""
    found = {name: digest for name, digest in exports.items() if digest.startswith(REFUSED)}
    return ", ".join(f"{name} ({digest.removeprefix(REFUSED)})" for name, digest in sorted(found.items()))


def of_text(site: Site) -> Site:
    """What can be expected of a site that was declared from its document: what surveys saw is not in it."""
    return {**site, "next": {key: value for key, value in site.get("next", {}).items() if key != SURVEYED}}


def _next(slug: str, expected: Site, found: Site) -> list[str]:
    told = found.get("next", {})
    return [
        f"The next {question} of {slug} is {told.get(question) or 'none'} instead of {answer or 'none'}."
        for question, answer in expected.get("next", {}).items()
        if (told.get(question) or "") != answer
    ]


def miscounted(expected: Mapping[str, int], found: Mapping[str, int]) -> list[str]:
    """A sentence for each table that has not as many rows as *expected*."""
    return [
        f"{label} has {found.get(label, 0)}{ROWS}{number}."
        for label, number in sorted(expected.items())
        if found.get(label, 0) != number
    ]


def numbers(expected: Mapping[str, Any]) -> dict[str, int]:
    """How much there is to compare: ``rows``, ``tables``, ``sites``, ``exports``, ``identities``."""
    sites = expected["sites"].values()
    return {
        "rows": sum(expected["rows"].values()),
        "tables": len(expected["rows"]),
        "sites": len(expected["sites"]),
        "exports": sum(
            not digest.startswith(REFUSED) for site in sites for digest in site.get("exports", {}).values()
        ),
        "identities": sum(len(site.get("next", {})) for site in sites),
    }
