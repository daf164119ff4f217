"""What an operator's path costs: clicks, fields typed into, seconds without thinking. Written down for docs/paths.md."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.shared_data import REPOSITORY

WRITTEN = REPOSITORY / "artifacts" / "paths"


class Counted:
    """Counts what a person does to a page."""

    def __init__(self, page: Any) -> None:
        self.page, self.clicks, self.fields, self.began = page, 0, 0, time.monotonic()

    def click(self, locator: Any) -> None:
        self.clicks += 1
        locator.click()

    def fill(self, label: str, text: str) -> None:
        self.clicks += 1  # into the field
        self.fields += 1
        self.page.get_by_label(label).fill(text)

    def choose(self, label: str, value: str) -> None:
        self.clicks += 2
        self.page.get_by_label(label, exact=True).select_option(value)

    def type(self, text: str) -> None:
        """Typed where the keyboard is already."""
        self.fields += 1
        self.page.keyboard.type(text)

    def tell(self, what: str) -> int:
        """Print the cost of *what*, keep it beside the screenshots, and return the clicks."""
        seconds = time.monotonic() - self.began
        print(f"\n{what}: {self.clicks} clicks, {self.fields} fields, {seconds:.1f} s without thinking")
        WRITTEN.mkdir(parents=True, exist_ok=True)
        cost = {"clicks": self.clicks, "fields": self.fields, "seconds": round(seconds, 1)}
        (WRITTEN / f"{what.lower().replace(' ', '-')}.json").write_text(json.dumps({"path": what, **cost}))
        return self.clicks
