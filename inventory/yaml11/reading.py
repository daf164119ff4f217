"""Reads YAML 1.1 exactly as ansible-core does, but refuses what it would only warn about or choke on.

Source of the rules: ansible-core 2.19, ``ansible.parsing.utils.yaml.from_yaml`` (JSON is tried first, then
YAML with PyYAML's SafeConstructor on libyaml) and ``ansible._internal._yaml._constructor`` (``!vault``,
``!unsafe``); for keys and dates ``ansible._internal._json._profiles._legacy`` (how they are printed).

Stricter than Ansible, always with the line: duplicate keys, NaN and infinity, NUL and lone surrogates
(PostgreSQL's JSON holds neither), ``!!binary``, ``!!set``, ``!!omap``, ``!!pairs``, nesting over
100, alias bombs. Integers of any size stay Python integers: where they may exceed 64 bit, serialise with
``json`` and not ``orjson``.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import Any, cast

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inventory.yaml11.composing import MAX_VALUES, compose, too_deep
from inventory.yaml11.problems import RESERVED_KEYS, UNSAFE, VAULT, Mark, Positions, YamlProblem

MAX_BYTES = 5_000_000
MAX_DEPTH = 100
MAX_NODES = 200_000
LONGEST_NUMBER = 1_000

_TAG = "tag:yaml.org,2002:"
_STR, _NULL, _BOOL, _INT, _FLOAT = (_TAG + name for name in ("str", "null", "bool", "int", "float"))
_TIMESTAMP, _SEQ, _MAP, _MERGE, _EQUALS = (
    _TAG + name for name in ("timestamp", "seq", "map", "merge", "value")
)
_JSON_STARTS = frozenset('{["-0123456789tfnNI')
_VAULT_TAGS = frozenset({"!vault", "!vault-encrypted"})
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {bool: "a truth value", int: "an integer", float: "a number", type(None): "empty"}

Marks = dict[str, Mark | int] | list[Mark | int] | None


def read(
    text: bytes | str,
    path: str,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_nodes: int = MAX_NODES,
    max_values: int = MAX_VALUES,
) -> tuple[Any, Positions]:
    """The value of one YAML (or JSON) document as Ansible sees it after JSON, and where its keys stand.

    An empty document is None. Raises YamlProblem for everything that cannot be held without changing it.
    """
    text = _decode(text, path, max_bytes)
    reader = _Reader(path, max_depth, max(max_nodes, len(text) // 4), max_values)
    if text.lstrip()[:1] in _JSON_STARTS:
        try:
            value = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_json)
        except _DuplicateError as problem:
            # compose() below knows the lines; where it cannot read the file, say it without them
            reader.fallback = YamlProblem(path, 1, f"The key {problem.args[0]!r} stands twice.", _ONE_KEY)
        except (ValueError, RecursionError):
            pass  # not JSON, or JSON that is too deep: the YAML reader says what is wrong
        else:
            reader.json = True
            reader.check_json(value, 0)
            return value, _json_positions(text, reader)
    node = reader.compose(text)
    if node is None:
        return None, Positions()
    value, marks = reader.build(node, 0)
    return value, Positions(marks, node.start_mark.line + 1)


def _decode(text: bytes | str, path: str, max_bytes: int) -> str:
    size = len(text)
    if size > max_bytes:
        raise YamlProblem(path, None, f"The file is {size:,} bytes; the limit is {max_bytes:,}.", "Split it.")
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise YamlProblem(path, line, "The file is not UTF-8.", "Save it as UTF-8.") from None


_ONE_KEY = "Ansible would silently use the last one; keep one."


class _DuplicateError(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateError(key)
            seen.add(key)
    return result


def _not_json(name: str) -> Any:
    return float("nan") if name == "NaN" else float(name)


def _json_positions(text: str, reader: _Reader) -> Positions:
    """JSON is almost always YAML too, which knows lines. Where it is not (tabs), every key is on line 1."""
    try:
        node = reader.compose(text)
        return Positions(reader.build(node, 0)[1]) if node else Positions()
    except YamlProblem:
        return Positions()


class _Reader:
    """Builds one document. Depth and number of nodes are counted with aliases expanded."""

    def __init__(self, path: str, max_depth: int, max_nodes: int, max_values: int = MAX_VALUES) -> None:
        self.path = path
        self.max_depth = max_depth
        self.max_nodes = max_nodes
        self.max_values = max_values
        self.fallback: YamlProblem | None = None
        self.has_aliases = False
        self.json = False
        self.nodes = 0
        self.unsafe = 0
        self.open: set[int] = set()
        self.scalars = SafeConstructor()
        self.resolver = yaml.resolver.Resolver()

    # --- text → nodes

    def compose(self, text: str) -> Node | None:
        self.has_aliases = "*" in text and "&" in text
        self.nodes = 0
        try:
            return compose(text, self.path, self.max_depth, self.max_values)
        except YamlProblem as problem:
            raise (self.fallback or problem) from None

    def _problem(self, node: Node, message: str, hint: str = "") -> YamlProblem:
        mark = node.start_mark
        return YamlProblem(self.path, mark.line + 1, message, hint, mark.column + 1)

    def _too_deep(self, line: int) -> YamlProblem:
        return too_deep(self.path, line, self.max_depth)

    # --- nodes → values

    def build(self, node: Node, depth: int) -> tuple[Any, Marks]:
        """The value of *node*, and the marks of what is below it."""
        self.nodes += 1
        if self.has_aliases and self.nodes > self.max_nodes:
            raise self._problem(
                node,
                f"Anchors and aliases expand to more than {self.max_nodes:,} values.",
                "Write the values out, or refer to a variable.",
            )
        tag = node.tag
        if tag == "!unsafe":
            self.unsafe += 1
            try:
                return self._build_as(node, self._implicit(node), depth)
            finally:
                self.unsafe -= 1
        if tag in _VAULT_TAGS:
            if not isinstance(node, ScalarNode) or self._implicit(node) != _STR:
                raise self._problem(node, f"{tag} needs text.", "Put the ciphertext behind it with `|`.")
            return {VAULT: self._text(node)}, None
        return self._build_as(node, tag, depth)

    def _implicit(self, node: Node) -> str:
        """The tag that *node* would have without its own (Ansible's ``_resolve_and_construct_object``)."""
        return cast(str, self.resolver.resolve(type(node), node.value, (True, False)))

    def _build_as(self, node: Node, tag: str, depth: int) -> tuple[Any, Marks]:
        if isinstance(node, ScalarNode):
            if tag == _STR:
                text = self._text(node)
                return ({UNSAFE: text} if self.unsafe else text), None
            value = self._scalar(node, tag)
            return (value.isoformat() if isinstance(value, datetime.date) else value), None
        if tag != (_MAP if isinstance(node, MappingNode) else _SEQ):
            raise self._unknown_tag(node, tag)
        if depth >= self.max_depth:
            raise self._too_deep(node.start_mark.line + 1)
        if id(node) in self.open:
            raise self._problem(
                node, "An alias refers to the value that contains it.", "Write the value out."
            )
        self.open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, depth)
            return self._sequence(cast(SequenceNode, node), depth)
        finally:
            self.open.discard(id(node))

    def _sequence(self, node: SequenceNode, depth: int) -> tuple[list[Any], Marks]:
        values, marks = [], []
        for child in node.value:
            value, below = self.build(child, depth + 1)
            line = child.start_mark.line + 1
            values.append(value)
            marks.append(Mark(line, below) if below else line)
        return values, marks

    def _mapping(self, node: MappingNode, depth: int) -> tuple[dict[str, Any], Marks]:
        values: dict[str, Any] = {}
        marks: dict[str, Mark | int] = {}
        raw_of: dict[str, Any] = {}
        text_of: dict[Any, str] = {}
        own: dict[str, int] = {}
        for key_node, value_node, merged in self._pairs(node, depth):
            line = key_node.start_mark.line + 1
            raw = self._key(key_node)
            key = raw if type(raw) is str else json.dumps(raw)
            if not merged and key in own and type(raw_of[key]) is type(raw):
                raise self._problem(
                    key_node, f"The key {key!r} stands twice, on lines {own[key]} and {line}.", _ONE_KEY
                )
            if type(raw_of.setdefault(key, raw)) is not type(raw) or text_of.setdefault(raw, key) != key:
                other = text_of.get(raw, key)
                raise self._problem(
                    key_node,
                    f"The keys {other!r} and {key!r} cannot be told apart by Ansible or in JSON.",
                    "Quote them, or rename one.",
                )
            if not merged:
                own[key] = line
            value, below = self.build(value_node, depth + 1)
            values[key] = value
            kind = "" if type(raw) is str else _KINDS[type(raw)]
            marks[key] = Mark(line, below, kind) if below or kind else line
        for key in RESERVED_KEYS:
            if key in values and not self.json:
                raise self._problem(
                    node, f"The key {key!r} belongs to Ansible.", "Write !vault or !unsafe, or rename it."
                )
        return values, marks

    def _pairs(self, node: MappingNode, depth: int) -> list[tuple[Node, Node, bool]]:
        """Keys and values with ``<<`` spliced in before the node's own (SafeConstructor.flatten_mapping)."""
        merged: list[tuple[Node, Node, bool]] = []
        own: list[tuple[Node, Node, bool]] = []
        for key, value in node.value:
            if key.tag != _MERGE:
                own.append((key, value, False))
                continue
            sources = value.value[::-1] if isinstance(value, SequenceNode) else [value]
            for source in sources:
                if not isinstance(source, MappingNode):
                    raise self._problem(
                        key, "`<<` needs a mapping or a list of mappings.", "Quote a key named <<."
                    )
                if depth >= self.max_depth or id(source) in self.open:
                    raise self._problem(key, "`<<` merges a mapping into itself.", "Write the values out.")
                self.open.add(id(source))
                merged.extend((k, v, True) for k, v, _ in self._pairs(source, depth + 1))
                self.open.discard(id(source))
                self.nodes += len(merged)
                if self.has_aliases and self.nodes > self.max_nodes:
                    raise self._problem(
                        key,
                        f"`<<` expands to more than {self.max_nodes:,} values.",
                        "Write the values out.",
                    )
        return merged + own

    def _key(self, node: Node) -> str | int | float | bool | None:
        if not isinstance(node, ScalarNode):
            raise self._problem(
                node,
                "A list or mapping cannot be a key.",
                'If this is a template, quote it: "{{ name }}".',
            )
        tag = node.tag
        if tag == "!unsafe":
            tag = self._implicit(node)
        if tag in (_STR, _EQUALS):
            return self._text(node)
        if tag in _VAULT_TAGS:
            raise self._problem(node, "A key cannot be sealed.", "Seal the value instead.")
        value = self._scalar(node, tag)
        if isinstance(value, datetime.date):
            raise self._problem(node, "A date cannot be a key in JSON.", "Quote it.")
        return value

    def _text(self, node: ScalarNode) -> str:
        text = cast(str, node.value)
        if "\0" in text:
            raise self._problem(node, "The text holds a NUL character, which JSON in a database cannot hold.")
        return text

    def _scalar(self, node: ScalarNode, tag: str) -> Any:
        make = _SCALARS.get(tag)
        if make is None:
            raise self._unknown_tag(node, tag)
        name = tag.removeprefix(_TAG)
        # a number by sixties takes for ever, a hexadecimal one cannot be written again
        if len(node.value) > LONGEST_NUMBER:
            said = f"This looks like a {name} of more than {LONGEST_NUMBER:,} digits."
            raise self._problem(node, said, "Quote it if it is text.")
        try:
            value = make(self.scalars, node)
        except (ValueError, LookupError, ArithmeticError, AttributeError, yaml.YAMLError):
            raise self._problem(
                node, f"This looks like a {name}, but is none.", "Quote it if it is text."
            ) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise self._problem(node, "JSON cannot hold infinity or not-a-number.", "Quote it if it is text.")
        return value

    def _unknown_tag(self, node: Node, tag: str) -> YamlProblem:
        if tag in (_MERGE, _EQUALS):
            return self._problem(node, f"`{node.value}` has a meaning of its own in YAML 1.1.", "Quote it.")
        shown = "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
        if shown.removeprefix("!!") in _SCALAR_NAMES:
            return self._problem(node, f"The tag {shown} does not fit this value.", "Remove the tag.")
        return self._problem(
            node,
            f"The tag {shown} is not read: only !vault and !unsafe are.",
            "Write plain text, lists or mappings.",
        )

    # --- JSON

    def check_json(self, value: Any, depth: int) -> None:
        """What json.loads lets through and a database does not."""
        if isinstance(value, dict | list):
            if depth >= self.max_depth:
                raise self._too_deep(1)
            if isinstance(value, dict):
                reserved = [key for key in RESERVED_KEYS if key in value]
                if reserved and not _is_tagged(value):
                    raise YamlProblem(
                        self.path, None, f"The key {reserved[0]!r} belongs to Ansible.", "Rename it."
                    )
                for key in value:
                    self.check_json(key, depth + 1)
                value = value.values()
            for item in value:
                self.check_json(item, depth + 1)
        elif isinstance(value, str) and ("\0" in value or _LONE_SURROGATE.search(value)):
            raise YamlProblem(
                self.path, None, "A text holds a NUL character or half a character.", "Remove it."
            )
        elif isinstance(value, float) and not math.isfinite(value):
            raise YamlProblem(self.path, None, "JSON cannot hold infinity or not-a-number.", "Quote it.")


def _is_tagged(value: dict[str, Any]) -> bool:
    """Whether *value* is how JSON writes ``!vault`` and ``!unsafe``."""
    return len(value) == 1 and isinstance(value.get(VAULT, value.get(UNSAFE)), str)


_SCALARS: dict[str, Any] = {
    _NULL: SafeConstructor.construct_yaml_null,
    _BOOL: SafeConstructor.construct_yaml_bool,
    _INT: SafeConstructor.construct_yaml_int,
    _FLOAT: SafeConstructor.construct_yaml_float,
    _TIMESTAMP: SafeConstructor.construct_yaml_timestamp,
}
_SCALAR_NAMES = frozenset({"null", "bool", "int", "float", "timestamp", "str", "seq", "map"})
