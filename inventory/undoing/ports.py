"""Local ports of web pages that undoing brings back: one that is another page's by now is given anew by the door."""

from __future__ import annotations

from dataclasses import replace

from inventory.models import Service, Site
from inventory.undoing.plan import Plan

NOUN, COLUMN = "service", "local_port"


def let_go(plan: Plan, site: Site) -> None:
    """Take out of *plan* the local ports that rows outside it have by now. One query, where it brings any back."""
    final = {key: values for key, values in plan.final().items() if key[0] == NOUN}
    wanted = {values[COLUMN] for values in final.values() if values} - {None}
    if not wanted:
        return
    rows = Service.objects.filter(site=site, local_port__in=wanted).values_list("pk", COLUMN)
    taken = {port for pk, port in rows if (NOUN, pk) not in final}
    for at, row in enumerate(plan.created):
        if row.noun.name == NOUN and (row.before or {}).get(COLUMN) in taken:
            plan.created[at] = replace(row, before={**(row.before or {}), COLUMN: None})
    for at, edit in enumerate(plan.edits):
        if edit.row.noun.name == NOUN and edit.columns.get(COLUMN, (None, None))[1] in taken:
            columns = {name: both for name, both in edit.columns.items() if name != COLUMN}
            plan.edits[at] = replace(edit, columns=columns)
    plan.edits[:] = [edit for edit in plan.edits if edit.columns]
