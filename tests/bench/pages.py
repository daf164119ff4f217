"""How long every page of the admin takes at the benchmark's size: warm, signed in, with the page's bytes."""

from __future__ import annotations

import json
from typing import Any

#: Run inside `manage.py shell`: prints [(name, address), …] of every page for the site “bench”.
ADDRESSES = """
import json
from inventory.models import Site
from tests.admin.every_page import World, every_page
print(json.dumps(every_page(World.around(Site.objects.get(slug="bench")))))
"""

#: What a page may take, in milliseconds.
BUDGET = 300


def measured(server: Any, listed: str, cookie: str) -> list[tuple[str, float, float]]:
    """(name and address, ms, kB) of every page in *listed*, slowest first. Raises SystemExit for one that fails."""
    found = []
    for name, address in json.loads(listed.strip().splitlines()[-1]):
        status, _, body, _ = server.get(address, Cookie=cookie, Authorization="")  # warm
        if status not in (200, 302):
            raise SystemExit(f"{address} answered {status}.")
        spent = server.typical(address, times=5, Cookie=cookie, Authorization="")
        found.append((f"{name} `{address}`", spent * 1000, len(body) / 1000))
    return sorted(found, key=lambda one: -one[1])


def table(pages: list[tuple[str, float, float]]) -> list[str]:
    over = [name for name, spent, _ in pages if spent > BUDGET]
    lines = [
        "",
        f"### Every page of the admin: {len(pages)}, of which {len(over)} above {BUDGET} ms",
        "",
        "Warm, in milliseconds, slowest first.",
        "",
        "| page | ms | kB |",
        "|---|---|---|",
    ]
    return lines + [f"| {name} | {spent:.0f} | {size:.0f} |" for name, spent, size in pages]
