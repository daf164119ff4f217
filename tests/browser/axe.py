"""axe-core's judgement of the page that a visitor is looking at."""

from __future__ import annotations

from typing import Any

#: What fails a test. Lesser impacts are advice.
SERIOUS = ("serious", "critical")


def violations(page: Any) -> list[str]:
    """One line for each serious rule that the page breaks: rule, what it says, the first elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(node["html"][:160] for node in one["nodes"][:3])
        for one in found
        if one["impact"] in SERIOUS
    ]
