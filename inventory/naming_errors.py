"""What can be wrong with a naming pattern that a person declared. Pure; the language is in ``inventory.naming``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_TEXT = re.compile(r"[a-z0-9-]*\Z")
_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z")
_KEYS = ("standard", "fields", "ordinal", "values", "roles", "forms")
_FIELD_KEYS = ("field", "digits", "first", "width", "before", "after", "left_out_for", "needed_for")


def errors(naming: Any, standards: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every error of *naming* as a sentence; empty for ``{}`` and for a pattern that can be used."""
    if not naming:
        return []
    if not isinstance(naming, Mapping):
        return ['A naming pattern is a mapping, such as {"standard": "role-form"}.']
    found = [
        f"“{key}” is no key of a naming pattern; use {', '.join(_KEYS)}."
        for key in naming
        if key not in _KEYS
    ]
    base: Mapping[str, Any] = naming
    if "standard" in naming:
        name = naming["standard"]
        if not isinstance(name, str) or name not in standards:
            return [*found, f"There is no standard “{name}”; shipped are {' and '.join(standards)}."]
        found += [
            f"“{key}” belongs to the standard “{name}” already; leave it out, or declare the fields without “standard”."
            for key in ("fields", "ordinal")
            if key in naming
        ]
        base = standards[name]
    shape = list(_fields(base.get("fields")))
    tables = list(_tables(naming, base))
    if shape or tables:
        return found + shape + tables
    return found + list(_ordinal(base)) + list(_values(base["fields"], naming))


def _fields(fields: Any) -> Iterator[str]:
    if not isinstance(fields, list) or not fields:
        yield "A naming pattern has a list of “fields”, or names a “standard”."
        return
    seen: set[str] = set()
    for number, item in enumerate(fields, 1):
        if (
            not isinstance(item, Mapping)
            or not isinstance(item.get("field"), str)
            or not _NAME.match(item["field"])
        ):
            yield f'Field {number} needs a name in lower case: {{"field": "role"}}.'
            continue
        name = item["field"]
        if name in seen:
            yield f"Field {name} stands twice; a name says each thing once."
        seen.add(name)
        yield from _field(name, item)


def _field(name: str, item: Mapping[str, Any]) -> Iterator[str]:
    for key in item:
        if key not in _FIELD_KEYS:
            yield f"Field {name}: “{key}” is no key of a field; use {', '.join(_FIELD_KEYS)}."
    for key, low, high in (("digits", 1, 9), ("width", 1, 63), ("first", 0, 999_999_999)):
        value = item.get(key, low)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            yield f"Field {name}: {key} is a number from {low} to {high}."
    for key in ("before", "after"):
        value = item.get(key, "")
        if not isinstance(value, str) or not _TEXT.match(value):
            yield f"Field {name}: {key} is text of lower-case letters, digits and hyphens."
    for key in ("left_out_for", "needed_for"):
        value = item.get(key, [])
        if not isinstance(value, list) or not all(isinstance(form, str) and form for form in value):
            yield f'Field {name}: {key} is a list of forms, such as ["hv", "pi"].'
    if "digits" in item and ("width" in item or name in ("role", "form")):
        yield f"Field {name} is a text; digits are for numbers."
    if name == "form" and ("left_out_for" in item or "needed_for" in item):
        yield "Field form is always written; only other fields depend on it."


def _tables(naming: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[str]:
    for key in ("values", "roles", "forms"):
        table = naming.get(key, {})
        if not isinstance(table, Mapping) or not all(isinstance(text, str) for text in table.values()):
            yield f"“{key}” is a mapping of texts, such as {_EXAMPLES[key]}; put numbers in quotes."
            continue
        for name, text in table.items():
            if not _CODE.match(text):
                yield f"“{key}”: “{text}” for {name} cannot stand in a host name; use lower-case letters and digits."
        if key != "values":
            yield from _twice(key, {**(base[key] if base is not naming and key in base else {}), **table})


_EXAMPLES = {
    "values": '{"organisation": "dv", "code": "02"}',
    "roles": '{"netctrl": "nms"}',
    "forms": '{"vm": "v"}',
}


def _twice(key: str, table: Mapping[str, str]) -> Iterator[str]:
    by_text: dict[str, list[str]] = {}
    for name, text in table.items():
        by_text.setdefault(text, []).append(name)
    for text, names in by_text.items():
        if len(names) > 1:
            yield f"“{key}”: {' and '.join(names)} are both written “{text}”; a name could not be read back."


def _ordinal(base: Mapping[str, Any]) -> Iterator[str]:
    numbers = [item["field"] for item in base["fields"] if "digits" in item]
    by_name = {item["field"]: item for item in base["fields"]}
    ordinal = base.get("ordinal")
    if ordinal not in numbers:
        known = ", ".join(numbers) or "none yet: give one field digits"
        yield f"“ordinal” names the number that tells machines of one kind apart; numbers are {known}."
        return
    for name in numbers:
        if by_name[name].get("first", 1) >= 10 ** by_name[name]["digits"]:
            yield f"Field {name}: first does not fit into its digits."
    if "left_out_for" in by_name[ordinal] or "needed_for" in by_name[ordinal]:
        yield f"Field {ordinal} is the ordinal and always written."


def _values(fields: list[Mapping[str, Any]], naming: Mapping[str, Any]) -> Iterator[str]:
    values = naming.get("values", {})
    fixed = {
        item["field"]: item
        for item in fields
        if "digits" not in item and item["field"] not in ("role", "form")
    }
    for name, item in fixed.items():
        if name not in values:
            yield f'“values” says nothing of {name}; add it, such as {{"{name}": "dv"}}.'
        elif "width" in item and len(values[name]) != item["width"]:
            yield f"“values”: {name} “{values[name]}” has not {item['width']} characters."
    for name in values:
        if name not in fixed:
            yield f"“values”: the pattern has no fixed field {name}; it has {', '.join(fixed) or 'none'}."
    for key in ("role", "form"):
        width = next((item.get("width") for item in fields if item["field"] == key), None)
        for name, text in naming.get(f"{key}s", {}).items():
            if width and len(text) != width:
                yield f"“{key}s”: “{text}” for {name} has not {width} characters."
