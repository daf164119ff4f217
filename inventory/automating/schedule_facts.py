"""What a schedule is in a Snapshot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.automating.timing import Timing


@dataclass(frozen=True, slots=True)
class ScheduleFacts:
    """A job that a clock asks for: by a cron expression in a time zone, or every so many hours."""

    name: str
    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cron: str = ""
    every_hours: int | None = None
    time_zone: str = "UTC"
    enabled: bool = True
    owner: str = ""
    why: str = ""

    @property
    def timing(self) -> Timing:
        return Timing(self.cron, self.every_hours, self.time_zone)
