"""Sealed values as people edit them: a short mark in the place of pages of hex digits. Pure.

A mark is made of the ciphertext, so the same one stands for the same bytes; what comes back with its mark is the very
ciphertext that was stored, wherever in the text it stands now.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from inventory import vault
from inventory.yaml11 import VAULT

Path = tuple[str | int, ...]

_MARK = re.compile(r"sealed-[0-9a-f]{12}")


class NotSealed(ValueError):
    """What is marked as sealed is neither ciphertext nor a mark that the row knows. ``path`` says where."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def mark_of(ciphertext: str) -> str:
    return f"sealed-{hashlib.sha256(ciphertext.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def is_mark(text: str) -> bool:
    return bool(_MARK.fullmatch(text.strip()))


def marked(value: Any) -> Any:
    """*value* with a mark in the place of each ciphertext."""
    if _is_sealed(value):
        return {VAULT: mark_of(value[VAULT])}
    if isinstance(value, Mapping):
        return {key: marked(inner) for key, inner in value.items()}
    return [marked(inner) for inner in value] if isinstance(value, list | tuple) else value


def restored(value: Any, stored: Any) -> Any:
    """*value* with the ciphertexts of *stored* in the place of their marks. Raises NotSealed."""
    known = {mark_of(text): text for _, text in sealed_in(stored)}
    return _restored(value, known, ())


def _restored(value: Any, known: Mapping[str, str], path: Path) -> Any:
    if _is_sealed(value):
        return {VAULT: _ciphertext(value[VAULT], known, path)}
    if isinstance(value, Mapping):
        return {key: _restored(inner, known, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_restored(inner, known, (*path, at)) for at, inner in enumerate(value)]
    return value


def _ciphertext(text: str, known: Mapping[str, str], path: Path) -> str:
    if is_mark(text):
        if text.strip() not in known:
            raise NotSealed(
                path,
                f"{text.strip()} stands for a sealed value that is not stored here; paste its whole !vault block.",
            )
        return known[text.strip()]
    try:
        vault.check(text)
    except vault.VaultError:
        raise NotSealed(
            path,
            "A !vault value is not ciphertext; seal it with ansible-vault encrypt_string and paste the result.",
        ) from None
    return text


def sealed_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """(path, ciphertext) of everything in *value* that is sealed."""
    if _is_sealed(value):
        yield path, value[VAULT]
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from sealed_in(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from sealed_in(inner, (*path, at))


def _is_sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get(VAULT), str)
