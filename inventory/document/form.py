"""Checks the form of a document against its schema, and says what is wrong in the words of the project.

The schema is the published JSON Schema; this reads the part of draft 2020-12 that it uses. A general validator says
that something "is not valid under any of the given schemas" and takes minutes for ten thousand hosts; people need the line,
the rule and the way out.
"""

from __future__ import annotations

import datetime
import difflib
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from inventory import validators
from inventory.addressing import canonical_address
from inventory.exports.site.vocabulary import Schema
from inventory.identity import canonical_mac
from inventory.packed import from_text

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong at *path*: a sentence with rule and way out, without the place."""

    path: Path
    message: str


#: what an unknown key of one mapping might mean is looked for so many times; looking takes its time
MOST_HINTS = 50


def faults(value: Any, rule: Schema, path: Path = ()) -> Iterator[Fault]:
    """Everything in *value* that *rule* does not allow."""
    kinds = rule.get("type")
    if kinds is not None and not _is_a(value, kinds):
        yield Fault(path, _wrong_type(value, kinds, rule))
    elif "const" in rule and value != rule["const"]:
        yield Fault(
            path, f"is {_shown(value)}, and this version reads {rule['const']} alone; export the site anew."
        )
    elif isinstance(value, dict) and (rule.get("format") != "json-mapping"):
        yield from _mapping_faults(value, rule, path)
    elif isinstance(value, list):
        yield from _list_faults(value, rule, path)
    elif value is not None and (message := _leaf_fault(value, rule)):
        yield Fault(path, message)


# --- mappings ---


def _mapping_faults(value: dict[str, Any], rule: Schema, path: Path) -> Iterator[Fault]:
    known = rule.get("properties", {})
    others = rule.get("additionalProperties", True)
    names = rule.get("propertyNames", {})
    strange = 0
    for key, item in value.items():
        if key in known:
            yield from faults(item, known[key], (*path, key))
        elif others is False:
            strange += 1
            yield Fault((*path, key), _unknown_key(key, known if strange <= MOST_HINTS else {}))
        else:
            if message := _leaf_fault(key, names):
                yield Fault((*path, key), f"as a name {message}")
            if isinstance(others, dict):
                yield from faults(item, others, (*path, key))
    for key in rule.get("required", ()):
        if key not in value:
            yield Fault(path, f"needs the key {key}: {known[key]['description']}")


def _unknown_key(key: str, known: dict[str, Any]) -> str:
    if not known:
        return "is no key that is known here."
    near = difflib.get_close_matches(key[:60], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
    return f"is no key that is known here; {hint}"


# --- lists ---


def _list_faults(value: list[Any], rule: Schema, path: Path) -> Iterator[Fault]:
    low, high = rule.get("minItems", 0), rule.get("maxItems")
    if len(value) < low or (high is not None and len(value) > high):
        yield Fault(path, f"has {len(value)} values and needs {low}: {rule['description']}")
        return
    fixed = rule.get("prefixItems", ())
    for at, item in enumerate(value):
        if at < len(fixed):
            yield from faults(item, fixed[at], (*path, at))
        elif "items" in rule:
            yield from faults(item, rule["items"], (*path, at))


# --- single values ---

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "object": dict,
    "array": list,
}


def _is_a(value: Any, kinds: str | list[str]) -> bool:
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "null" and value is None:
            return True
        if (
            kind != "null"
            and isinstance(value, _TYPES[kind])
            and (kind == "boolean" or not isinstance(value, bool))
        ):
            return True
    return False


def _wrong_type(value: Any, kinds: str | list[str], rule: Schema) -> str:
    wanted = " or ".join(_WORDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    found = next((_WORDS[name] for name, kind in _TYPES.items() if type(value) is kind), "a fraction")
    if value is None:
        return f"is empty, and must be {wanted}; give it a value, or leave the key out."
    if "string" in kinds and not isinstance(value, dict | list):
        example = f", such as '{rule['examples'][0]}'" if "examples" in rule else ""
        return f"is {_shown(value)} to YAML, and must be text; put it in quotes{example}."
    return f"is {found}, and must be {wanted}. {rule.get('description', '')}".rstrip()


def _leaf_fault(value: Any, rule: Schema) -> str:
    if "enum" in rule and value not in rule["enum"]:
        near = difflib.get_close_matches(str(value), rule["enum"], n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"is {_shown(value)}, and must be one of {', '.join(rule['enum'])}{hint}"
    if isinstance(value, int):
        low, high = rule.get("minimum"), rule.get("maximum")
        if (low is not None and value < low) or (high is not None and value > high):
            return f"is {value}, and must lie between {low} and {high}."
        return ""
    return _text_fault(value, rule) if isinstance(value, str) else _form_fault(value, rule)


def _text_fault(value: str, rule: Schema) -> str:
    if len(value) < rule.get("minLength", 0):
        return "is empty; give it a value, or leave the key out."
    if len(value) > rule.get("maxLength", len(value)):
        return f"has {len(value)} characters, and at most {rule['maxLength']} can be kept; shorten it."
    if "pattern" in rule and not re.search(rule["pattern"], value):
        return f"is {_shown(value)}, and must be a DNS label; use lower-case letters and digits, such as lab."
    return _form_fault(value, rule) if value or rule.get("default") != "" else ""


def _form_fault(value: Any, rule: Schema) -> str:
    check = FORMS.get(rule.get("format", ""))
    try:
        if check is not None:
            check(value)
    except ValidationError as error:
        return f"cannot be: {_shortened(' '.join(error.messages), value)}"
    except ValueError as error:
        return f"cannot be: {_shortened(str(error), value)}"
    return ""


def _shortened(message: str, value: Any) -> str:
    """*message* with no more of *value* than people need to find it."""
    return message.replace(f"“{value}”", _shown(value)) if isinstance(value, str) else message


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"“{text}”" if len(text) <= 60 else f"“{text[:59]}…”"


# --- forms of text ---


def _canonical(make: Callable[[str], str]) -> Callable[[Any], None]:
    def check(value: str) -> None:
        wanted = make(value)
        if wanted != value:
            raise ValueError(f"“{value}” is written {wanted}.")

    return check


def _of_version(version: int) -> Callable[[str], str]:
    def make(value: str) -> str:
        wanted = canonical_address(value)
        if ipaddress.ip_address(wanted).version != version:
            raise ValueError(f"“{value}” is not an IPv{version} address.")
        return wanted

    return make


def _network(*versions: int) -> Callable[[str], str]:
    def make(value: str) -> str:
        validators.network(value)
        found = ipaddress.ip_network(value)
        if found.version not in versions:
            raise ValueError(f"“{value}” is not an IPv{versions[0]} network.")
        return str(found)

    return make


def _moment(value: str) -> None:
    try:
        moment = datetime.datetime.fromisoformat(value)
        if moment.tzinfo is not None and moment.astimezone(datetime.UTC):
            return
    except (ValueError, OverflowError):  # the year 0 of another time zone
        pass
    raise ValueError(
        f"“{value}” is no moment; write one with its offset, such as '2026-01-31T12:00:00+00:00'."
    )


def _date(value: str) -> None:
    try:
        if datetime.date.fromisoformat(value).isoformat() == value:
            return
    except ValueError:
        pass
    raise ValueError(f"“{value}” is no day; write one such as '2026-12-31'.")


def _vmid(value: str) -> None:
    if not (value.isascii() and value.isdigit() and len(value) < 10 and value[0] != "0"):
        raise ValueError(f"“{value}” is no VMID; write a number such as '200'.")


def _json_mapping(value: Any) -> None:
    """A mapping, or its JSON as text."""
    if isinstance(value, str):
        try:
            value = from_text(value)
        except (ValueError, RecursionError):
            raise ValueError("the text is not JSON; write a mapping.") from None
    validators.mapping(value)


FORMS: dict[str, Callable[[Any], None]] = {
    "address": _canonical(canonical_address),
    "ipv4": _canonical(_of_version(4)),
    "ipv6": _canonical(_of_version(6)),
    "network": _canonical(_network(4, 6)),
    "network4": _canonical(_network(4)),
    "network6": _canonical(_network(6)),
    "mac": _canonical(canonical_mac),
    "vmid": _vmid,
    "octet": validators.hex_octet,
    "label": validators.label,
    "domain": validators.domain_name,
    "https-url": validators.https_url,
    "token-id": validators.token_id,
    "secret-reference": validators.secret_reference,
    "run-secret": validators.run_secret,
    "fingerprint": validators.sha256_fingerprint,
    "disk-serial": validators.disk_serial,
    "template-prefix": validators.template_prefix,
    "user-name": validators.user_name,
    "ssh-keys": validators.ssh_public_keys,
    "ssh-host-keys": validators.ssh_host_keys,
    "date": _date,
    "date-time": _moment,
    "json-mapping": _json_mapping,
}
