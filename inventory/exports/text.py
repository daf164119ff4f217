"""What line-based formats share: a header that nothing breaks out of, a guard on every line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from inventory.findings import Finding
from inventory.snapshot import AuthorityMode, Snapshot

#: dnsmasq cuts lines at 1024 characters and reads the rest as the next line.
LONGEST_LINE = 1000
LONGEST_COMMENT = 400
_OUTSIDE_ASCII = re.compile(r"[^ -~]")

Name = TypeVar("Name", str, tuple[str, ...])


class UnsafeLine(ValueError):
    """An exporter let text through that its format could misread: a fault of ours, never of the site."""


def plain(text: str, limit: int = LONGEST_COMMENT) -> str:
    """*text* for people, on one line of printable ASCII: the rest as backslash escapes, cut at *limit*."""
    shown = _OUTSIDE_ASCII.sub(lambda found: ascii(found.group())[1:-1], text[:limit])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def authority_sentence(snapshot: Snapshot, authority: AuthorityMode | None) -> str:
    """Which authority a file was made for, and whether that one is to serve it."""
    declared = snapshot.authority.mode if snapshot.authority else None
    if declared is None:
        made_for = f"made for {authority}; " if authority else ""
        return f"Authority: {made_for}none is declared."
    if authority is None or authority == declared:
        return f"Authority: {declared}, as declared."
    return f"Authority: {authority}, INACTIVE: {declared} is declared. Do not serve this file now."


def header(
    snapshot: Snapshot, authority: AuthorityMode | None, what: str, findings: Iterable[Finding]
) -> list[str]:
    """The first lines of a file, without the format's comment sign."""
    return [
        f"Site {plain(snapshot.site.slug)}: {what}.",
        "Made by mgmtplane; do not edit, the next export replaces it.",
        authority_sentence(snapshot, authority),
        *left_out_lines(findings),
    ]


def left_out_lines(findings: Iterable[Finding]) -> list[str]:
    return [plain(f"left out: {f.subject}: {f.message} [{f.id}]") for f in findings]


def encode(lines: Iterable[str]) -> bytes:
    """Join *lines* into a file. Raises UnsafeLine for one that is too long or not printable ASCII."""
    kept = list(lines)
    for number, line in enumerate(kept, start=1):
        if len(line) > LONGEST_LINE or not line.isascii() or (line and not line.isprintable()):
            raise UnsafeLine(f"Line {number} cannot be written safely: {line[:120]!r}")
    return "".join(f"{line}\n" for line in kept).encode("ascii")


def tokens(names: Iterable[Name]) -> dict[Name, str]:
    """A bare word for each of *names*: lower-case letters, digits, hyphens; unique; order does not matter.

    A name of several parts is a tuple: ``("pi", "stor-eth0")`` and ``("pi-stor", "eth0")`` are two.
    """
    given: dict[Name, str] = {}
    used: set[str] = set()
    for name in sorted(set(names)):
        text = name if isinstance(name, str) else "-".join(name)
        word = base = re.sub(r"[^a-z0-9]+", "-", text.lower())[:60].strip("-") or "x"
        number = 1
        while word in used:
            number += 1
            word = f"{base}-{number}"
        used.add(word)
        given[name] = word
    return given
