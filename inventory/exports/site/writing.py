"""Facts as the plain values of a site document: defaults left out, in the order of the schema. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inventory.addressing import Range, address_key
from inventory.automating import prompts
from inventory.exports.site import automation, bookkeeping, nouns
from inventory.exports.site.vocabulary import Schema
from inventory.packed import Packed, to_text
from inventory.snapshot import HostFacts, IdentityFacts, InterfaceFacts, JobTemplateFacts, Snapshot
from inventory.yaml11 import Flow
from inventory.yaml11.problems import RESERVED_KEYS, UNSAFE, VAULT
from inventory.yaml11.writing import is_text

Values = dict[str, Any]
#: The reader takes a hundred levels; variables stand some levels below the top.
_DEEPEST = 80
_SMALL = frozenset({"delegated", "dns_servers", "search_domains", "ipv6", "needs"})


def values_of(snapshot: Snapshot) -> Values:
    """Noun → what the document says of it.

    An empty noun is there too, since one that is left out is left alone; only what is never taken away by leaving it
    out (authority, uses of the emergency access, serials, identities) is left out when empty.
    """
    found: Values = {
        "facts": _fields(snapshot.site, nouns.FACTS),
        "naming": data(snapshot.site.naming),
        "mapping": dict(snapshot.site.mapping),
        "variables": data(snapshot.site.variables),
        "authority": [_fields(one, nouns.AUTHORITY) for one in snapshot.authorities],
        "roles": {role.slug: Flow(_fields(role, nouns.ROLE)) for role in _by(snapshot.roles, "slug")},
        "severities": [_fields(one, nouns.SEVERITY) for one in _by(snapshot.overrides, "finding", "subject")],
        "emergency_uses": [
            _fields(one, nouns.EMERGENCY_USE) for one in _by(snapshot.emergency_uses, "at", "who")
        ],
        "segments": {one.name: _fields(one, nouns.SEGMENT) for one in _by(snapshot.segments, "name")},
        "hosts": {host.name: _host(host) for host in _by(snapshot.hosts, "name")},
        "groups": {group.name: _fields(group, nouns.GROUP) for group in _by(snapshot.groups, "name")},
        "profiles": {one.name: _fields(one, nouns.PROFILE) for one in _by(snapshot.profiles, "name")},
        "aliases": {alias.name: alias.service for alias in _by(snapshot.aliases, "name")},
        "schedules": {one.name: _fields(one, nouns.SCHEDULE) for one in _by(snapshot.schedules, "name")},
        "projects": {one.name: _fields(one, automation.PROJECT) for one in _by(snapshot.projects, "name")},
        "templates": {one.name: _template(one) for one in _by(snapshot.templates, "name")},
        "kit_places": {one.name: _fields(one, nouns.KIT_PLACE) for one in _by(snapshot.kit_places, "name")},
        "sealed": _sealed(snapshot),
        "shapes": _shapes(snapshot),
        "serials": {zone: Flow([s.serial, s.content_hash]) for zone, s in sorted(snapshot.serials.items())},
        "epoch": snapshot.site.epoch if snapshot.site.epoch > 1 else None,
        "identities": _identities(snapshot),
    }  # fmt: skip
    return {
        key: value
        for key, value in found.items()
        if value or key not in ("authority", "emergency_uses", "serials", "epoch", "identities")
    }


def _by(rows: Iterable[Any], *names: str) -> list[Any]:
    return sorted(rows, key=lambda row: tuple(getattr(row, name) for name in names))


def _fields(facts: Any, table: Schema) -> Values:
    """What *facts* say beyond the defaults of *table*."""
    out: Values = {}
    for key, rule in table["properties"].items():
        value = _plain(getattr(facts, key))
        if "default" not in rule or value != rule["default"]:
            out[key] = data(value) if rule.get("format") == "json-mapping" else _small(key, value)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, Range):
        return [value.first, value.last]
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _small(key: str, value: Any) -> Any:
    return (
        Flow(value)
        if key in _SMALL or (key in ("pool", "static_range") and isinstance(value, list))
        else value
    )


def _host(host: HostFacts) -> Values:
    out: Values = {}
    for key, rule in nouns.HOST["properties"].items():
        if key == "interfaces":
            value: Any = {interface.name: _interface(interface) for interface in host.interfaces}
        elif key == "services":
            value = [Flow(_fields(one, nouns.SERVICE)) for one in _by(host.services, "name", "tenant")]
        elif key == "proxmox":
            value = None if host.proxmox is None else _fields(host.proxmox, nouns.PROXMOX)
        elif key == "machine":
            value = None if host.machine is None else _fields(host.machine, nouns.MACHINE)
        else:
            value = _plain(getattr(host, key))
        if value != rule["default"]:
            out[key] = data(value) if rule.get("format") == "json-mapping" else _small(key, value)
    return out


def _template(template: JobTemplateFacts) -> Values:
    plain: Values = {
        "prompts": prompts.written(template.prompts),
        "vault_secrets": dict(template.vault_secrets),
    }
    out: Values = {}
    for key, rule in automation.TEMPLATE["properties"].items():
        value = plain[key] if key in plain else getattr(template, key)
        if "default" not in rule or value != rule["default"]:
            out[key] = data(value) if rule.get("format") == "json-mapping" else value
    return out


def implied_addressing(has_address: bool) -> str:
    """What an interface does for an address where the document does not say."""
    return "static" if has_address else "none"


def _interface(interface: InterfaceFacts) -> Values:
    out = _fields(interface, nouns.INTERFACE)
    if interface.addressing == implied_addressing(bool(interface.addresses)):
        del out["addressing"]
    return out


# --- data that is nobody's business ---


def data(value: Mapping[str, Any]) -> Any:
    """A mapping for YAML, or its JSON as text where YAML would not give the same back."""
    plain = dict(value.items())
    return plain if _fits(plain, 0) else as_json(value)


def as_json(value: Mapping[str, Any]) -> str:
    return value.text if isinstance(value, Packed) else to_text(dict(value.items()))


def _fits(value: Any, depth: int) -> bool:
    """Whether our reader gives *value* back exactly: no half characters, no NUL, Ansible's tags as they should be."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, list):
        return depth < _DEEPEST and all(_fits(item, depth + 1) for item in value)
    if not isinstance(value, dict):
        return True
    if any(key in value for key in RESERVED_KEYS):
        return len(value) == 1 and _is_tagged(value)
    return depth < _DEEPEST and all(_fits(key, 0) and _fits(item, depth + 1) for key, item in value.items())


def _is_tagged(value: Values) -> bool:
    text = value.get(VAULT, value.get(UNSAFE))
    return isinstance(text, str) and _fits(text, 0) and is_text(text)  # !unsafe "12" is a number to Ansible


# --- kept by the machine ---


def _sealed(snapshot: Snapshot) -> Values:
    found: dict[str, dict[str, Values]] = {"groups": {}, "hosts": {}}
    for file in _by(snapshot.sealed, "owner_kind", "owner", "path"):
        found[f"{file.owner_kind}s"].setdefault(file.owner, {})[file.path] = file.text
    return {kind: owners for kind, owners in found.items() if owners}


def _shapes(snapshot: Snapshot) -> Values:
    hosts = _by(snapshot.hosts, "name")
    interfaces = {
        host.name: {one.name: as_json(one.written) for one in host.interfaces if one.written}
        for host in hosts
    }
    found: Values = {
        "site": as_json(snapshot.site.written) if snapshot.site.written else "",
        "segments": {s.name: as_json(s.written) for s in _by(snapshot.segments, "name") if s.written},
        "hosts": {host.name: as_json(host.written) for host in hosts if host.written},
        "interfaces": {name: shapes for name, shapes in interfaces.items() if shapes},
    }
    return {key: value for key, value in found.items() if value}


def _identities(snapshot: Snapshot) -> Values:
    by_kind: dict[str, dict[str, Values]] = {}
    for one in sorted((*snapshot.identities, *snapshot.held), key=_order):
        values = by_kind.setdefault(one.state, {}).setdefault(one.kind, {})
        if one.state == "disputed":
            values.setdefault(one.value, Flow({})).value[one.host] = one.since
        else:
            until = [one.until or None] if one.state == "quarantined" else []
            values[one.value] = Flow([one.host, one.since, *until])
    kinds = bookkeeping.KINDS
    return {
        state: {kind: by_kind[state][kind] for kind in kinds if kind in by_kind[state]}
        for state in bookkeeping.IDENTITIES["properties"]
        if state in by_kind
    }


def _order(one: IdentityFacts) -> tuple[Any, ...]:
    number: Any = (
        int(one.value) if one.kind == "vmid" else address_key(one.value) if one.kind == "ip" else one.value
    )
    return one.kind, number, one.state, one.since, one.host
