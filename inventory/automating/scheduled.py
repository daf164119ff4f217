"""What a schedule may say. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inventory.secret_signs import secrets_in

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z")


def name_problem(name: str) -> str:
    if NAME.match(name):
        return ""
    return f"“{name}” cannot name a schedule: lowercase letters, digits, hyphens, such as nightly-survey."


def secret_problem(parameters: Any) -> str:
    """Say what of *parameters* looks like a secret, or is no mapping; empty when nothing does."""
    if not isinstance(parameters, Mapping):
        return "Parameters are names with values, such as “host: hv01”."
    found = [
        path.lstrip(".") for key, value in parameters.items() for path, _ in secrets_in("", {key: value})
    ]
    if not found:
        return ""
    return (
        f"{', '.join(found[:8])}: this looks like a secret, and a schedule keeps none. Give a reference: env:NAME, "
        "file:/path, vault:VARIABLE or unlock:NAME."
    )
