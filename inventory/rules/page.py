"""What people read about a finding: on its page in the docs, and in the admin. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """One rule explained. Plain sentences, no markup: they are shown as HTML and as Markdown."""

    #: what it says, in one line
    title: str
    #: what was found, and what became of it in the exports
    what: str
    #: why that matters
    why: str
    #: what to do
    todo: str
    #: ``error``, ``warning`` or ``info``, and when it is another
    severity: str
