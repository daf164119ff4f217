"""From a path to a Tree, with every problem on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory import vault
from inventory.importers.tree import sealing
from inventory.importers.tree.builder import MAX_MENTIONS, RESERVED, Builder, TooMany, reserved
from inventory.importers.tree.files import Files, Unreadable, find_hosts_file
from inventory.importers.tree.ini_hosts import read_ini_hosts
from inventory.importers.tree.model import OwnerKind, Problem, Sealed, Spot, Tree, TreeGroup, TreeHost
from inventory.importers.tree.yaml_hosts import read_yaml_hosts
from inventory.yaml11 import Positions, YamlProblem, read

_YAML_EXTENSIONS = frozenset({"", ".yml", ".yaml", ".json"})


def read_tree(path: Path, *, vault_password: bytes | None = None, max_file_bytes: int = 5_000_000) -> Tree:
    """The inventory tree at *path*: a hosts file, or a directory that holds one.

    Never raises for what the tree holds: look at ``tree.errors``. With errors the tree is incomplete.
    Without *vault_password* wholly vaulted files are kept closed in ``tree.sealed``; with it their values are
    Secret. Inline ``!vault`` values stay ciphertext either way.
    """
    try:
        root, name = find_hosts_file(Path(path))
    except Unreadable as error:
        return Tree(Path(path), problems=[error.problem])
    tree = Tree(root, name)
    _TreeReader(tree, vault_password, max_file_bytes).read()
    tree.problems.sort(key=lambda problem: (problem.path, problem.line or 0))
    return tree


@dataclass
class _Content:
    """One file as text."""

    text: str
    opened: bool = False  # it was vaulted, and the password opened it
    positions: Positions = field(default_factory=Positions)


class _TreeReader:
    def __init__(self, tree: Tree, password: bytes | None, max_bytes: int) -> None:
        self.tree = tree
        self.password = password
        self.max_bytes = max_bytes
        self.files = Files(tree.root, max_bytes, tree.problems)
        self.builder = Builder(tree)
        self.ciphertexts: list[tuple[str, int | None, str]] = []

    def _problem(self, path: str, line: int | None, message: str, hint: str, severity: Any = "error") -> None:
        self.tree.problems.append(Problem(path, line, message, hint, severity))

    def read(self) -> None:
        self._hosts_file(self.tree.hosts_path)
        self.builder.finish()
        for directory, owners in (("group_vars", self.tree.groups), ("host_vars", self.tree.hosts)):
            if not self.files.vars_directory(directory):
                continue
            kind: OwnerKind = "group" if directory == "group_vars" else "host"
            for owner in owners.values():
                self._vars_files(directory, kind, owner)
            self.files.warn_unused(directory, kind)
        self._try_inline()
        if (self.tree.root / "ansible.cfg").exists():
            self._problem(
                "ansible.cfg",
                None,
                "Settings are not read: this tree is resolved with Ansible's defaults.",
                "Mind hash_behaviour, precedence and yaml_valid_extensions in it.",
                "warning",
            )

    # --- the hosts file

    def _hosts_file(self, path: str) -> None:
        """Source: ``InventoryManager.parse_source`` and its plugins: script, auto, yaml, ini, toml."""
        extension = os.path.splitext(path)[1]  # noqa: PTH122 - as Ansible splits it
        try:
            content = self.files.read(path)
        except Unreadable as error:
            self.tree.problems.append(error.problem)
            return
        if content.startswith(b"#!") and os.access(self.tree.root / path, os.X_OK):
            self._problem(
                path,
                1,
                "This is an inventory script; nothing in a tree is ever run.",
                "Save what it prints (`ansible-inventory --list --export`) as a tree, and import that.",
            )
        elif extension == ".toml":
            self._problem(path, None, "TOML inventories are not read.", "Convert it to YAML.")
        elif (text := self._open(path, content)) is not None:
            self._hosts_text(path, extension, text)

    def _hosts_text(self, path: str, extension: str, content: _Content) -> None:
        """YAML by its extension, and INI where that is no mapping: exactly Ansible's choice."""
        markers = ("---", "...") if extension in _YAML_EXTENSIONS else ()
        if not _declares_anything(content.text, markers):
            self._problem(path, None, "The hosts file declares nothing.", "Add hosts.", "warning")
            return
        problem: YamlProblem | None = None
        if extension in _YAML_EXTENSIONS:
            try:
                data, content.positions = self._parse(path, content)
            except YamlProblem as error:
                problem = error
                if not error.syntax:  # it is YAML, and only refused here
                    self._yaml_problem(error, content)
                    return
            else:
                if isinstance(data, dict) and data:
                    self._yaml_hosts(path, data, content)
                    return
                problem = YamlProblem(
                    path,
                    1,
                    "The hosts file is no mapping of groups.",
                    "Begin with `all:` and its `hosts:` or `children:`.",
                )
        self._ini_hosts(path, content, problem)

    def _yaml_hosts(self, path: str, data: dict[str, Any], content: _Content) -> None:
        if data.get("plugin"):
            self._problem(
                path,
                content.positions.line(("plugin",)),
                "This configures an inventory plugin; nothing in a tree is ever run.",
                "Save what it finds (`ansible-inventory --list --export`) as a tree, and import that.",
            )
            return
        self._declare(path, content, lambda: read_yaml_hosts(data, content.positions, path, self.builder))

    def _ini_hosts(self, path: str, content: _Content, problem: YamlProblem | None) -> None:
        """Read INI; where the file should have been YAML and is no INI either, tell the YAML problem."""
        before = len(self.tree.problems)
        if content.text.startswith("\ufeff"):
            self._problem(path, 1, "The file begins with a byte order mark.", "Save it as UTF-8 without one.")
        self._declare(path, content, lambda: read_ini_hosts(content.text, path, self.builder))
        if problem is not None and any(found.severity == "error" for found in self.tree.problems[before:]):
            del self.tree.problems[before:]
            self._yaml_problem(problem, content)

    def _declare(self, path: str, content: _Content, read_hosts: Callable[[], None]) -> None:
        """Let *read_hosts* fill the builder; of a sealed file, tell no word of what was wrong in it."""
        before = len(self.tree.problems)
        try:
            read_hosts()
        except TooMany:
            self._problem(
                path, None, f"The hosts file names more than {MAX_MENTIONS:,} hosts.", "Correct its ranges."
            )
        found = self.tree.problems[before:]
        if content.opened and found:
            severity = "error" if any(one.severity == "error" for one in found) else "warning"
            del self.tree.problems[before:]
            self._problem(
                path,
                1,
                f"{len(found)} of the things that the sealed hosts file says are wrong or ignored.",
                "Decrypt it and import it once, to read what.",
                severity,
            )
        self._seal_inline(path, content)

    def _seal_inline(self, path: str, content: _Content) -> None:
        """Inline variables of groups and hosts: seal them if the file was, and check their ciphertext."""
        owned: list[TreeGroup | TreeHost] = [*self.tree.groups.values(), *self.tree.hosts.values()]
        for owner in owned:
            for key, value in list(owner.inline.items()):
                spot = owner.spots.get(key)
                if spot is not None and spot.path == path:
                    owner.inline[key] = self._value(spot, key, value, content)

    # --- files of variables

    def _vars_files(self, directory: str, kind: OwnerKind, owner: TreeGroup | TreeHost) -> None:
        paths = self.files.vars_files(directory, owner.name)
        owner.paths = paths
        for path in paths:
            try:
                raw = self.files.read(path)
            except Unreadable as error:
                self.tree.problems.append(error.problem)
                continue
            if self.password is None and vault.is_vaulted(raw):
                self._keep_sealed(kind, owner, path, raw.decode("ascii"))
            elif (content := self._open(path, raw)) is not None:
                self._vars_file(owner, path, content)

    def _keep_sealed(self, kind: OwnerKind, owner: TreeGroup | TreeHost, path: str, text: str) -> None:
        if why := sealing.malformed(text):
            self._problem(path, 1, "The file is sealed, and damaged.", why)
            return
        self.tree.sealed.append(Sealed(kind, owner.name, path, text, tuple(owner.paths)))
        self._problem(
            path,
            1,
            "The file is sealed and was not opened.",
            "Give the vault password to read it.",
            "warning",
        )

    def _vars_file(self, owner: TreeGroup | TreeHost, path: str, content: _Content) -> None:
        try:
            data, content.positions = self._parse(path, content)
        except YamlProblem as error:
            self._yaml_problem(error, content)
            return
        if not data:
            return
        if not isinstance(data, dict):
            self._problem(
                path, 1, "A file of variables holds a mapping; this does not.", "Write `name: value`."
            )
            return
        spot = Spot(path, content.positions)
        for key, value in data.items():
            if key in RESERVED:
                self._problem(path, spot.line((key,)), reserved(key), "Rename or remove it.", "warning")
                continue
            owner.files[key] = self._value(spot, key, value, content)
            owner.spots[key] = spot

    # --- what all files share

    def _open(self, path: str, raw: bytes) -> _Content | None:
        """*raw* as text, decrypted where it is wholly vaulted; None, and a problem, where that cannot be."""
        opened = vault.is_vaulted(raw)
        if opened:
            if self.password is None:
                self._problem(path, 1, "The hosts file is sealed.", "Give the vault password to read it.")
                return None
            try:
                raw = vault.decrypt(raw.decode("ascii"), self.password)
            except vault.VaultError as error:
                self._problem(path, 1, "The file is undecryptable.", str(error))
                return None
        try:
            return _Content(raw.decode("utf-8"), opened)
        except UnicodeDecodeError as error:
            line = 1 if opened else raw.count(b"\n", 0, error.start) + 1
            self._problem(path, line, "The file is not UTF-8.", "Save it as UTF-8.")
            return None

    def _parse(self, path: str, content: _Content) -> tuple[Any, Positions]:
        value, positions = read(content.text, path, max_bytes=self.max_bytes)
        return value, Positions() if content.opened else positions

    def _yaml_problem(self, error: YamlProblem, content: _Content) -> None:
        if content.opened:  # its words may quote what was sealed
            self._problem(
                error.path,
                1,
                f"What is sealed in the file is not valid YAML, near its line {error.line or 1}.",
                "Correct it with `ansible-vault edit`.",
            )
        else:
            self._problem(error.path, error.line, error.message, error.hint)

    def _value(self, spot: Spot, key: str, value: Any, content: _Content) -> Any:
        """*value* as it is kept: sealed again if its file was, its inline ciphertext checked."""
        if isinstance(value, dict | list):
            for at, text in sealing.ciphertexts(value):
                line = spot.line((key, *at))
                if why := sealing.malformed(text):
                    name = ".".join((key, *at))
                    self._problem(spot.path, line, f"The !vault value of {name!r} is damaged.", why)
                else:
                    self.ciphertexts.append((spot.path, line, text))
        if not content.opened:
            return value

        def warn(at: tuple[str, ...], message: str, hint: str) -> None:
            name = ".".join((key, *at))
            self._problem(spot.path, 1, f"In a sealed file, {name!r} {message}.", hint, "warning")

        return sealing.seal(value, warn)

    def _try_inline(self) -> None:
        if self.password is None or not self.ciphertexts:
            return
        closed = sealing.unopened([text for _, _, text in self.ciphertexts], self.password)
        for path, line, text in self.ciphertexts:
            if text in closed:
                self._problem(
                    path,
                    line,
                    "The vault password does not open this !vault value; it is kept as it is.",
                    "It was sealed with another password, or is damaged.",
                    "warning",
                )


def _declares_anything(text: str, markers: tuple[str, ...]) -> bool:
    """Whether a line is more than a comment or a document marker."""
    return any(
        line and line[0] not in "#;" and line not in markers for line in map(str.strip, text.splitlines())
    )
