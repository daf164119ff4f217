"""A hosts file in INI.

Source: ansible-core 2.19, ``ansible.plugins.inventory.ini.InventoryModule``. Ansible stops at the first
problem; here every line is read and every problem reported.
"""

from __future__ import annotations

import ast
import json
import math
import re
import shlex
import warnings
from dataclasses import dataclass, field
from typing import Any

from inventory.importers.tree.builder import Builder, Refused
from inventory.importers.tree.model import Spot
from inventory.importers.tree.patterns import BadPattern, expand
from inventory.yaml11 import Positions

_NAME = r"([^:\]\s]+)"
_COMMENT = r"\s*(?:#.*)?"
_SECTION = re.compile(rf"\[{_NAME}(?::(\w+))?\]{_COMMENT}")
_GROUP = re.compile(rf"{_NAME}{_COMMENT}")


@dataclass
class _Pending:
    """A group that is spoken of before it is declared."""

    line: int
    state: str
    parents: list[str] = field(default_factory=list)


def read_ini_hosts(text: str, path: str, builder: Builder) -> None:
    """Add what *text*, the content of the hosts file *path*, declares. Every problem goes to *builder*."""
    reader = _Reader(path, builder)
    for number, line in enumerate(text.splitlines(), start=1):
        reader.number = number
        try:
            reader.line(line.strip())
        except Refused as problem:
            builder.error(path, number, problem.message, problem.hint)
        except BadPattern as bad:
            builder.error(path, number, str(bad), "Correct the range.")
    reader.finish()


class _Reader:
    """Source: ``_parse``. The file begins as if with ``[ungrouped]``."""

    def __init__(self, path: str, builder: Builder) -> None:
        self.path = path
        self.builder = builder
        self.number = 0
        self.group = "ungrouped"
        self.state = "hosts"
        self.pending: dict[str, _Pending] = {}

    def _spot(self) -> Spot:
        return Spot(self.path, Positions(first=self.number))

    def line(self, line: str) -> None:
        if not line or line[0] in "#;":
            return
        if match := _SECTION.fullmatch(line):
            self._section(match[1], match[2] or "hosts")
        elif line.startswith("[") and line.endswith("]"):
            self.state = "skip"
            raise Refused(f"{line!r} is not a section.", "Write [group], [group:vars] or [group:children].")
        elif self.state == "hosts":
            self._host(line)
        elif self.state == "vars":
            key, equals, value = line.partition("=")
            if not equals:
                raise Refused("Here stand variables as key=value; this line has no `=`.", "Add it.")
            self.builder.set_variable(self.group, key.strip(), self._value(value.strip()), self._spot())
        elif self.state == "children":
            self._child(line)

    def _section(self, group: str, state: str) -> None:
        if state not in ("hosts", "children", "vars"):
            self.state = "skip"  # what follows would be reported line by line, for one mistake
            raise Refused(f"[{group}:{state}] is no kind of section.", "Use :vars or :children, or neither.")
        self.group, self.state = group, state
        if group not in self.builder.groups:
            if state == "vars" and group not in self.pending:
                self.pending[group] = _Pending(self.number, state)
            self.builder.add_group(group, self._spot())
        if group in self.pending and state != "vars":
            if self.pending[group].state == "children":
                self._adopt(group)
            else:
                del self.pending[group]

    def _adopt(self, group: str) -> None:
        """Source: ``_add_pending_children``."""
        for parent in self.pending[group].parents:
            self.builder.add_child(parent, group)
            if parent in self.pending and self.pending[parent].state == "children":
                self._adopt(parent)
        del self.pending[group]

    def _child(self, line: str) -> None:
        match = _GROUP.fullmatch(line)
        if not match:
            raise Refused(f"{line!r} is no group name.", "Here stands one group name per line.")
        child = match[1]
        if child in self.builder.groups:
            self.builder.add_child(self.group, child)
        elif child in self.pending:
            self.pending[child].parents.append(self.group)
        else:
            self.pending[child] = _Pending(self.number, self.state, [self.group])

    def _host(self, line: str) -> None:
        """Source: ``_parse_host_definition`` and ``_expand_hostpattern``."""
        try:
            pattern, *tokens = shlex.split(line, comments=True)
        except ValueError:
            raise Refused("A quote on this line is not closed, or stands alone.", "Close it.") from None
        names, port = expand(pattern)
        if pattern.strip().endswith(":") and port is None:
            raise Refused(
                f"The host {pattern!r} ends with a colon.", "A port follows it; YAML needs `.yml` files."
            )
        if any(name.strip() == "---" for name in names):
            raise Refused(
                "The line `---` begins YAML, but the file is read as INI.", "Correct the YAML, or remove it."
            )
        if not names:
            self.builder.warn(
                self.path, self.number, f"{pattern!r} stands for no host at all.", "Begin below the end."
            )
        variables: dict[str, Any] = {}
        for token in tokens:
            key, equals, value = token.partition("=")
            if not equals:
                raise Refused(
                    f"Behind the host {pattern!r} stand variables as key=value; one word has no `=`.",
                    "Quote values that hold spaces.",
                )
            variables[key] = self._value(value)
        for name in names:
            self.builder.add_host(name, self.group, port, self._spot())
            for key, value in variables.items():
                self.builder.set_variable(name, key, value, self._spot())

    def _value(self, text: str) -> Any:
        """Source: ``_parse_value``: a Python literal where it is one, else the text."""
        if "\0" in text:
            raise Refused("A value holds a NUL character.", "Remove it.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text
        except (MemoryError, RecursionError, TypeError):
            raise Refused(
                "A value is no literal that Python can hold.", "Move it to group_vars, as YAML."
            ) from None
        return self._coerce(value)

    def _coerce(self, value: Any) -> Any:
        """Source: ``_parse_recursive_coerce_types_and_tag``, and what JSON makes of keys."""
        match value:
            case str():
                if "\0" in value or re.search("[\ud800-\udfff]", value):
                    raise Refused("A value holds a NUL character or half a character.", "Remove it.")
                return value
            case bytes():
                try:
                    return {"__ansible_unsafe": value.decode()}  # Ansible does not trust bytes as templates
                except UnicodeDecodeError:
                    raise Refused("A value holds bytes that are not UTF-8.", "Write text.") from None
            case set():
                self.builder.warn(
                    self.path,
                    self.number,
                    "A Python set has no order; Ansible's changes per run.",
                    "Write a list.",
                )
                return [self._coerce(item) for item in sorted(value, key=repr)]
            case list() | tuple():
                return [self._coerce(item) for item in value]
            case dict():
                return self._mapping(value)
            case complex():
                return str(value)
            case float() if not math.isfinite(value):
                raise Refused("JSON cannot hold infinity.", "Quote it twice if it is text.")
        return "..." if value is ... else value

    def _mapping(self, value: dict[Any, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str | int | float | None):
                raise Refused("A key of a value is neither text nor a number.", "JSON needs text as key.")
            name = key if isinstance(key, str) else json.dumps(key)
            if name in result:
                raise Refused(f"Two keys of a value become {name!r} when written as text.", "Rename one.")
            result[name] = self._coerce(item)
        return result

    def finish(self) -> None:
        for name, pending in self.pending.items():
            if pending.state == "vars":
                message = f"[{name}:vars] gives variables to a group that is not defined."
            else:
                message = f"[{pending.parents[-1]}:children] names the group {name!r}, which is not defined."
            self.builder.error(self.path, pending.line, message, f"Add [{name}], or remove this.")
