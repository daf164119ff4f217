"""How much code a project may have. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Beyond it is no code. *seconds*: how long a fetch, and waiting for another one, may take."""

    files: int = 50_000
    bytes: int = 512 << 20
    seconds: float = 300.0
