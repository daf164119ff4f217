"""The words of the schema: one function for each kind of value. Pure."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
LABEL = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
OCTET = r"^[0-9a-f]{2}$"
MOMENT = "2026-01-31T12:00:00+00:00"


def needed(description: str, longest: int | None = None, **more: Any) -> Schema:
    found: Schema = {"type": "string", "minLength": 1, "description": description}
    return {**found, **({} if longest is None else {"maxLength": longest}), **more}


def text(description: str, longest: int | None = None, **more: Any) -> Schema:
    found = needed(description, longest, default="", **more)
    del found["minLength"]
    return found


def choice(description: str, values: list[str], default: str | None = None) -> Schema:
    found: Schema = {"type": "string", "enum": values, "description": description}
    return found if default is None else {**found, "default": default}


def flag(description: str, *, default: bool = False) -> Schema:
    return {"type": "boolean", "default": default, "description": description}


def number(description: str, lowest: int, highest: int, **more: Any) -> Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest, "description": description, **more}


def formed(description: str, form: str, example: str, **more: Any) -> Schema:
    return {"type": "string", "format": form, "examples": [example], "description": description, **more}


def listed(description: str, items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, "default": [], "description": description, **more}


def fields(description: str, properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    found: Schema = {"type": "object", "description": description, "properties": properties}
    if required:
        found["required"] = list(required)
    return {**found, "additionalProperties": False, **more}


def named(description: str, values: Schema, longest: int, **more: Any) -> Schema:
    names = {"type": "string", "minLength": 1, "maxLength": longest}
    return {
        "type": "object",
        "description": description,
        "propertyNames": {**names, **more},
        "additionalProperties": values,
    }


def data(description: str) -> Schema:
    """A mapping that is nobody's business here. As JSON text where YAML cannot hold it."""
    return {
        "type": ["object", "string"],
        "format": "json-mapping",
        "default": {},
        "description": f"{description} A mapping; where YAML cannot hold a value exactly, its JSON as text.",
    }


def span(description: str) -> Schema:
    return {
        "type": "array",
        "items": formed("First or last address.", "ipv4", "192.0.2.100"),
        "minItems": 2,
        "maxItems": 2,
        "description": f"{description} First and last address, both included.",
    }
