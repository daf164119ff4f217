"""What the rows' own validators say of many rows at once: a few queries, not several for each row.

``full_clean()`` asks the database for the stored row, for each relative and for each constraint. This fetches the stored
rows and the relatives of all of them together; beyond :data:`ONE_BY_ONE` rows the constraints are left to the database,
which has the last word anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from inventory.models import Declared

#: Up to here each constraint is asked before the database is, so that its sentence comes with the row's name.
ONE_BY_ONE = 100

Verdict = tuple[Any, str, str]  # row, field or "", sentence


def verdicts(rows: Sequence[Declared], *, ask_constraints: bool = True) -> Iterator[Verdict]:
    """Everything that a person may not say in *rows*, all of one model, stored or not. Canonical forms are set.

    The constraints know the other rows as they are stored: who plans to change several at once does not ask them.
    """
    if not rows:
        return
    model: Any = type(rows[0])
    _introduce_relatives(model, rows)
    stored = model._base_manager.in_bulk([row.pk for row in rows if row.pk])
    asked = ask_constraints and len(rows) <= ONE_BY_ONE
    for row in rows:
        row._stored = stored.get(row.pk)
        for field, messages in _judged(row, ask_constraints=asked).items():
            for message in messages:
                yield row, "" if field == NON_FIELD_ERRORS else field, message


def _judged(row: Any, *, ask_constraints: bool) -> dict[str, list[str]]:
    """As ``full_clean()``: every problem at once."""
    problems: dict[str, Any] = {}
    known = {column.name for column in row._meta.concrete_fields if _has_relative(row, column)}
    steps = [lambda: row.clean_fields(exclude=known), row.clean]
    if ask_constraints:
        steps += [lambda: row.validate_unique(exclude=set(problems) - {NON_FIELD_ERRORS})]
        steps += [lambda: row.validate_constraints(exclude=set(problems) - {NON_FIELD_ERRORS})]
    for step in steps:
        try:
            step()
        except ValidationError as error:
            problems = error.update_error_dict(problems)
    return ValidationError(problems).message_dict if problems else {}


def _has_relative(row: Any, column: Any) -> bool:
    """Whether the row that *column* refers to is at hand: then nobody need be asked whether it exists."""
    return bool(column.is_relation and column.is_cached(row) and getattr(row, column.name) is not None)


def _introduce_relatives(model: Any, rows: Sequence[Any]) -> None:
    for column in model._meta.concrete_fields:
        if not column.is_relation:
            continue
        strangers = [row for row in rows if getattr(row, column.attname) and not column.is_cached(row)]
        wanted = {getattr(row, column.attname) for row in strangers}
        found = column.related_model._base_manager.in_bulk(wanted) if wanted else {}
        for row in strangers:
            if relative := found.get(getattr(row, column.attname)):
                setattr(row, column.name, relative)
