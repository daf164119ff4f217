"""What this application keeps for itself: a reference to somebody else's secret must not lead there."""

from __future__ import annotations

import os
from pathlib import Path

from mgmtplane.environment import SETTINGS

#: variables by which the database's and the broker's libraries are given a password past our settings
_OF_LIBRARIES = frozenset({"PGPASSWORD", "PGPASSFILE"})
#: no files: among them are the environment and the memory of this process
_OF_THE_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev")))
#: the folder of DATA_DIR for the tokens of others; nothing of ours is ever put there
TOKENS = "tokens"
#: the folder of DATA_DIR for the key that signs recovery kits
KIT_KEY = "kit_key"
_WAY_OUT = "What it holds would be sent to the hypervisor; keep its token in a variable or a file of its own."


def problem(reference: str, data_dir: Path) -> str:
    """Why *reference* (``env:NAME``, ``file:/path``) must not be used: a sentence, or nothing.

    Links are followed. A file that a setting names (``SECRET_KEY_FILE``) is one of ours wherever it lies.
    """
    kind, _, place = reference.partition(":")
    if kind == "env" and (place in variables() or place in _OF_LIBRARIES):
        return f"{place} is a setting of this application itself. {_WAY_OUT}"
    if kind == "file" and (why := _why_ours(Path(place), data_dir)):
        return f"{place} {why}. {_WAY_OUT}"
    return ""


def named_files(*below: Path) -> frozenset[Path]:
    """The files that settings name (``SECRET_KEY_FILE``), links followed; relative ones also as seen from *below*."""
    given = [Path(named) for name in variables() if name.endswith("_FILE") if (named := _given(name))]
    return frozenset(_real(folder / path) for path in given for folder in (Path(), *below))


def variables() -> frozenset[str]:
    """The names of all settings in the environment, ``…_FILE`` included."""
    return frozenset(f"{setting.name}{end}" for setting in SETTINGS for end in ("", "_FILE"))


def _why_ours(path: Path, data_dir: Path) -> str:
    real = Path(os.path.realpath(path))
    spellings = (real, Path(os.path.normpath(path)))
    for own in (data_dir, _real(data_dir)):
        if any(spelt.is_relative_to(own) and not spelt.is_relative_to(own / TOKENS) for spelt in spellings):
            return f"lies in DATA_DIR, where this application keeps what is its own (all but {TOKENS}/)"
    if any(spelt.is_relative_to(place) for spelt in spellings for place in _OF_THE_SYSTEM):
        return "is no file of its own, but a view into the system or into this process"
    if real in named_files():
        return "holds a setting of this application itself"
    return ""


def _given(name: str) -> str:
    return os.environ.get(name, "").strip()


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
