"""What is sealed in a tree: whole files, and single ``!vault`` values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from inventory import vault
from inventory.importers.tree.model import Secret

VAULT, UNSAFE = "__ansible_vault", "__ansible_unsafe"
MAX_TRIALS = 500  # inline values that are tried with the password: each costs some milliseconds on purpose

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
# {{ name }}, {{ name.other['x'] | filter }}: names and filters only, nothing that could itself be the secret.
_REFERENCE = re.compile(
    r"\s*\{\{\s*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\s*\|\s*[A-Za-z_]\w*(?:\(\))?)*\s*\}\}\s*"
)

Warn = Callable[[tuple[str, ...], str, str], None]


def seal(value: Any, warn: Warn, at: tuple[str, ...] = ()) -> Any:
    """*value* from a vaulted file with every text and number as Secret; truth values and null stay.

    A template that only names variables stays too, since Ansible evaluates no template inside a sealed value.
    """
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get(VAULT), str):
            return value
        if len(value) == 1 and isinstance(value.get(UNSAFE), str):
            return Secret(value[UNSAFE])  # sealed text is never a template, which is what !unsafe asked for
        return {key: seal(item, warn, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [seal(item, warn, (*at, str(index))) for index, item in enumerate(value)]
    if isinstance(value, str):
        if _TEMPLATE.search(value):
            if _REFERENCE.fullmatch(value):
                return value
            warn(
                at,
                "is a template of more than a name; sealed, it is no longer evaluated by Ansible",
                "Keep the secret part in a variable of its own, and the template in a plain file.",
            )
        return Secret(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        warn(
            at,
            "is a number and is sealed as text, since Ansible can only seal text",
            "Use a filter such as | int.",
        )
        return Secret(str(value))
    return value


def ciphertexts(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every inline ``!vault`` text in *value*, and the way to it."""
    if isinstance(value, dict):
        text = value.get(VAULT)
        if isinstance(text, str) and len(value) == 1:
            yield at, text
            return
        for key, item in value.items():
            yield from ciphertexts(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ciphertexts(item, (*at, str(index)))


def malformed(text: str) -> str:
    """Why *text* cannot be Vault ciphertext; "" where it is."""
    try:
        vault.check(text)
    except vault.VaultError as error:
        return str(error)
    return ""


def unopened(texts: list[str], password: bytes) -> set[str]:
    """Which of *texts* (the first few hundred different ones) the password does not open."""
    distinct = list(dict.fromkeys(texts))[:MAX_TRIALS]
    with ThreadPoolExecutor() as pool:
        opened = pool.map(lambda text: _opens(text, password), distinct)
        return {text for text, good in zip(distinct, opened, strict=True) if not good}


def _opens(text: str, password: bytes) -> bool:
    try:
        vault.decrypt(text, password)
    except vault.VaultError:
        return False
    return True
