"""Declared values as a person reads them; what is sealed stays sealed, and what looks like a secret is not said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.differences import readable

SEALED = "(sealed)"


def said(value: Any, name: str = "") -> str:
    """One line of what is declared as *name*: a page of recovery is printed and pinned to a rack."""
    return _line(shown(value, name))


def shown(value: Any, name: str = "") -> Any:
    """*value* without ciphertext, and without what the rules take for a secret by *name* or by its shape."""
    return _named_shortly(readable(value, name))


def _named_shortly(value: Any) -> Any:
    """Ciphertext without the short name of it that tells two of them apart: nobody compares them here."""
    if isinstance(value, Mapping):
        return {key: _named_shortly(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_named_shortly(inner) for inner in value]
    return SEALED if isinstance(value, str) and value.startswith("(sealed, ") else value


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_line(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_line(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "—" if value is None else str(value)
