"""What lies under Ansible Vault in the files of a run, opened, so that it can be masked. Reads files."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from inventory.vault import HEADER, VaultError, decrypt

#: a longer file is no place for a variable; what Ansible itself decrypts is reported by its callback anyway
LONGEST = 16 * 1024 * 1024
#: values that are opened beforehand, some milliseconds each: Ansible opens single ones when they are used, and tells
MOST = 2000
#: the same ciphertext as a block of YAML, or in JSON with its line breaks escaped
_SEALED = re.compile(
    r"\$ANSIBLE_VAULT;1\.[12];AES256(?:;[^\s;\"\\]+)?(?:(?:\\n|\s)+[0-9a-f]+(?=\\n|[\s\"']|$))+"
)
_BREAKS = re.compile(r"(?:\\n|\s)+")


def secrets_in(paths: Iterable[Path], passwords: Mapping[str, str]) -> set[str]:
    """Every vaulted value below *paths* that one of *passwords*, by vault id, opens."""
    if not passwords:
        return set()
    whole: set[str] = set()
    single: dict[str, None] = {}
    for path in paths:
        for each in _files(path):
            text = _text_of(each)
            found = ["\n".join([*_BREAKS.split(one), ""]) for one in _SEALED.findall(text)]
            if text.startswith(HEADER):
                whole.update(found)
            else:
                single |= dict.fromkeys(found)
    # a file that is sealed whole may be read before our callback is there to tell
    sealed = [*whole, *list(single)[:MOST]]
    with ThreadPoolExecutor(max_workers=4) as threads:
        opened = threads.map(lambda text: _open(text, passwords), sealed)
    return {secret for plain in opened for secret in secrets_of(plain)}


def secrets_of(plain: str) -> set[str]:
    """What is secret in something decrypted: itself, and each value of a whole file of variables."""
    found = {plain, plain.strip()}
    with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
        found |= set(_leaves(yaml.load(plain, Loader=_Loose)))  # noqa: S506 - a safe loader
    return found - {""}


class _Loose(yaml.SafeLoader):
    """Reads tags that only Ansible knows as what stands behind them."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loose.add_multi_constructor("!", _untagged)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if name != ".git"]
            yield from (Path(folder) / name for name in names)


def text_of(path: Path) -> str:
    """The text of every file at *path*, of those that can be read."""
    found = []
    for each in _files(path):
        with contextlib.suppress(OSError):
            found.append(each.read_text("utf-8", "replace"))
    return "\n".join(found)


def _text_of(path: Path) -> str:
    """The text of *path* where it holds something sealed, else nothing."""
    try:
        if not path.is_file() or path.stat().st_size > LONGEST:
            return ""
        content = path.read_bytes()
    except OSError:
        return ""
    return content.decode("utf-8", "replace") if HEADER.encode() in content else ""


def _open(sealed: str, passwords: Mapping[str, str]) -> str:
    """The plain text; nothing where no password opens it: then the run cannot either."""
    header = sealed.partition("\n")[0].split(";")
    named = header[3].strip() if len(header) > 3 else "default"
    for vault_id in sorted(passwords, key=lambda one: one != named):
        try:
            return decrypt(sealed, passwords[vault_id].strip("\r\n").encode()).decode("utf-8", "replace")
        except VaultError:
            continue
    return ""
