"""From text to PyYAML's nodes on libyaml, with errors that say what to do."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.nodes import Node

from inventory.yaml11.problems import YamlProblem

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, which Ansible prefers too
MANY_BRACKETS = 800  # fewer cannot nest deeper than C's stack is
MANY_BYTES = 1_000_000  # a shorter text cannot hold so many values that memory matters
MAX_VALUES = 500_000

_DEEP_LINE = re.compile(r"^[ \t?:\-]{100}", re.MULTILINE)


def compose(text: str, path: str, max_depth: int, max_values: int = MAX_VALUES) -> Node | None:
    """The root node of the one document in *text*; None where it is empty. Raises YamlProblem."""
    try:
        brackets = text.count("[") + text.count("{")
        if len(text) > MANY_BYTES or brackets > MANY_BRACKETS or _DEEP_LINE.search(text):
            _check_size(text, path, max_depth, max_values)
        return yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        problem = _syntax(error, path, text)
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "surrogatepass").count(b"\n", 0, error.position) + 1
        problem = YamlProblem(
            path,
            line,
            "The file holds a control character.",
            "Remove it, or write it as an escape in double quotes.",
        )
    except UnicodeEncodeError:
        problem = YamlProblem(path, 1, "The text holds half a character (a lone surrogate).", "Remove it.")
    raise problem from None


def too_deep(path: str, line: int, max_depth: int) -> YamlProblem:
    return YamlProblem(path, line, f"The nesting is deeper than {max_depth} levels.", "Flatten it.")


def _check_size(text: str, path: str, max_depth: int, max_values: int) -> None:
    """Composing recurses in C and takes a kilobyte per value: count levels and values first, event by event."""
    depth = 0
    for values, event in enumerate(yaml.parse(text, Loader=LOADER), start=1):
        if values > 2 * max_values:  # a list or mapping is two events
            raise YamlProblem(path, None, f"The file holds more than {max_values:,} values.", "Split it.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > max_depth:
                mark: Any = event.start_mark
                raise too_deep(path, mark.line + 1, max_depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _character(text: str, index: int) -> str:
    found = text.removeprefix("\ufeff")[index : index + 1]
    return "a tab" if found == "\t" else f"the character {found!r}"


def _syntax(error: yaml.MarkedYAMLError, path: str, text: str) -> YamlProblem:
    mark: Any = error.problem_mark or error.context_mark
    words = error.problem or error.context or "it cannot be read"
    if "cannot start any token" in words and mark:
        words = f"{_character(text, mark.index)} cannot stand here"
    hint = next((hint for part, hint in _HINTS if part in words), "Correct the line.")
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return YamlProblem(path, line, f"This is not valid YAML: {words}.", hint, column, syntax=True)


_HINTS = (
    ("tab", "YAML does not allow tabs here; use spaces."),
    ("mapping values are not allowed", "Quote text that holds a colon followed by a space."),
    ("single document", "One file is one document; remove the second `---`."),
    ("undefined alias", "Define the anchor first, or quote text that begins with *."),
    ("'%'", "Quote text that begins with %."),
    ("'@'", "Quote text that begins with @."),
    ("'`'", "Quote text that begins with a backtick."),
    ("expected the node content", "Quote the text."),
    ("unexpected end of stream", "A quote or bracket is not closed."),
    ("block end", "Check the indentation."),
    ("expected ',' or", "A bracket is not closed, or a template is not quoted."),
)
