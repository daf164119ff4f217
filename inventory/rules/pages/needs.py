"""Pages of what is wrong with the needs of hosts."""

from __future__ import annotations

from inventory.rules.page import Page

PAGES = {
    "need-carried": Page(
        title="A host needs one that cannot run without it.",
        severity="warning",
        what="A host is declared to need one that runs on it or is plugged into it, directly or through others.",
        why="What carries a host is up before it, so that plans leave such a need out.",
        todo="Take the need out, or let what is needed stand elsewhere.",
    ),
    "need-circle": Page(
        title="Hosts need each other in a circle.",
        severity="warning",
        what="Along the needs that people declared, a host comes back to itself.",
        why="None of them can be first. Plans leave out the need that closes the circle, and that may be the wrong one.",
        todo="Take out the need that the site can start without.",
    ),
    "need-retired": Page(
        title="A host needs one that is retired.",
        severity="warning",
        what="A host that lives is declared to need one that is retired.",
        why="No plan waits for a retired host: what took its place is powered up and shut down in any order.",
        todo="Name the host that took its place, or take the need out.",
    ),
}
