"""Two values side by side, as people read them: variables as YAML, line by line; secrets not shown. Pure."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory import yaml11
from inventory.secret_signs import secrets_in

HIDDEN = "(looks like a secret: not shown)"
#: lines around a change that are shown with it
AROUND = 2
#: more lines of one difference are no help
MOST_LINES = 80

#: ``key: value``, ``key = value``, ``key=value`` in a line of an export
_PAIR = re.compile(r"(?<![\w.-])(?P<key>\w[\w.-]{0,99})[ \t]{0,9}[:=][ \t]{0,9}(?P<value>[^\s,{}\[\]]+)")

Line = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """One field: in words, or line by line."""

    label: str
    old: str = ""
    new: str = ""
    #: (sign, line); empty where *old* and *new* say it
    lines: tuple[Line, ...] = ()
    more: int = 0


def readable(value: Any, name: str = "") -> Any:
    """*value* with ciphertext as a short name of it, and without what looks like a secret."""
    hidden = {path for path, _ in secrets_in(name, value)}
    return _readable(value, name, hidden)


def readable_line(line: str) -> str:
    """A line of an export; searched as text, and as the keys and values that most formats have in it."""
    bare = line.replace('"', "")
    shown = [readable(text) for text in (line, bare)]
    shown += [readable([{found["key"]: found["value"]}])[0] for found in _PAIR.finditer(bare)]
    hides = any(text == HIDDEN or (isinstance(text, dict) and HIDDEN in text.values()) for text in shown)
    return HIDDEN if hides else line


def _readable(value: Any, path: str, hidden: set[str]) -> Any:
    if path in hidden:
        return HIDDEN
    if isinstance(value, Mapping):
        if "__ansible_vault" in value:
            text = str(value["__ansible_vault"])
            return f"(sealed, {hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]})"
        return {key: _readable(below, f"{path}.{key}", hidden) for key, below in value.items()}
    if isinstance(value, list):
        return [_readable(below, f"{path}[{number}]", hidden) for number, below in enumerate(value)]
    return value


def as_text(value: Any, name: str = "") -> str:
    """*value* of a JSON column as YAML; nothing for what is empty."""
    if value in (None, {}, []):
        return ""
    shown = readable(value, name)
    if isinstance(shown, list) and all(isinstance(one, str) for one in shown):
        return "\n".join(shown)
    try:
        return yaml11.dump(shown).rstrip()
    except ValueError:
        return str(shown)


def difference(label: str, old: str, new: str) -> Difference:
    """What lies between two texts: side by side where they are short, else as lines with their signs."""
    if "\n" not in old and "\n" not in new:
        return Difference(label, old, new)
    before, after = (text.split("\n") if text else [] for text in (old, new))
    compared = difflib.unified_diff(before, after, lineterm="", n=AROUND)
    lines = [(line[:1].replace("@", "…"), line[1:]) for line in list(compared)[2:]]
    lines = [(sign, "" if sign == "…" else line) for sign, line in lines][1:]
    if old == new:  # only the order, or what is hidden
        return Difference(label, "as before", "in another order, or with another secret")
    return Difference(label, lines=tuple(lines[:MOST_LINES]), more=max(0, len(lines) - MOST_LINES))
