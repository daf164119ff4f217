"""The API of a hypervisor, where the variables of its host say it. The variables stay what they are.

A secret is never read: what becomes ours is a reference to the sealed variable that holds it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from inventory import validators
from inventory.ansible import written
from inventory.importers.ansible_tree.work import Work
from inventory.importers.tree.model import Secret

#: field of a hypervisor → longest text, what judges it, and what it says of a wrong one without repeating it
PLAIN: dict[str, tuple[int, Callable[[str], None] | None, str]] = {
    "api_url": (300, validators.https_url, "is no https:// address without user and password"),
    "node": (63, None, ""),
    "token_id": (200, validators.token_id, "is no user@realm!name"),
    "read_token_id": (200, validators.token_id, "is no user@realm!name"),
    "storage": (100, None, ""),
    "bridge": (40, None, ""),
}
SECRETS = ("secret", "read_secret")
OURS = "leads to a setting of this application, which would be sent to the hypervisor"
PORT = 8006
#: {{ name }}: a reference and nothing else
_NAME = re.compile(r"\s*\{\{\s*(?P<name>[A-Za-z_]\w*)\s*\}\}\s*\Z")
_ENVIRONMENT = re.compile(
    r"\s*\{\{\s*lookup\(\s*(['\"])(?:ansible\.builtin\.)?env\1\s*,\s*(['\"])(?P<name>[A-Za-z_]\w*)\2\s*\)\s*\}\}\s*\Z"
)


def api_of(work: Work, host: str, form: str) -> dict[str, str] | None:
    """The fields that the variables of *host* say; None where it is no hypervisor, or they name no token of it."""
    if form != "hv":
        return None
    resolved = work.tree.resolved(host)
    found: dict[str, str] = {}
    for field, (longest, judge, wrong) in PLAIN.items():
        key = work.names[f"hypervisor.{field}"]
        if text := _plain(resolved.get(key)):
            value = _address(text) if field == "api_url" else text
            if problem := _problem(value, longest, judge, wrong):
                _complain(work, host, key, problem)
            else:
                found[field] = value
    for field in SECRETS:
        key = work.names[f"hypervisor.{field}"]
        if reference := _reference(work, host, key, resolved):
            if problem := _problem(reference, 300, validators.secret_reference, OURS):
                _complain(work, host, key, problem)
            else:
                found[field] = reference
    named = {"token_id", "read_token_id", *SECRETS} & found.keys()
    return found if named else None


def _complain(work: Work, host: str, key: str, problem: str) -> None:
    kind, owner = _declared_by(work, host, key)
    hint = "correct it, or map the noun to another name (--mapping)"
    work.complain(kind, owner, [key], f"of host {host} {problem}, and is not taken", hint)


def _plain(raw: Any) -> str:
    """Text that says what it means; neither a template nor anything that was sealed."""
    return "" if not isinstance(raw, str) or written.holds_jinja(raw) else raw.strip()


def _problem(value: str, longest: int, judge: Callable[[str], None] | None, wrong: str) -> str:
    if len(value) > longest:
        return f"is longer than {longest} characters"
    try:
        if judge:
            judge(value)
    except ValidationError:
        return wrong
    return ""


def _address(text: str) -> str:
    """``192.0.2.21``, ``pve.example.net:8443`` and ``https://…`` as the address of an API."""
    if "://" in text:
        return text.rstrip("/")
    try:
        literal = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return f"https://{text}" if re.search(r":\d+\Z", text) else f"https://{text}:{PORT}"
    return f"https://[{literal}]:{PORT}" if literal.version == 6 else f"https://{literal}:{PORT}"


def _reference(work: Work, host: str, key: str, resolved: Mapping[str, Any]) -> str:
    """Where the secret lies that the variable *key* gives; empty where it lies nowhere that is sealed."""
    raw = resolved.get(key)
    if _is_sealed(raw):
        return f"vault:{key}"
    if not isinstance(raw, str):
        return ""
    if found := _ENVIRONMENT.match(raw):
        return f"env:{found['name']}"
    if found := _NAME.match(raw):
        name = found["name"]
        lies_sealed = _is_sealed(resolved[name]) if name in resolved else _has_closed_vault(work, host)
        return f"vault:{name}" if lies_sealed else ""
    return ""  # in plain: a finding says so, and it is not copied


def _is_sealed(raw: Any) -> bool:
    return isinstance(raw, Secret) or written.is_sealed(raw)


def _has_closed_vault(work: Work, host: str) -> bool:
    """Whether a file that *host* reads is sealed and was not opened: what is named nowhere else stands there."""
    groups = {group.name for group in work.tree.group_order(host)}
    return any(
        file.owner == host if file.owner_kind == "host" else file.owner in groups for file in work.tree.sealed
    )


def _declared_by(work: Work, host: str, key: str) -> tuple[Any, str]:
    own = work.tree.hosts[host]
    if key in own.files or key in own.inline:
        return "host", host
    for group in work.tree.group_order(host)[::-1]:
        if key in group.files or key in group.inline:
            return "group", group.name
    return "host", host
