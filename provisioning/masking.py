"""Takes known secrets out of text, thousands of them, while more become known. Pure."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import Any

from provisioning.redaction import HIDDEN, SHORTEST, redact, spellings


class Mask:
    """Knows secrets and hides them, however they are spelt; safe to use from several threads."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        # by how they begin, then by length: however many there are, a place in a text is compared with a few
        self._by_beginning: dict[str, dict[int, set[str]]] = {}
        self._beginnings: re.Pattern[str] | None = None
        self.add(known)

    def add(self, secrets: Iterable[str]) -> None:
        """Hide *secrets* too from now on."""
        with self._lock:
            for word in spellings(set(secrets)) - self._known:
                self._known.add(word)
                self._by_beginning.setdefault(word[:SHORTEST], {}).setdefault(len(word), set()).add(word)
                self._beginnings = None

    def mask(self, text: str) -> str:
        """*text* without what is known, and without what has the shape of a secret."""
        return redact(self._without_known(text))

    def masked(self, value: Any) -> Any:
        """*value*, plain JSON, with every text in it masked, names too."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask(str(name)): self.masked(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.masked(inner) for inner in value]
        # a number can be a secret as well: a PIN is one
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and self.mask(str(value)) != str(value)
        ):
            return HIDDEN
        return value

    def _without_known(self, text: str) -> str:
        beginnings = self._beginnings or self._prepared()
        if beginnings is None:
            return text
        kept, begun, at = [], 0, 0
        while found := beginnings.search(text, at):
            here = found.start()
            lengths = self._by_beginning.get(found.group(), {})
            length = max(
                (long for long, words in list(lengths.items()) if text[here : here + long] in words),
                default=0,
            )
            if not length:
                at = here + 1
                continue
            kept += [text[begun:here], HIDDEN]
            begun = at = here + length
        return "".join([*kept, text[begun:]]) if kept else text

    def _prepared(self) -> re.Pattern[str] | None:
        """One expression for how secrets begin: as a tree, since alternatives side by side are tried one by one."""
        with self._lock:
            if self._by_beginning:
                self._beginnings = re.compile(_tree(sorted(self._by_beginning)), re.S)
            return self._beginnings


def _tree(words: list[str]) -> str:
    """An expression for *words*, all of one length."""
    if not words or not words[0]:
        return ""
    branches: dict[str, list[str]] = {}
    for word in words:
        branches.setdefault(word[0], []).append(word[1:])
    return "(?:" + "|".join(re.escape(first) + _tree(rest) for first, rest in branches.items()) + ")"
