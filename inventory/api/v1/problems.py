"""How ``/api/v1/`` says no: RFC 9457 problem details, with the path of each field that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db.models import RestrictedError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from inventory.allocation import Refused as NothingHandedOut
from inventory.api.answers import Refused, refusal_of, unshared
from inventory.copying.copies import ReadOnly
from inventory.ledger import Contested

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: ``interfaces.0.mac``; an empty path is the object as a whole."""

    field: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "message": self.message}


class Problem(Exception):
    """The request is not done; ``detail`` names the rule and the way out."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, tuple(errors), headers or {}

    def answer(self) -> HttpResponse:
        told: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            told["errors"] = [error.as_dict() for error in self.errors]
        text = json.dumps(told, ensure_ascii=False)
        response = HttpResponse(
            text.encode("utf-8", "backslashreplace"), status=self.status, content_type=CONTENT_TYPE
        )
        for name, value in self.headers.items():
            response[name] = value
        return unshared(response)


def invalid(errors: Sequence[FieldError]) -> Problem:
    """400, with everything that is wrong at once."""
    count = len(errors)
    what = "One thing in the request is" if count == 1 else f"{count} things in the request are"
    return Problem(400, f"{what} wrong; nothing was changed.", errors)


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """What Django REST framework calls with whatever a view raised."""
    request = context.get("request")
    return problem_of(error, getattr(request, "_full_data", None)).answer()


def problem_of(error: Exception, body: Any = None) -> Problem:
    """The problem that *error* is; *body*, when there was one, shows which of its fields a sentence is about."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Contested):
        return Problem(
            409,
            "Somebody else has what was asked for; nothing was changed.",
            [FieldError(path_of(body, message), message) for message in error.messages],
        )
    if isinstance(error, ReadOnly):
        return Problem(409, " ".join(error.messages))
    if isinstance(error, ValidationError):
        if isinstance(error.__cause__, RestrictedError):
            return Problem(409, " ".join(error.messages))
        return invalid(list(errors_of(error)))
    if isinstance(error, NothingHandedOut):
        return Problem(409, str(error))
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return Problem(404, str(error) or "There is nothing here, or you may not see it.")
    if isinstance(error, DjangoPermissionDenied):
        return Problem(403, str(error) or "This is not allowed.")
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "The body is larger than this application takes; send less at once.")
    if isinstance(error, SuspiciousOperation):
        return Problem(400, str(error) or "The request cannot be read.")
    refusal: Refused = refusal_of(error)
    return Problem(refusal.status, refusal.sentence, headers=refusal.headers)


def _of_framework(error: exceptions.APIException) -> Problem:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.ValidationError):
        return invalid(list(_flat(error.detail)))
    detail = (
        error.detail if isinstance(error.detail, str) else " ".join(e.message for e in _flat(error.detail))
    )
    return Problem(error.status_code, str(detail), headers=headers)


def _flat(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Django REST framework's nested errors with their paths."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            own = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            yield from _flat(inner, own)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            deeper = isinstance(inner, dict | list)
            yield from _flat(inner, f"{path}.{number}" if deeper and path else path)
    elif detail:
        yield FieldError(path, str(detail))


def errors_of(error: ValidationError, path: str = "") -> Iterator[FieldError]:
    """A model's errors, by field below *path*."""
    if not hasattr(error, "error_dict"):
        yield from (FieldError(path, message) for message in error.messages)
        return
    for name, messages in error.message_dict.items():
        own = path if name == NON_FIELD_ERRORS else f"{path}.{name}" if path else name
        yield from (FieldError(own, message) for message in messages)


def path_of(body: Any, message: str, path: str = "") -> str:
    """Where in *body* the value stands with which the sentence begins; empty when nowhere."""
    items: Any = ()
    if isinstance(body, dict):
        items = body.items()
    elif isinstance(body, list):
        items = enumerate(body)
    elif isinstance(body, str | int) and not isinstance(body, bool):
        value = str(body).lower()
        return (
            path
            if value and message.lower().replace("-", ":").startswith(f"{value.replace('-', ':')} ")
            else ""
        )
    for key, inner in items:
        if found := path_of(inner, message, f"{path}.{key}" if path else str(key)):
            return found
    return ""
