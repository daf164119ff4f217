"""Strict readers of what people and clients read, from the formats' own documentation. No code shared with exporters."""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import re

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = rf"{LABEL}(?:\.{LABEL})*"


def read_hosts(text: str) -> dict[str, list[str]]:
    """Address → its names in order, as hosts(5) has them; several lines of one address add up."""
    assert text.endswith("\n")
    found: dict[str, list[str]] = {}
    order = []
    for line in text.splitlines():
        assert len(line) <= 1000
        if line.startswith("#") or not line:
            continue
        address, *names = line.split(" ")
        assert names
        assert str(ipaddress.ip_address(address)) == address
        assert all(re.fullmatch(NAME, name) for name in names), line
        order.append((ipaddress.ip_address(address).version, int(ipaddress.ip_address(address))))
        found.setdefault(address, []).extend(names)
    assert order == sorted(order), "sorted as addresses"
    return found


def read_csv(content: bytes) -> list[dict[str, str]]:
    """Rows as declared: one leading apostrophe of a cell is the guard's."""
    text = content.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert text.endswith("\r\n")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert all(len(row) == len(header) for row in rows)
    for cell in (cell for row in rows for cell in row):
        shown = cell.lstrip()
        assert not shown or shown[0] not in "=+-@", f"a spreadsheet would run {cell!r}"
    return [dict(zip(header, (cell.removeprefix("'") for cell in row), strict=True)) for row in rows]


def read_http_sd(content: bytes) -> dict[str, list[dict[str, str]]]:
    """Target → the labels of each of its groups, as Prometheus' documentation of ``http_sd`` says."""
    groups = json.loads(content.decode("utf-8"))
    assert isinstance(groups, list)
    found: dict[str, list[dict[str, str]]] = {}
    for group in groups:
        assert set(group) == {"targets", "labels"}
        assert all(isinstance(value, str) for value in group["labels"].values())
        assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in group["labels"])
        for target in group["targets"]:
            name, _, port = target.rpartition(":")
            assert re.fullmatch(NAME, name)
            assert 0 < int(port) < 65536
            found.setdefault(target, []).append(group["labels"])
    return found
