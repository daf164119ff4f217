"""What a project names must lie in the project: no ``..``, nothing absolute, no link that leads out. Pure but for looking.

This keeps a project from reading what is not its own by mistake or by a borrowed name. It is no prison: whoever writes
playbooks has code executed on this machine, as the user of the worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from provisioning.projects.faults import Outside, ProjectError

#: named in one message, at most
SHOWN = 5


def named(path: str | os.PathLike[str]) -> PurePosixPath:
    """*path* as one that can be meant inside a project; nothing is looked at. Raises Outside."""
    text = os.fspath(path)
    if not text.strip() or any(not letter.isprintable() for letter in text):
        raise Outside(
            f"“{readable(text)}” is no name of a file.", "Write its path from the top of the project."
        )
    pure = PurePosixPath(text)
    if pure.is_absolute() or text.startswith("~"):
        raise Outside(f"{text} is absolute.", "Write its path from the top of the project.")
    if ".." in pure.parts:
        raise Outside(f"{text} leads upwards.", "Write its path from the top of the project, without “..”.")
    if pure.parts and pure.parts[0].startswith("-"):
        raise Outside(f"{text} begins with a dash, which programs take for an option.", f"Write ./{text}.")
    return pure


def inside(root: Path, path: str | os.PathLike[str]) -> Path:
    """The real place of *path*, written from *root*. Raises Outside, and ProjectError where nothing is there."""
    pure = named(path)
    top = Path(os.path.realpath(root))
    real = Path(os.path.realpath(top / pure))
    if not real.is_relative_to(top):
        raise Outside(
            f"{pure} is a link that leads out of the project.", "Put the file itself into the project."
        )
    if not real.exists():
        raise ProjectError(f"The project has no {pure}.", "See how it is spelt; upper and lower case differ.")
    return real


def leading_out(root: Path) -> list[str]:
    """Every link below *root* that leads out of it: its path from *root*, sorted. Links are not followed to look."""
    top = Path(os.path.realpath(root))
    return sorted(
        os.fspath(link.relative_to(top))
        for link in _links(top)
        if not Path(os.path.realpath(link)).is_relative_to(top)
    )


def confine(root: Path) -> None:
    """Raise Outside with the links below *root* that lead out of it, if there are any."""
    if bad := leading_out(root):
        more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise Outside(
            f"The project has links that lead out of it: {', '.join(map(readable, bad[:SHOWN]))}{more}.",
            "Put the files themselves into the project.",
        )


def readable(text: str) -> str:
    """*text* as it can be shown: a name of a file may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]


def _links(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                yield path
