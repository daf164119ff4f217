"""Takes secrets out of what a job keeps and says: values that are known, and shapes that are always one. Pure."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[secret]"
#: shorter values would hide half of every sentence
SHORTEST = 4
#: lines of a longer value that are hidden by themselves
LINE = 8
#: shells within shells: Ansible's, that of ssh, that of a task
QUOTED = 3

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.S), HIDDEN),
    (re.compile(r"(PVEAPIToken[=:\s]\s*[^\s=!]{1,200}![^\s=]{1,200}=)[^\s'\",]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\bPVE:[^\s:]{1,100}:[0-9A-F]{8}::[A-Za-z0-9+/=]+"), f"PVE:{HIDDEN}"),
    (
        re.compile(
            r"((?:Proxy-)?Authorization['\"]?\s*[:=]\s*['\"]?(?:(?:Bearer|Basic|Token)\s+)?)[^\s'\",]+", re.I
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{16,}", re.I), rf"\1{HIDDEN}"),
    (re.compile(r"([a-z][a-z0-9+.-]{0,20}://[^\s:/@'\"]{0,200}:)[^\s/@'\"]{1,500}@", re.I), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"((?:password|passwd|passphrase|secret|api_?key|token|cipassword)['\"]?\s*[=:]\s*['\"]?)"
            r"(?!\[secret\]|env:|file:|vault:|unlock:|https?:|\{\{)[^\s'\",;&]{4,}",
            re.I,
        ),
        rf"\1{HIDDEN}",
    ),
)


def redact(text: str, known: Collection[str] = ()) -> str:
    """*text* without any of *known*, however it is spelt, and without what has the shape of a secret."""
    for value in sorted(spellings(known), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def redacted(value: Any, known: Collection[str] = ()) -> Any:
    """*value*, plain JSON, with every text in it redacted, names too."""
    if isinstance(value, str):
        return redact(value, known)
    if isinstance(value, dict):
        return {redact(str(name), known): redacted(inner, known) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner, known) for inner in value]
    return value


def holds_secret(value: Any) -> bool:
    """Whether a text in *value* has the shape of a secret."""
    return bool(redacted(value) != value)


def spellings(known: Collection[str]) -> set[str]:
    """Each value, and each line of a long one, as it is and as programs write it.

    Percent-encoded, in base64 (alone, and where it stands inside something longer), as JSON, Python and a shell write it.
    """
    found: set[str] = set()
    for value in known:
        lines = [line.strip() for line in value.splitlines()]
        parts = {value, value.strip(), *(line for line in lines if len(line) >= LINE)}
        for part in parts:
            if len(part) >= SHORTEST:
                found |= _written(part)
    return {word for word in found if len(word) >= SHORTEST}


def _written(part: str) -> set[str]:
    plain = part.replace("\r\n", "\n")
    encoded = part.encode("utf-8", "surrogateescape")
    found = {part, plain, quote(encoded), quote(encoded, safe=""), quote_plus(encoded), repr(part)[1:-1]}
    for text in (json.dumps(plain, ensure_ascii=False)[1:-1], json.dumps(plain)[1:-1]):
        # JSON within JSON
        found |= {text, json.dumps(text, ensure_ascii=False)[1:-1], text.replace("/", "\\/")}
    found |= {html.escape(part), html.escape(part, quote=False), *_quoted(plain)}
    whole = base64.b64encode(encoded).decode()
    found |= {whole, whole.rstrip("=")}
    if len(encoded) >= LINE:
        found |= {
            base64.b64encode(b" " * shift + encoded).decode()[_cut(shift) :].rstrip("=")[:-1]
            for shift in (0, 1, 2)
        }
    return found | {word.replace("+", "-").replace("/", "_") for word in found if _is_base64(word)}


def _quoted(part: str) -> set[str]:
    """As one shell after another quotes it, and what JSON makes of that."""
    found: set[str] = set()
    quoted = part
    while "'" in quoted and len(found) < 3 * QUOTED:
        quoted = quoted.replace("'", "'\"'\"'")
        found |= {quoted, json.dumps(quoted, ensure_ascii=False)[1:-1], json.dumps(quoted)[1:-1]}
    return found


def _cut(shift: int) -> int:
    """How many letters of base64 depend on *shift* bytes before."""
    return (0, 2, 3)[shift]


def _is_base64(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9+/]{8,}={0,2}", word) is not None
