"""Which calls exist and what their parameters may be: the extract, applied as PVE::JSONSchema applies it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.provisioning.pve.formats import check_format, parse_properties
from tests.provisioning.pve.refusals import Refusal

TRUE, FALSE = ("1", "on", "yes", "true"), ("0", "off", "no", "false")
_INDEXED = re.compile(r"(?P<name>[a-z]+)(?P<number>\d+)\Z")
_COUNT = {"ide": 4, "sata": 6, "scsi": 31, "virtio": 16, "net": 32, "ipconfig": 32, "serial": 4, "usb": 14}


class Schema:
    """The extract of one version."""

    def __init__(self, version: str) -> None:
        document = json.loads((Path(__file__).parent / f"schema-{version}.json").read_text())
        self.version = version
        self._types: list[dict[str, Any]] = document["types"]
        self._methods: dict[str, Any] = document["methods"]
        self._routes = [(*name.split(" "), _pattern(name.split(" ")[1])) for name in self._methods]

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """``POST /nodes/{node}/qemu`` and what the braces stand for; 501 for what is not there."""
        for known, template, pattern in self._routes:
            found = pattern.fullmatch(path)
            if known == method and found:
                return f"{method} {template}", found.groupdict()
        raise Refusal(501, f"Method '{method} {path}' not implemented")

    def check_expression(self, name: str) -> Any:
        return self._methods[name]["check"]

    def knows(self, name: str, parameter: str) -> bool:
        return self._type(name, parameter) is not None

    def checked(self, name: str, given: dict[str, str]) -> dict[str, Any]:
        """*given* with integers and booleans as such; 400 naming everything that is wrong."""
        errors: dict[str, str] = {}
        checked = {}
        for parameter, value in given.items():
            definition = self._type(name, parameter)
            if definition is None:
                errors[parameter] = (
                    "property is not defined in schema and the schema does not allow additional properties"
                )
                continue
            try:
                checked[parameter] = check_value(definition, value)
            except ValueError as error:
                errors[parameter] = str(error)
            requires = definition.get("requires")
            if requires and requires not in given:
                errors[requires] = f"missing property - '{parameter}' requires this property"
        for parameter, number in self._methods[name]["parameters"].items():
            if "[n]" not in parameter and not self._types[number].get("optional") and parameter not in given:
                errors[parameter] = "property is missing and it is not optional"
        if errors:
            raise Refusal(400, "Parameter verification failed.", errors)
        return checked

    def _type(self, name: str, parameter: str) -> dict[str, Any] | None:
        parameters = self._methods[name]["parameters"]
        number = parameters.get(parameter)
        found = _INDEXED.match(parameter)
        if number is None and found and int(found["number"]) < _COUNT.get(found["name"], 16):
            number = parameters.get(f"{found['name']}[n]")
        return None if number is None or "[n]" in parameter else self._types[number]


def check_value(definition: dict[str, Any], value: str) -> Any:
    """One value; raises ValueError in PVE::JSONSchema's words."""
    kind = definition.get("type", "string")
    result: Any = value
    if kind == "integer":
        if not re.fullmatch(r"[+-]?\d+", value):
            raise ValueError(f"type check ('integer') failed - got '{value}'")
        result = int(value)
    elif kind == "number":
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
            raise ValueError(f"type check ('number') failed - got '{value}'")
        result = float(value)
    elif kind == "boolean":
        if value.lower() not in TRUE + FALSE:
            raise ValueError(f"type check ('boolean') failed - got '{value}'")
        return int(value.lower() in TRUE)
    _check_bounds(definition, result)
    if definition.get("enum") and value not in definition["enum"]:
        raise ValueError(
            f"value '{value}' does not have a value in the enumeration '{', '.join(definition['enum'])}'"
        )
    pattern = definition.get("pattern")
    if pattern and not re.fullmatch(_python(pattern), value):
        raise ValueError("value does not match the regex pattern")
    _check_format(definition.get("format"), value)
    return result


def _check_bounds(definition: dict[str, Any], value: Any) -> None:
    if "minimum" in definition and value < definition["minimum"]:
        raise ValueError(f"value must have a minimum value of {definition['minimum']}")
    if "maximum" in definition and value > definition["maximum"]:
        raise ValueError(f"value must have a maximum value of {definition['maximum']}")
    if "maxLength" in definition and len(value) > definition["maxLength"]:
        raise ValueError(f"value may only be {definition['maxLength']} characters long")


def _check_format(wanted: Any, value: str) -> None:
    if isinstance(wanted, str):
        check_format(wanted, value)
    elif isinstance(wanted, dict):
        try:
            check_properties(wanted, value)
        except ValueError as error:
            raise ValueError(f"invalid format - format error\n{error}") from None


def check_properties(wanted: dict[str, Any], value: str) -> dict[str, str]:
    """A property string against its format; its parts under their real names."""
    found: dict[str, str] = {}
    default = next((key for key, part in wanted.items() if part.get("default_key")), None)
    for key, part in parse_properties(value):
        key = key or default or ""
        definition = wanted.get(key)
        if definition is None:
            raise ValueError(
                f"{key}: property is not defined in schema and the schema does not allow additional properties"
            )
        if "alias" in definition:
            if "keyAlias" in definition:
                found[definition["keyAlias"]] = key
            key = definition["alias"]
            definition = wanted[key]
        if key in found:
            raise ValueError(f"{key}: duplicate key in comma-separated list property")
        try:
            check_value(definition, part)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
        found[key] = part
    for key, definition in wanted.items():
        if "alias" not in definition and not definition.get("optional") and key not in found:
            raise ValueError(f"{key}: property is missing and it is not optional")
    return found


def _pattern(template: str) -> re.Pattern[str]:
    """Every variable is one segment, but for a volume, which is the rest."""
    pattern = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    pattern = pattern.replace("{volume}", "(?P<volume>.+)")
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern))


def _python(pattern: str) -> str:
    """Perl's ``(?^:…)`` is Python's ``(?:…)``."""
    return pattern.replace("(?^:", "(?:")
