"""JSON that stays text until somebody looks: ten thousand hosts would fill memory with dictionaries. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

#: Text that only the slow reader understands (numbers beyond 64 bits, lone surrogates) begins with a blank.
SLOW = " "


def to_text(value: Any) -> str:
    """JSON text that keeps the order of keys."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return SLOW + json.dumps(value, separators=(",", ":"))


def from_text(text: str) -> Any:
    """The value of JSON *text* as :func:`to_text` wrote it, a new object each time."""
    if text == "{}":
        return {}
    return json.loads(text) if text.startswith(SLOW) else orjson.loads(text)


class Packed(Mapping[str, Any]):
    """A read-only mapping over its JSON text; what it returns is shared, so treat it as read-only too."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __getitem__(self, key: str) -> Any:
        return _unpacked(self.text)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_unpacked(self.text))

    def __bool__(self) -> bool:
        return self.text.strip() != "{}"

    def __len__(self) -> int:
        return len(_unpacked(self.text))

    def __contains__(self, key: object) -> bool:
        return key in _unpacked(self.text)

    def get(self, key: str, default: Any = None) -> Any:
        return _unpacked(self.text).get(key, default)

    def items(self) -> Any:
        return _unpacked(self.text).items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Packed):
            return self.text == other.text
        return isinstance(other, Mapping) and _unpacked(self.text) == dict(other)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Packed({self.text!r})"


EMPTY = Packed("{}")


@lru_cache(maxsize=512)
def _unpacked(text: str) -> dict[str, Any]:
    value: dict[str, Any] = from_text(text)
    return value


def packed(text: str | None) -> Packed:
    return EMPTY if text in (None, "{}") else Packed(text)
