"""Who may not declare job templates declares no code by another way: variables that Ansible runs.

Asked by the door of every row that is written, whichever page, file or request it came from, an undo included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError

from inventory.automating import variables_that_run
from inventory.models import Declared, JobTemplate, KitPlace, Project, Schedule

#: who may add one decides over the code that runs at a site
PERMISSION = "inventory.add_jobtemplate"
#: what has a permission of its own, and answers to prompts, which are judged by their prompts
_JUDGED_ELSEWHERE = (JobTemplate, KitPlace, Project, Schedule)
#: the column whose keys are the names of Ansible's variables
_VARIABLES = "variables"


def problems(row: Declared) -> dict[str, list[str]]:
    """Field → sentences: the code that *row* would declare, and that its stored self does not declare yet."""
    if isinstance(row, _JUDGED_ELSEWHERE):
        return {}
    suspected = {name: value for name, value in _texts(row) if _told(name, {}, value)}
    if not suspected:
        return {}
    stored = type(row)._base_manager.filter(pk=row.pk).first() if row.pk else None
    told = {
        name: [
            variables_that_run.refusal(what, why) for what, why in _told(name, _before(stored, name), value)
        ]
        for name, value in suspected.items()
    }
    return {name: sentences for name, sentences in told.items() if sentences}


def refuse(row: Declared) -> None:
    """Raise ValidationError, by field, for what :func:`problems` tells."""
    if told := problems(row):
        shown = {name for name in told if type(row)._meta.get_field(name).editable}
        if shown == set(told):
            raise ValidationError(told)
        raise ValidationError([sentence for sentences in told.values() for sentence in sentences])


def _texts(row: Declared) -> Iterator[tuple[str, Any]]:
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if value and isinstance(value, str | dict | list):
            yield column.name, value


def _before(stored: Any, name: str) -> Any:
    return getattr(stored, name) if stored is not None else {}


def _told(name: str, before: Any, value: Any) -> list[tuple[str, str]]:
    """(what, why) of the code in the column *name*."""
    if name == _VARIABLES and isinstance(value, dict):
        return list(variables_that_run.added(before if isinstance(before, dict) else {}, value).items())
    why = variables_that_run.in_text(value) if value != before else ""
    return [(name, why)] if why else []
