"""A hosts file in YAML.

Source: ansible-core 2.19, ``ansible.plugins.inventory.yaml.InventoryModule``.
"""

from __future__ import annotations

from typing import Any

from inventory.importers.tree.builder import Builder, Refused
from inventory.importers.tree.model import Spot
from inventory.importers.tree.patterns import BadPattern, expand
from inventory.yaml11 import Positions

_SECTIONS = ("vars", "children", "hosts")


def read_yaml_hosts(data: dict[str, Any], positions: Positions, path: str, builder: Builder) -> None:
    """Add what *data*, the content of the hosts file *path*, declares. Every problem goes to *builder*."""
    reader = _Reader(positions, path, builder)
    for name, body in data.items():
        reader.group(name, body, (name,))


class _Reader:
    def __init__(self, positions: Positions, path: str, builder: Builder) -> None:
        self.positions = positions
        self.path = path
        self.builder = builder

    def _spot(self, at: tuple[str, ...]) -> Spot:
        return Spot(self.path, self.positions, at)

    def _error(self, at: tuple[str, ...], message: str, hint: str = "") -> None:
        self.builder.error(self.path, self.positions.line(at), message, hint)

    def _warn(self, at: tuple[str, ...], message: str, hint: str = "") -> None:
        self.builder.warn(self.path, self.positions.line(at), message, hint)

    def group(self, name: str, body: Any, at: tuple[str, ...]) -> None:
        """Source: ``_parse_group``."""
        if not isinstance(body, dict | None):
            self._warn(
                at,
                f"{name!r} is not a group: its value is {_kind(body)}.",
                "A group holds hosts, children and vars.",
            )
            return
        if kind := self.positions.key_kind(at):
            self._error(at, f"A group name must be text; {name} is {kind}.", "Quote it.")
            return
        try:
            self.builder.add_group(name, self._spot(at))
        except Refused as problem:
            self._error(at, problem.message, problem.hint)
            return
        for key, section in (body or {}).items():
            self._section(name, key, section, (*at, key))

    def _section(self, name: str, key: str, section: Any, at: tuple[str, ...]) -> None:
        if key in _SECTIONS and isinstance(section, str):
            section = {section: None}
        if section is None:
            return
        if not isinstance(section, dict):
            if key in _SECTIONS:
                self._error(
                    at,
                    f"`{key}` of the group {name!r} is {_kind(section)}; it must be a mapping.",
                    "Write one name per line, each followed by a colon.",
                )
            else:
                self._warn(at, f"{key!r} in the group {name!r} is ignored.", _ONLY)
            return
        if key == "vars":
            for var, value in section.items():
                self._variable(name, var, value, at)
        elif key == "children":
            for child, body in section.items():
                self._child(name, child, body, (*at, child))
        elif key == "hosts":
            for pattern, variables in section.items():
                self._hosts(name, pattern, variables, (*at, pattern))
        else:
            self._warn(at, f"{key!r} in the group {name!r} is ignored.", _ONLY)

    def _child(self, parent: str, child: str, body: Any, at: tuple[str, ...]) -> None:
        if kind := self.positions.key_kind(at):
            self._error(at, f"A group name must be text; {child} is {kind}.", "Quote it.")
            return
        self.group(child, body, at)
        try:
            self.builder.add_child(parent, child)
        except Refused as problem:
            self._error(at, problem.message, problem.hint)

    def _hosts(self, group: str, pattern: str, variables: Any, at: tuple[str, ...]) -> None:
        """Source: ``_parse_host`` and ``_populate_host_vars``."""
        if kind := self.positions.key_kind(at):
            self._error(at, f"A host name must be text; {pattern} is {kind}.", "Quote it.")
            return
        if variables and not isinstance(variables, dict):
            self._error(
                at, f"Beside the host {pattern!r} stands {_kind(variables)}.", "Its variables are a mapping."
            )
            return
        try:
            names, port = expand(pattern)
            if not names:
                self._warn(at, f"{pattern!r} stands for no host at all.", "Begin below the end.")
            spot = self._spot(at)
            for name in names:
                self.builder.add_host(name, group, port, spot)
                for key, value in (variables or {}).items():
                    self._variable(name, key, value, at)
        except BadPattern as problem:
            self._error(at, str(problem), "Correct the range.")
        except Refused as problem:
            self._error(at, problem.message, problem.hint)

    def _variable(self, owner: str, key: str, value: Any, at: tuple[str, ...]) -> None:
        try:
            self.builder.set_variable(owner, key, value, self._spot(at))
        except Refused as problem:
            self._error((*at, key), problem.message, problem.hint)


_ONLY = "Only hosts, children and vars have a meaning here."


def _kind(value: Any) -> str:
    names = {
        bool: "a truth value",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a mapping",
    }
    return names.get(type(value), "empty")
