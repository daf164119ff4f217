"""The pages of findings as Markdown: ``python -m inventory.rules.documentation docs`` writes them.

One page an id in ``docs/findings/``, and the index between two marks of ``docs/findings.md``.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from inventory.rules.catalogue import CATALOGUE, SUBJECTS
from inventory.rules.page import Page

MARKS = ("<!-- findings: begin -->", "<!-- findings: end -->")
WIDTH = 120


def page_of(finding: str, page: Page) -> str:
    """The Markdown page of one id."""
    parts = [
        f"# {finding}",
        f"*{page.severity}.* {page.title}",
        page.what,
        f"**Why.** {page.why}",
        f"**What to do.** {page.todo}",
        "[All findings](../findings.md)",
    ]
    return "\n\n".join(textwrap.fill(_escaped(part), WIDTH, break_long_words=False) for part in parts) + "\n"


def index() -> str:
    """A table for each subject: id, severity, what it says."""
    lines: list[str] = []
    for subject, pages in SUBJECTS.items():
        lines += [f"### {subject}", "", "| Finding | Severity | What it says |", "|---|---|---|"]
        for finding, page in sorted(pages.items()):
            severity = page.severity.partition(";")[0]
            lines.append(f"| [{finding}](findings/{finding}.md) | {severity} | {_escaped(page.title)} |")
        lines.append("")
    return "\n".join(lines)


def with_index(page: str) -> str:
    """*page* with the index, up to date, between its two marks."""
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    return f"{before}{begin}\n{index()}{end}{after}"


def write(docs: Path) -> None:
    """Write every page below *docs*, and take away the page of an id that is gone."""
    folder = docs / "findings"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        if old.stem not in CATALOGUE:
            old.unlink()
    for finding, page in CATALOGUE.items():
        (folder / f"{finding}.md").write_text(page_of(finding, page), encoding="utf-8")
    whole = docs / "findings.md"
    whole.write_text(with_index(whole.read_text(encoding="utf-8")), encoding="utf-8")


def _escaped(text: str) -> str:
    """*text* with what Markdown would read as its own marks made plain: ``<``, ``*``, ``_``, ``|``."""
    for mark in "<_|":
        text = text.replace(mark, f"\\{mark}")
    return text


if __name__ == "__main__":
    write(Path(sys.argv[1]))
