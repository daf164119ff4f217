"""Why something is done: the field ``why`` of the body, or the header Mgmtplane-Reason."""

from __future__ import annotations

import contextlib
from typing import Any

from rest_framework.request import Request

from inventory.api.v1.problems import FieldError, Problem, invalid

HEADER = "Mgmtplane-Reason"
LONGEST = 1000


def reason_of(request: Request) -> str:
    """Empty when none was given. Raises Problem (400) for what is no text."""
    body: Any = request.data
    named = _from_header(request)
    given = (body.get("why") if isinstance(body, dict) else None) or named
    if not isinstance(given, str):
        raise invalid([FieldError("why", "Write the reason as text.")])
    if max(len(given), len(named)) > LONGEST:
        raise invalid([FieldError("why", f"Say it in at most {LONGEST} characters.")])
    return given.strip()


def required_reason(request: Request, what: str) -> str:
    """Raise Problem (400) when there is none; *what* stays undone."""
    why = reason_of(request)
    if not why:
        sentence = f"Say why, as “why” in the body or as the header {HEADER}; {what}."
        raise invalid([FieldError("why", sentence)])
    return why


def _from_header(request: Request) -> str:
    """Servers hand headers on as Latin-1; people write UTF-8."""
    text = request.headers.get(HEADER, "")
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    if any(ord(character) < 32 and character != "\t" for character in text):
        raise Problem(400, f"The header {HEADER} holds a control character.")
    return text
