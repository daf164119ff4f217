"""Severities that a site's people lowered for a while, with a reason. Pure.

An override names a finding, and perhaps one subject. It only ever lowers, and only until its day has passed. What an
override itself has to say (it is over, it lowers nothing) is a finding too, and cannot be lowered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from inventory.findings import SEVERITIES, Finding
from inventory.snapshot import OverrideFacts

#: Ids that are about lowering itself.
OWN = frozenset({"override-expired", "override-idle"})


def lowered(findings: Iterable[Finding], overrides: Sequence[OverrideFacts], today: date) -> list[Finding]:
    """*findings* as the site's people want to see them on *today*, and what is to be said of the overrides."""
    found = list(dict.fromkeys(findings))
    if not overrides:
        return found
    in_force = [override for override in overrides if not is_over(override, today)]
    # who names the subject is more precise than who does not
    by_target = {(override.finding, override.subject): override for override in in_force}
    useful: set[OverrideFacts] = set()
    shown = []
    for finding in found:
        override = by_target.get((finding.id, finding.subject)) or by_target.get((finding.id, ""))
        if override is not None and lowers(override, finding):
            useful.add(override)
            finding = _lower(finding, override)
        shown.append(finding)
    return [*shown, *_about(overrides, found, useful, today)]


def is_over(override: OverrideFacts, today: date) -> bool:
    """True from the day after the one it names; that day itself still counts."""
    return date.fromisoformat(override.expires) < today


def lowers(override: OverrideFacts, finding: Finding) -> bool:
    return SEVERITIES.index(override.severity) > SEVERITIES.index(finding.severity)


def matches(override: OverrideFacts, finding: Finding) -> bool:
    return override.finding == finding.id and override.subject in ("", finding.subject)


def _lower(finding: Finding, override: OverrideFacts) -> Finding:
    return replace(
        finding,
        severity=override.severity,
        lowered_from=finding.severity,
        lowered_because=override.why,
        lowered_until=override.expires,
    )


def _about(
    overrides: Sequence[OverrideFacts], found: list[Finding], useful: set[OverrideFacts], today: date
) -> Iterator[Finding]:
    for override in overrides:
        meant = [finding for finding in found if matches(override, finding)]
        subject = f"override {override.finding} {override.subject}".strip()
        if is_over(override, today):
            again = (
                f"what it lowered ({len(meant)}) is as severe as before"
                if meant
                else "nothing is left to lower"
            )
            yield Finding(
                "override-expired",
                "warning" if meant else "info",
                subject,
                f"was lowered to {override.severity} until {override.expires} (“{override.why}”); {again}.",
                "Repair what it speaks of and delete it, or say why it may last longer.",
            )
        elif override not in useful:
            yield Finding(
                "override-idle", "info", subject, _idle(override, meant), "Delete it, or correct its target."
            )


def _idle(override: OverrideFacts, meant: list[Finding]) -> str:
    if not meant:
        return "lowers what is not found any more; it would hide the finding if it came back."
    if override.subject == "" or any(not lowers(override, finding) for finding in meant):
        return f"lowers nothing: what it names is {meant[0].severity} anyhow, or lowered one by one."
    return "lowers nothing."
