"""A preview as lines of text, for a shell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inventory.differences import as_text, readable
from inventory.packed import from_text
from inventory.undoing.plan import Edit
from inventory.undoing.undo import NOTHING_LEFT, Preview

#: an import may have written twenty thousand rows
MOST = 200


def lines(found: Preview) -> Iterator[str]:
    yield f"site {found.site}:"
    for refusal in found.refusals:
        yield f"    cannot: {refusal.sentence}"
    if found.plan.is_empty and not found.refusals:
        yield f"    {NOTHING_LEFT}"
    told = list(_moves(found))
    yield from told[:MOST]
    if len(told) > MOST:
        yield f"    and {len(told) - MOST} more rows"
    for finding in found.new_findings:
        yield f"    new finding: {finding.severity}: {finding.message}"
    for finding in found.settled_findings:
        yield f"    finding that goes: {finding.severity}: {finding.message}"
    for effect in found.effects:
        yield f"    export {effect.format} changes: {effect.path} +{len(effect.added)} -{len(effect.removed)}"
    for reader in found.readers:
        at = f" at {reader.at:%Y-%m-%d %H:%M} UTC" if reader.at else ""
        yield f"    read already: {reader}{at}"


def _moves(found: Preview) -> Iterator[str]:
    for row in found.plan.created:
        yield f"    + {row}"
    for row in found.plan.deleted:
        yield f"    - {row}"
    for edit in found.plan.edits:
        yield f"    ~ {edit.row}: " + "; ".join(_edited(edit))


def _edited(edit: Edit) -> Iterator[str]:
    noun = edit.row.noun
    for name, (now, then) in edit.columns.items():
        if name not in noun.internal:
            old, new = (_text(name, value, name in noun.json) for value in (now, then))
            yield f"{noun.labels.get(name, name)} {old} → {new}"


def _text(name: str, value: Any, is_json: bool) -> str:
    if value in (None, ""):
        return "empty"
    text = as_text(from_text(value), name) if is_json else str(readable(value, name))
    return text.replace("\n", " / ") or "empty"
