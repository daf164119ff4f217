"""Values without what is sealed and what looks like a secret in plain: for pages that many people look at. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.secret_signs import secrets_in

SEALED = "(sealed)"
HIDDEN = "(looks like a secret in plain; not shown here)"


def masked(key: str, value: Any) -> Any:
    """The *value* of variable *key* with a word in the place of each secret."""
    hidden = {path for path, _ in secrets_in("", {key: value})}
    return _masked(value, f".{key}", hidden)


def _masked(value: Any, path: str, hidden: set[str]) -> Any:
    if path in hidden:
        return HIDDEN
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            return SEALED
        return {name: _masked(inner, f"{path}.{name}", hidden) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner, f"{path}[{at}]", hidden) for at, inner in enumerate(value)]
    return value
