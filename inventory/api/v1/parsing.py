"""JSON as programs should send it: one object, each key once, numbers and text that every database can keep."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from inventory.api.v1.problems import FieldError, Problem, invalid

#: deeper than anybody's variables, and shallower than what breaks those who read them
DEEPEST = 50
#: whole numbers beyond are read differently by different programs
LARGEST = 2**63 - 1
#: so many faults are told; the answer must not be larger than what was sent
MOST_TOLD = 100


class StrictJSONParser(BaseParser):
    """Raises Problem: 400 in words, or 413."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise Problem(413, f"The body is larger than {most} bytes; send less at once.")
        if parser_context:  # as it came, for who compares two requests
            parser_context["request"].raw = body
        value = _read(body)
        if not isinstance(value, dict):
            raise Problem(400, 'The body is no JSON object; send one such as {"name": "pi01"}.')
        if errors := list(itertools.islice(_faults(value, "", 1), MOST_TOLD)):
            raise invalid(errors)
        return value


def _read(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise Problem(400, f"The body is no UTF-8: byte {error.start} begins no character.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"The body is no JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise Problem(400, f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:  # thousands of digits, or a key twice
        raise Problem(400, f"The body cannot be read: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, number in counted.items() if number > 1)
        raise ValueError(f"the key “{_shown(twice)}” stands twice in one object; say it once.")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON.")


def _faults(value: Any, path: str, depth: int) -> Iterator[FieldError]:
    if depth > DEEPEST:
        yield FieldError(path, f"This is nested deeper than {DEEPEST} levels.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            own = f"{path}.{_shown(key)}" if path else _shown(key)
            if problem := _fault_of_text(key):
                yield FieldError(own, f"The key {problem}")
            yield from _faults(inner, own, depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _faults(inner, f"{path}.{number}", depth + 1)
    elif isinstance(value, str):
        if problem := _fault_of_text(value):
            yield FieldError(path, f"The text {problem}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldError(path, "The number is too large.")
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield FieldError(path, f"The number is beyond {LARGEST}.")


def _fault_of_text(text: str) -> str:
    if "\0" in text:
        return "holds a NUL character, which no database keeps."
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds half of a surrogate pair, which is no character."
    return ""


def _shown(text: str) -> str:
    return text[:60].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
