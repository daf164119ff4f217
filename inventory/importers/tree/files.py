"""Finds and reads the files of a tree: never outside it, never what is no plain file, never too much.

Source of the order: ansible-core 2.19, ``ansible.parsing.dataloader.DataLoader.find_vars_files`` and
``_get_dir_vars_files``.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from inventory.importers.tree.model import Problem

EXTENSIONS = (".yml", ".yaml", ".json")
HOSTS_NAMES = tuple(
    stem + ending for stem in ("hosts", "inventory") for ending in (".yml", ".yaml", "", ".ini", ".json")
)


class Unreadable(Exception):
    """A file or directory that will not be read; carries the Problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass
class Files:
    """The files below *root*, the real path of the tree."""

    root: Path
    max_bytes: int
    problems: list[Problem]
    used: set[str] = field(default_factory=set)

    def error(self, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(path, None, message, hint, "error"))

    def warn(self, path: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(path, None, message, hint, "warning"))

    def read(self, path: str) -> bytes:
        """The content of the plain file at *path* (relative). Raises Unreadable."""
        full = self.root / path
        try:
            self._inside(path)
            status = full.stat()
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable(_error(path, "This is no plain file.", "Replace it by one, or remove it."))
            if status.st_size > self.max_bytes:
                raise Unreadable(self._too_large(path, status.st_size))
            with full.open("rb") as stream:
                content = stream.read(self.max_bytes + 1)
        except OSError as error:
            raise Unreadable(
                _error(path, f"This cannot be read: {error.strerror or error}.", "Correct its permissions.")
            ) from None
        if len(content) > self.max_bytes:
            raise Unreadable(self._too_large(path, len(content)))
        return content

    def _too_large(self, path: str, size: int) -> Problem:
        return _error(
            path,
            f"The file is {size:,} bytes; the limit is {self.max_bytes:,}.",
            "Split it, or raise the limit (IMPORT_MAX_FILE_BYTES).",
        )

    def _inside(self, path: str) -> None:
        """Refuse what a symbolic link (or `..` in a name) leads to outside the tree."""
        real = Path(os.path.realpath(self.root / path))
        if real != self.root and self.root not in real.parents:
            raise Unreadable(
                _error(
                    path,
                    "This leads out of the tree.",
                    "Copy what it points to into the tree; links out are not followed.",
                )
            )

    def vars_files(self, directory: str, name: str) -> list[str]:
        """The files that Ansible reads for *name*, in its order.

        They are the first of name, name.yml, name.yaml, name.json that exists.

        A directory stands for all it holds. Problems are collected, and what they concern is left out.
        """
        if name.startswith("/"):  # Ansible takes such a host for a chroot and looks for no files
            return []
        for extension in ("", *EXTENSIONS):
            path = f"{directory}/{name}{extension}"
            full = self.root / path
            if not os.path.lexists(full):
                continue
            try:
                self._inside(path)
                if not full.exists():
                    self.warn(path, "This symbolic link leads nowhere.", "Remove it.")
                    continue
                self.used.add(path)
                return self._directory(path, (), {}) if full.is_dir() else [path]
            except Unreadable as error:
                self.problems.append(error.problem)
            except OSError as error:
                self.error(
                    path, f"This cannot be read: {error.strerror or error}.", "Correct its permissions."
                )
            self.used.add(path)
            return []
        return []

    def _directory(self, path: str, above: tuple[str, ...], counted: dict[str, int]) -> list[str]:
        real = os.path.realpath(self.root / path)
        if real in above:
            raise Unreadable(
                _error(path, "This symbolic link leads back to a directory above it.", "Remove it.")
            )
        counted["files"] = counted.get("files", 0) + 1
        if counted["files"] > 10_000:
            raise Unreadable(_error(path, "Directories are nested without end.", "Remove symbolic links."))
        found: list[str] = []
        for name in _listed(Path(real)):
            if name.startswith(".") or name.endswith("~"):
                continue
            below = f"{path}/{name}"
            full = self.root / below
            extension = os.path.splitext(name)[1]  # noqa: PTH122 - as Ansible splits it
            try:
                self._inside(below)
                if full.is_dir():
                    if not extension:
                        found.extend(self._directory(below, (*above, real), counted))
                    else:
                        self.warn(
                            below, "Ansible passes over directories with a dot in their name.", "Rename it."
                        )
                elif not full.exists():
                    self.warn(below, "This symbolic link leads nowhere.", "Remove it.")
                elif not extension or extension in EXTENSIONS:
                    found.append(below)
                else:
                    self.warn(
                        below,
                        f"Ansible does not read files that end with {extension}.",
                        "Rename or remove it.",
                    )
            except Unreadable as error:
                self.problems.append(error.problem)
        return found

    def warn_unused(self, directory: str, owners: str) -> None:
        """Say which entries of group_vars or host_vars nobody reads."""
        try:
            names = _listed(self.root / directory)
        except OSError:
            return
        for name in names:
            path = f"{directory}/{name}"
            if name.startswith(".") or name.endswith("~") or path in self.used:
                continue
            stem, extension = os.path.splitext(name)  # noqa: PTH122
            if any(used.startswith(f"{path}/") for used in self.used):
                continue  # read for an owner with a slash in its name
            bare = stem if extension in EXTENSIONS else name
            if any(f"{directory}/{bare}{ending}" in self.used for ending in ("", *EXTENSIONS)):
                self.warn(
                    path,
                    "Nobody reads this: Ansible takes only the first of directory, .yml, .yaml and .json.",
                    "Merge them.",
                )
            else:
                self.warn(
                    path,
                    f"Nobody reads this: there is no {owners} {bare!r}.",
                    f"Add the {owners}, or remove it.",
                )

    def vars_directory(self, directory: str) -> bool:
        """Whether *directory* (group_vars or host_vars) is there to look into."""
        full = self.root / directory
        if not os.path.lexists(full):
            return False
        try:
            self._inside(directory)
            if not full.is_dir():
                self.warn(
                    directory, "This is no directory, so Ansible passes over it.", "Make it a directory."
                )
                return False
            _listed(full)
        except Unreadable as error:
            self.problems.append(error.problem)
            return False
        except OSError as error:
            self.error(
                directory, f"This cannot be read: {error.strerror or error}.", "Correct its permissions."
            )
            return False
        return True


def find_hosts_file(path: Path) -> tuple[Path, str]:
    """The real directory of the tree, and the name of the hosts file in it. Raises Unreadable."""
    try:
        if path.is_dir():
            root = Path(os.path.realpath(path))
            return root, _choose(root)
        if path.exists():
            return Path(os.path.realpath(path.parent)), path.name
    except OSError as error:
        raise Unreadable(_error(str(path), f"This cannot be read: {error.strerror or error}.", "")) from None
    raise Unreadable(
        _error(str(path), "There is no such file or directory.", "Pass a hosts file or its directory.")
    )


def _choose(root: Path) -> str:
    """The hosts file of a directory: a well-known name, else the only YAML or INI file beside group_vars."""
    names = _listed(root)
    known = [name for name in HOSTS_NAMES if name in names and not (root / name).is_dir()]
    if len(known) == 1:
        return known[0]
    if known:
        raise Unreadable(
            _error(
                "",
                f"Several hosts files lie here: {', '.join(known)}.",
                "Pass the one that is meant, not its directory.",
            )
        )
    others = [
        name
        for name in names
        if name.endswith((".yml", ".yaml", ".json", ".ini"))
        and not name.startswith(".")
        and (root / name).is_file()
    ]
    if len(others) == 1 and ({"group_vars", "host_vars"} & set(names)):
        return others[0]
    seen = f" These could be meant: {', '.join(others[:10])}." if others else ""
    raise Unreadable(
        _error(
            "", f"No hosts file lies here ({', '.join(HOSTS_NAMES)}).{seen}", "Pass the hosts file itself."
        )
    )


def _listed(directory: Path) -> list[str]:
    """The names in *directory*, sorted as Ansible sorts them."""
    return sorted(entry.name for entry in directory.iterdir())


def _error(path: str, message: str, hint: str) -> Problem:
    return Problem(path, None, message, hint, "error")
