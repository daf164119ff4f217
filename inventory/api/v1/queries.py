"""Query strings: a misspelt filter is refused, for ignored it would answer with everything."""

from __future__ import annotations

import difflib
from typing import Any

from rest_framework.request import Request

from inventory.api.v1.problems import FieldError, invalid

LISTING = ("limit", "offset", "search", "ordering")


def refuse_unknown(request: Request, view: Any) -> None:
    """Raise Problem (400) for parameters that the operation does not know, with NUL, or said twice."""
    known = _known(view)
    errors = []
    for name, values in request.query_params.lists():
        shown = name.replace("\0", "\\0")[:60]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known)) or 'none'}."
            errors.append(FieldError(shown, f"There is no parameter “{shown}” here; {hint}"))
        elif len(values) > 1:
            errors.append(FieldError(shown, f"?{shown}= is said {len(values)} times; say it once."))
        elif not values[0].strip():
            errors.append(FieldError(shown, f"?{shown}= is empty, which narrows nothing; leave it out."))
        elif "\0" in values[0]:
            errors.append(FieldError(shown, f"?{shown}= holds a NUL character."))
    if errors:
        raise invalid(errors)


def _known(view: Any) -> tuple[str, ...]:
    action = getattr(view, "action", None)
    own: tuple[str, ...] = tuple(getattr(getattr(view, action, None) if action else view, "parameters", ()))
    if action != "list":
        return own
    filters = getattr(view, "filterset_class", None)
    listing = [name for name in LISTING if name != "search" or view.search_in]
    return (*listing, *(filters.base_filters if filters else ()))
