"""Declared values as a person reads them; what is sealed stays sealed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SEALED = "(sealed)"


def said(value: Any) -> str:
    """One line. Vault ciphertext is not shown: a page of recovery is printed and pinned to a rack."""
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            return SEALED
        return ", ".join(f"{key} {said(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(said(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "—" if value is None else str(value)
