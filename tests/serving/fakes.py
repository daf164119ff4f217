"""Formats of the test's own, so that serving is tested whatever the real exports say."""

from __future__ import annotations

import hashlib
import sys
from types import ModuleType
from typing import Any

import pytest

from inventory.exports import registry
from inventory.exports.registry import Document, Export
from inventory.findings import Finding
from inventory.snapshot import Snapshot

DISPUTED = Finding("identity-disputed", "error", "host bad", "bad is claimed twice", "Rename one.")
NOTED = Finding("worth-knowing", "warning", "host odd", "odd is odd", "Look at it.")


def _findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    names = {host.name for host in snapshot.live_hosts}
    return tuple(finding for finding in (DISPUTED, NOTED) if finding.subject.removeprefix("host ") in names)


def _names(snapshot: Snapshot) -> bytes:
    return "".join(f"{host.name}\n" for host in snapshot.live_hosts).encode()


def render_list(snapshot: Snapshot, authority: str | None = None) -> Document:
    if failing := snapshot.host_by_name.get("s3cret"):
        raise ValueError(f"cannot express {failing.name}")
    first = f"# for {authority}\n".encode() if authority else b""
    return Document({"hosts.txt": first + _names(snapshot)}, _findings(snapshot))


def render_pages(snapshot: Snapshot, authority: str | None = None) -> Document:
    files = {f"hosts/{host.name}.txt": f"{host.name}\n".encode() for host in snapshot.live_hosts}
    return Document({"index.txt": _names(snapshot), **files}, _findings(snapshot))


def render_zones(snapshot: Snapshot, authority: str | None = None) -> Document:
    serials = {zone: entry.serial for zone, entry in snapshot.serials.items()}
    lines = [f"{zone} {serials.get(zone, 1)}\n" for zone in content_hashes(snapshot)]
    return Document({"zones.txt": "".join(lines).encode() + _names(snapshot)})


def content_hashes(snapshot: Snapshot, authority: str | None = None) -> dict[str, str]:
    """One zone for the first letter of each host: a host moves one zone and not the others."""
    letters = sorted({host.name[0] for host in snapshot.live_hosts})
    return {
        f"{letter}.example": hashlib.sha256(
            repr([h.name for h in snapshot.live_hosts if h.name[0] == letter] + [authority]).encode()
        ).hexdigest()
        for letter in letters
    }


def _export(name: str, render: Any, *, several: bool = False) -> Export:
    return Export(
        name, name, f"{name} for tests", "text/plain; charset=utf-8", f"{name}.txt", several, render
    )


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the formats list, pages and zones into the registry for one test."""
    for name, export, more in (
        ("list", _export("list", render_list), {}),
        ("pages", _export("pages", render_pages, several=True), {}),
        ("zones", _export("zones", render_zones), {"content_hashes": content_hashes}),
    ):
        module: Any = ModuleType(f"tests.serving.fake_{name}")
        module.EXPORT = export
        for attribute, value in more.items():
            setattr(module, attribute, value)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(registry.MODULES, name, module.__name__)
    registry.get_export.cache_clear()
