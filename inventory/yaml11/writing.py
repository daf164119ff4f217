"""Writes YAML that Ansible's own loader reads back as the identical value.

Block style, dictionaries in their own order, one spelling per value: the same value gives the same bytes.
Text is written plain only where that cannot be mistaken for anything else in YAML 1.1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.nodes import ScalarNode

from inventory.yaml11.problems import UNSAFE, VAULT

_STR = "tag:yaml.org,2002:str"
_RESOLVER = yaml.resolver.Resolver()
# Letters, digits and harmless marks; a space only between words; neither colon nor #.
_PLAIN = re.compile(
    r"(?=[A-Za-z0-9_/.+-])(?!---|\.\.\.|-+(?: |$))[\w/.+@%-]+(?: [\w/.+@%(),;=-]+)*", re.ASCII
)
# Everything YAML calls printable, without the line breaks and the byte order mark.
_ONE_LINE = re.compile(
    "[\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)
_BLOCK_LINE = re.compile(
    "[\x21-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]" + _ONE_LINE.pattern
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e"}
_ESCAPED = re.compile(r"[\\\"]|" + _ONE_LINE.pattern.replace("[\t", "[^", 1).removesuffix("*"))
_LONGEST_KEY = 200  # libyaml gives up on a simple key after 1,024 bytes
#: What is text to YAML 1.1 and a number to YAML 1.2 (its core schema): quoted, so that both read text.
_NUMBER_12 = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")


class Flow:
    """A list or mapping that :func:`dump` writes on one line."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def dump(value: Any, *, indent: int = 2) -> str:
    """*value* (what JSON can hold) as YAML with a final newline.

    ``{"__ansible_vault": t}`` becomes ``!vault``, ``{"__ansible_unsafe": t}`` becomes ``!unsafe``. Ansible
    reads ``!unsafe "12"`` as a number; such text holds no template, so it is written without the tag.
    Raises TypeError for what JSON cannot hold and ValueError for NaN, infinity and lone surrogates.
    """
    lines = list(_node(value, 0, indent))
    return "\n".join(line for line in lines) + "\n"


def _node(value: Any, level: int, indent: int) -> Iterator[str]:
    """The lines of *value*; the first one continues the line that announces it."""
    pad = " " * (indent * level)
    if isinstance(value, dict) and value and not _tagged(value):
        for key, item in value.items():
            yield from _entry(pad + _key(key, pad), item, level, indent)
    elif isinstance(value, list | tuple) and value:
        for item in value:
            yield from _entry(pad + "-", item, level, indent)
    else:
        head, *rest = _leaf(value, level, indent)
        yield head.lstrip(" ") if level == 0 else head
        yield from rest


def _entry(start: str, item: Any, level: int, indent: int) -> Iterator[str]:
    if item and ((isinstance(item, dict) and not _tagged(item)) or isinstance(item, list | tuple)):
        lines = _node(item, level + 1, indent)
        # "- " is as wide as two columns of indentation: the first line of an item stands beside its dash.
        yield f"{start} {next(lines).lstrip(' ')}" if start.endswith("-") and indent == 2 else start
        yield from lines
        return
    head, *rest = _leaf(item, level + 1, indent)
    yield f"{start} {head}"
    yield from rest


def _tagged(value: dict[Any, Any]) -> bool:
    return (
        len(value) == 1
        and isinstance(next(iter(value.values())), str)
        and next(iter(value)) in (VAULT, UNSAFE)
    )


def _key(key: Any, pad: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"A key must be text, not {type(key).__name__}.")
    text = _flow_text(key)
    return f"{text}:" if len(text) <= _LONGEST_KEY else f"? {text}\n{pad}:"


def _leaf(value: Any, level: int, indent: int) -> list[str]:
    match value:
        case None:
            return ["null"]
        case True:
            return ["true"]
        case False:
            return ["false"]
        case int():
            return [str(int(value))]
        case float():
            return [_float(value)]
        case str():
            return _text(value, level, indent)
        case dict() if not value:
            return ["{}"]
        case dict():
            ((tag, text),) = value.items()
            return _sealed(text, level, indent) if tag == VAULT else _unsafe(text, level, indent)
        case list() | tuple():
            return ["[]"]
        case Flow():
            return [_flow(value.value)]
    raise TypeError(f"YAML cannot hold a {type(value).__name__} here.")


def _flow(value: Any) -> str:
    """*value* on one line; commas and brackets in text are quoted, since they mean something here."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if not isinstance(value, str):
        return _leaf(value, 0, 0)[0]
    text = _flow_text(value)
    return f"'{text}'" if text == value and "," in text else text


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("JSON cannot hold infinity or not-a-number.")
    text = repr(float(value))
    return text.replace("e", ".0e") if "e" in text and "." not in text else text  # 1e+16 would be text


def is_text(text: str) -> bool:
    """Whether *text* unquoted is text to YAML 1.1, and not a number, a date, a truth value, …"""
    return bool(_RESOLVER.resolve(ScalarNode, text, (True, False)) == _STR)


def _text(text: str, level: int, indent: int) -> list[str]:
    return _block(text, level, indent) or [_flow_text(text)]


def _flow_text(text: str) -> str:
    if _PLAIN.fullmatch(text) and len(text) < 1000 and not _NUMBER_12.fullmatch(text) and is_text(text):
        return text
    if _ONE_LINE.fullmatch(text) and "\t" not in text:
        return "'" + text.replace("'", "''") + "'"
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\ud800" <= char <= "\udfff":
        raise ValueError("Text with half a character (a lone surrogate) cannot be written.")
    code = ord(char)
    return _ESCAPES.get(char) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def _block(text: str, level: int, indent: int) -> list[str] | None:
    """*text* as a literal block, or None where it has one line or lines that a block does not keep."""
    if "\n" not in text.rstrip("\n"):
        return None
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    lines = body.split("\n")
    if not all(
        _BLOCK_LINE.fullmatch(line) or not line or (at and _indented(line)) for at, line in enumerate(lines)
    ):
        return None
    if not lines[0]:
        return None  # a leading empty line makes the block's indentation a guess
    pad = " " * (indent * max(level, 1))
    return [
        "|" + ("-", "", "+")[min(ends, 2)],
        *(pad + line if line else "" for line in lines),
        *[""] * (ends - 1),
    ]


def _indented(line: str) -> bool:
    return bool(_BLOCK_LINE.fullmatch(line.lstrip(" ")))


def _sealed(text: str, level: int, indent: int) -> list[str]:
    if not is_text(text):
        raise ValueError("What should be Vault ciphertext is none.")
    head, *rest = _text(text, level, indent)
    return [f"!vault {head}", *rest]


def _unsafe(text: str, level: int, indent: int) -> list[str]:
    if not is_text(text):
        return [_flow_text(text)]
    head, *rest = _text(text, level, indent)
    if not rest and head == text:
        head = f"'{text}'"
    return [f"!unsafe {head}", *rest]
