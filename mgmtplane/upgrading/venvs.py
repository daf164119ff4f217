"""The virtual environment: exchanged where requirements differ, the previous one kept beside it under another name."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from .journal import Desk, Refused

NAME, PREVIOUS = ".venv", ".venv.previous"
REQUIREMENTS, STAMP = "requirements.txt", ".installed"


def fits(clone: Path) -> bool:
    """Whether ``.venv`` has what requirements.txt asks for, as ``tools/make-venv`` wrote down."""
    wanted = hashlib.sha256((clone / REQUIREMENTS).read_bytes()).hexdigest()
    try:
        return (clone / NAME / STAMP).read_text(encoding="utf-8").split()[:1] == [wanted]
    except OSError:
        return False


def exchange(clone: Path, desk: Desk, wheels: Path | None, say: Callable[[str], None]) -> None:
    """Make a new ``.venv`` for requirements.txt; the old one becomes ``.venv.previous``. Raises Refused, all as it was."""
    journal = desk.read()
    if not journal.venv_exchanged:
        if fits(clone):
            return
        remove(clone / PREVIOUS)  # of an upgrade before
        desk.move(venv_exchanged=True)
    if not _there(clone / PREVIOUS) and _there(clone / NAME):
        (clone / NAME).rename(clone / PREVIOUS)
    if fits(clone):
        return
    remove(clone / NAME)
    try:
        _install(clone, desk, wheels, say)
    except Refused:
        put_back(clone, desk)
        raise


def put_back(clone: Path, desk: Desk) -> None:
    """The previous one is ``.venv`` again."""
    if not desk.read().venv_exchanged:
        return
    if _there(clone / PREVIOUS):
        remove(clone / NAME)
        (clone / PREVIOUS).rename(clone / NAME)
    desk.move(venv_exchanged=False)


def python_of(clone: Path, *, exchanged: bool) -> Path:
    """The interpreter of the old version's venv."""
    name = PREVIOUS if exchanged and _there(clone / PREVIOUS) else NAME
    return clone / name / "bin" / "python"


def _install(clone: Path, desk: Desk, wheels: Path | None, say: Callable[[str], None]) -> None:
    """From *wheels* alone, where they are given; else from DATA_DIR/wheels where it has all; else from the network."""
    kept = desk.data / "wheels"
    if wheels is not None:
        if not wheels.is_dir():
            raise Refused(
                f"WHEELS={wheels} is no directory; make wheels on a machine with a network makes one."
            )
        if said := _made(clone, from_wheels(wheels)):
            raise Refused(f"Not everything that is needed lies in {wheels}, and nothing was changed: {said}")
        return
    if kept.is_dir():
        if not _made(clone, from_wheels(kept)):
            return
        say(f"{kept} does not have all of it; taking it from the network")
        remove(clone / NAME)
    if said := _made(clone, {}):
        raise Refused(
            f"What is needed cannot be installed, and nothing was changed: {said} Without a network: make wheels on a "
            "machine that has one, then make upgrade WHEELS=/that/directory."
        )


def from_wheels(wheels: Path) -> dict[str, str]:
    """What tells pip to take *wheels* and nothing else."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.resolve().as_uri()}


def _made(clone: Path, more: Mapping[str, str]) -> str:
    """Make the venv; what went wrong, if anything."""
    words = ["sh", "tools/make-venv", f"{NAME}/{STAMP}", REQUIREMENTS]
    done = subprocess.run(
        words, cwd=clone, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return " ".join(lines[-3:]) or f"exit status {done.returncode}"


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
